/** What the page weighs and where it asks: nothing that the viewer does not serve itself. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { goTo, openShow, type Show } from '../../support/browser-show.ts';

const absent = inject('browserAbsent');
const built = 'dist/viewer/page';

function filesIn(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(join(dir, entry.name)) : [join(dir, entry.name)],
  );
}

test('the whole page is at most 150 kB, gzipped', () => {
  const sizes = filesIn(built)
    .filter((file) => !file.endsWith('.map'))
    .map((file) => gzipSync(readFileSync(file), { level: 9 }).length);
  expect(sizes.length).toBeGreaterThanOrEqual(3);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(150_000);
});

test('names no host from which anything would be fetched', () => {
  const texts = filesIn(built)
    .filter((file) => /\.(?:html|css|js)$/.test(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  // Names of XML's vocabularies are no addresses.
  const addresses = [...texts.matchAll(/(?:https?:)?\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)+[^\s"'`)]*/g)].map(([address]) => address);
  expect(addresses.filter((address) => !address.startsWith('http://www.w3.org/'))).toEqual([]);
});

describe.skipIf(absent !== '')('with nothing but the viewer to reach', () => {
  let show: Show;
  beforeAll(async () => {
    show = await openShow(inject('chromium'), join(inject('recorded').small, 'runs'));
  });
  afterAll(() => show.close());

  test('every page is drawn, and asks nobody else', async () => {
    const { page, misdeeds, close } = await show.visit('/');
    const elsewhere: string[] = [];
    await page.context().route('**', (route) => {
      if (route.request().url().startsWith(show.viewer.url)) return route.continue();
      elsewhere.push(route.request().url());
      return route.abort();
    });
    const first = '/runs/smoke/episodes/s00001.t000.e00';
    const paths = [
      '/',
      '/runs/smoke',
      first,
      `${first}?tab=tokens`,
      '/runs/smoke/groups/s00001.t000',
      '/compare?a=smoke&b=smoke-2',
      '/charts',
      '/charts/episode',
    ];
    for (const path of paths) {
      await goTo(page, show.viewer.url + path);
      expect(await page.locator('.empty').count(), path).toBe(0);
    }
    expect(elsewhere).toEqual([]);
    expect(misdeeds).toEqual([]);
    await close();
  });
});
