/** What goes wrong around a viewer is said where people look, in the page and in the terminal, and the rest stays readable. */
import { appendFileSync, closeSync, cpSync, mkdtempSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { folderOf } from '../../../src/record/folder.ts';
import { segmentFile } from '../../../src/record/inspection.ts';
import { recordsOf } from '../../../src/record/segment.ts';
import { shot } from '../../support/browser.ts';
import { openShow, type Show } from '../../support/browser-show.ts';
import { troupe } from '../../support/command-line.ts';
import { start } from '../../support/runs.ts';

const absent = inject('browserAbsent');
const journalOf = (dir: string): string => segmentFile(folderOf(dir).journal, 1);

describe.skipIf(absent !== '')('trouble', () => {
  const root = mkdtempSync(join(tmpdir(), 'troupe-trouble-'));
  const runs = join(root, 'runs');
  const dirOf = (run: string): string => join(runs, run);
  const copies = ['whole', 'torn', 'damaged', 'vanishing'];
  let damagedAt = 0;
  let show: Show;
  beforeAll(async () => {
    for (const run of copies) cpSync(join(inject('recorded').small, 'runs/smoke'), dirOf(run), { recursive: true });
    appendFileSync(journalOf(dirOf('torn')), Uint8Array.of(200, 0, 0, 0, 1, 2, 3));
    const file = journalOf(dirOf('damaged'));
    const offsets = [...recordsOf(file)].map(({ offset }) => offset);
    damagedAt = offsets[Math.floor(offsets.length / 2)] ?? 0;
    const fd = openSync(file, 'r+');
    writeSync(fd, Uint8Array.of(0xff), 0, 1, damagedAt + 12);
    closeSync(fd);
    show = await openShow(inject('chromium'), runs);
  });
  afterAll(async () => {
    await show.close();
    rmSync(root, { recursive: true, force: true });
  });

  test('a port in use is named, with what to do, and the next free one is taken where none was asked for', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
    });
    const { code, err } = troupe(['view', runs, '--port', String(port)], { cwd: root });
    other.close();
    expect(code).toBe(2);
    expect(err).toContain(`port ${port} of 127.0.0.1 is taken by another program`);
    expect(err).toContain('--port 0');
    const [first, second] = [start(['view', runs], root), start(['view', runs], root)];
    await expect
      .poll(
        () =>
          fetch('http://127.0.0.1:4600/api/about').then(
            ({ ok }) => ok,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true);
    await Promise.any([first.said('trying 46'), second.said('trying 46')]);
    for (const { child } of [first, second]) child.kill('SIGTERM');
    await Promise.all([first.ended, second.ended]);
  });

  test('a folder that is not there is named, with what makes one', () => {
    const { code, err } = troupe(['view', join(root, 'nowhere')], { cwd: root });
    expect(code).toBe(2);
    expect(err).toContain(join(root, 'nowhere'));
    expect(err).toContain('configs/quickstart.yaml');
  });

  test.each([
    ['torn', /torn|cut|incomplete|being written/i],
    ['damaged', /damaged at byte/],
  ])('a journal that is %s is told on the list, on its page and in the terminal', async (run, words) => {
    const { page, misdeeds, close } = await show.visit('/');
    const row = page.locator('tr', { has: page.locator(`a[href="/runs/${run}"]`) });
    await expect.poll(() => row.locator('.trouble').innerText()).toMatch(words);
    await page.locator(`a[href="/runs/${run}"]`).click();
    await expect.poll(() => page.locator('main .notice').first().innerText()).toMatch(words);
    if (run === 'damaged') expect(await page.locator('main .notice').first().innerText()).toContain(String(damagedAt));
    await shot(page, `trouble ${run}`);
    expect(show.viewer.said()).toMatch(words);
    expect(misdeeds).toEqual([]);
    await close();
  });

  test.each(['torn', 'damaged'])('what is whole of a %s journal can be read', async (run) => {
    const { page, misdeeds, close } = await show.visit(`/runs/${run}?tab=episodes`);
    await page.locator('.rows [role=row] a').first().click();
    await expect.poll(() => page.locator('.flow .part').count()).toBeGreaterThan(2);
    expect(misdeeds).toEqual([]);
    await close();
  });

  test('beside a damaged run the others are as ever', async () => {
    const { page, close } = await show.visit('/runs/whole');
    expect(await page.locator('main .notice').count()).toBe(0);
    expect(await page.locator('.page-head').innerText()).toContain('done');
    await close();
  });

  test('a run whose folder vanishes says so in the page that shows it, and on the list', async () => {
    const { page, close } = await show.visit('/runs/vanishing');
    renameSync(dirOf('vanishing'), join(root, 'elsewhere'));
    await expect.poll(() => page.locator('main .notice').first().innerText(), { timeout: 15_000 }).toMatch(/gone|moved or removed/);
    expect(await page.locator('h1').innerText()).toContain('vanishing');
    await shot(page, 'trouble vanished');
    await page.locator('a', { hasText: 'runs' }).first().click();
    const row = page.locator('tr', { has: page.locator('a[href="/runs/vanishing"]') });
    await expect.poll(() => row.locator('.trouble').innerText()).toMatch(/gone|moved or removed/);
    await close();
  });
});
