/** What one does with what is shown: saves it, takes hold of a chart, reads on, asks where everybody went. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { shot, type Visit } from '../../support/browser.ts';
import { goTo, openShow, settled, type Show } from '../../support/browser-show.ts';
import { troupe } from '../../support/command-line.ts';

const absent = inject('browserAbsent');

describe.skipIf(absent !== '')('what is shown', () => {
  let show: Show;
  let visit: Visit;
  let page: Page;
  const root = inject('recorded').small;
  beforeAll(async () => {
    show = await openShow(inject('chromium'), join(root, 'runs'));
  });
  afterAll(() => show.close());
  beforeEach(async () => {
    visit = await show.visit('/runs/smoke');
    page = visit.page;
  });
  afterEach(async () => {
    const misdeeds = [...visit.misdeeds];
    await visit.close();
    expect(misdeeds).toEqual([]);
  });

  const saved = async (title: string): Promise<{ readonly name: string; readonly text: string }> => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('dialog').getByRole('link', { name: title }).click(),
    ]);
    return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
  };

  test('is saved in every format, and the command beside each writes the same', async () => {
    await goTo(page, `${show.viewer.url}/runs/smoke/groups/s00001.t000`);
    await page.getByRole('button', { name: 'Export…' }).click();
    await shot(page, 'export of a group');
    const html = await saved('Save One web page');
    expect(html.name).toBe('smoke-s00001.t000.html');
    expect(html.text).toContain('<title>s00001.t000 · smoke · Troupe</title>');
    const openAi = await saved('Save OpenAI messages');
    expect(openAi.name).toBe('smoke-s00001.t000.openai.jsonl');
    await page.getByRole('button', { name: 'Copy the command that writes OpenAI messages' }).click();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    // Without the file it is told to write, it writes to stdout.
    const words = command
      .replace(/^node dist\/run\.js /, '')
      .replace(/ --out \S+$/, '')
      .split(' ');
    const { code, out, err } = troupe(words, { cwd: root });
    expect(code, err).toBe(0);
    expect(out.trim()).toBe(openAi.text.trim());
    await page.keyboard.press('Escape');
    await goTo(page, `${show.viewer.url}/runs/smoke?tab=episodes&filter=reward%3C0`);
    await page.keyboard.press('x');
    const tokens = await saved('Save Tokens for training');
    const rewards = tokens.text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly reward: number }).reward);
    expect(new Set(rewards)).toEqual(new Set([-1]));
    const figures = await saved('Save Figures');
    expect(figures.text.split('\r\n')[0]).toMatch(/^step,/);
    expect(Buffer.from((await saved('Save TensorBoard')).text).length).toBeGreaterThan(100);
  });

  const scaleOf = async (): Promise<number> => Number.parseInt(await page.locator('.chart-tools output').innerText(), 10);
  const placeOf = (): Promise<readonly [left: number, top: number]> =>
    page.locator('.chart-view').evaluate((view): [number, number] => [view.scrollLeft, view.scrollTop]);

  test('as a chart is dragged, enlarged where the wheel points, and moved by keys', async () => {
    await goTo(page, `${show.viewer.url}/charts/experiment`);
    const view = page.locator('.chart-view');
    const area = await view.boundingBox();
    if (area === null) throw new Error('there is no chart');
    await view.focus();
    for (let n = 0; n < 8; n++) await page.keyboard.press('+');
    await expect.poll(scaleOf).toBe(200);
    const before = 200;
    const state = page.locator('.chart-state[data-id="experiment.rolling"]');
    await state.scrollIntoViewIfNeeded();
    const seen = await state.boundingBox();
    await page.mouse.move((seen?.x ?? 0) + 5, (seen?.y ?? 0) + 5);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -120);
    await page.keyboard.up('Control');
    await expect.poll(scaleOf).toBeGreaterThan(before * 1.3);
    // What lay under the pointer still does.
    const after = await state.boundingBox();
    expect(Math.abs((after?.x ?? 0) - (seen?.x ?? 0))).toBeLessThan(8);
    expect(Math.abs((after?.y ?? 0) - (seen?.y ?? 0))).toBeLessThan(8);
    const [left, top] = await placeOf();
    await page.mouse.down();
    await page.mouse.move((seen?.x ?? 0) - 55, (seen?.y ?? 0) - 35, { steps: 5 });
    await page.mouse.up();
    expect(await placeOf()).toEqual([left + 60, top + 40]);
    await view.focus();
    await page.keyboard.press('ArrowUp');
    expect((await placeOf())[1]).toBeLessThan(top + 40);
    const large = await scaleOf();
    await page.keyboard.press('-');
    await expect.poll(scaleOf).toBeLessThan(large);
    await page.keyboard.press('0');
    const whole = await page.locator('.chart-drawing').boundingBox();
    expect((whole?.width ?? Infinity) <= area.width + 1 && (whole?.height ?? Infinity) <= area.height + 1).toBe(true);
    await shot(page, 'chart, all of it');
  });

  test('is read on by scrolling: outline and scrubber go along, and nothing is scrolled back', async () => {
    await page.setViewportSize({ width: 1100, height: 520 });
    await goTo(page, `${show.viewer.url}/runs/faulty/episodes/s00001.t000.e00?turn=0`);
    const at = async (): Promise<number> => Number(await page.getByRole('slider', { name: 'event' }).inputValue());
    const flow = page.locator('.flow');
    const scrolled = (): Promise<number> => flow.evaluate((element) => element.scrollTop);
    const first = await at();
    await flow.hover();
    await page.mouse.wheel(0, 200);
    await expect.poll(at).toBeGreaterThan(first);
    const rest = await scrolled();
    await page.waitForTimeout(600);
    expect(await scrolled()).toBe(rest);
    await page.mouse.wheel(0, 100_000);
    await expect.poll(() => page.locator('.turn-list [aria-current=true]').innerText()).toMatch(/^judge|^episode/);
    await page.mouse.wheel(0, -100_000);
    await expect.poll(at).toBe(first);
    // A key goes on from there.
    await page.keyboard.press('j');
    await expect.poll(at).toBeGreaterThan(first);
  });

  test('of a step, a group and a filtered list is a chart of where everybody went', async () => {
    await goTo(page, `${show.viewer.url}/runs/smoke?step=s00001`);
    await page.getByRole('button', { name: 'Chart', exact: true }).click();
    await settled(page);
    const count = async (name: RegExp): Promise<number> =>
      Number((await page.getByRole('button', { name }).innerText()).replaceAll(/\D/g, ''));
    const all = await count(/^∑? ?all/);
    expect(all).toBeGreaterThan(0);
    expect((await count(/solved/)) + (await count(/failed/))).toBe(all);
    // Everybody ended once.
    await expect.poll(() => page.locator('.chart-count').last().textContent()).toBe(`×${all}`);
    await shot(page, 'chart of a step');
    await page.getByRole('button', { name: /failed/ }).click();
    expect(new URL(page.url()).searchParams.get('ending')).toBe('failed');
    await expect.poll(() => page.locator('.chart-count').last().textContent()).toBe(`×${await count(/failed/)}`);
    await goTo(page, `${show.viewer.url}/runs/smoke/groups/s00001.t000`);
    await page.keyboard.press('2');
    await settled(page);
    await page.getByRole('button', { name: 'judge' }).click();
    await expect.poll(() => page.getByRole('region', { name: /drawing of judge/ }).count()).toBe(1);
    await goTo(page, `${show.viewer.url}/runs/smoke?tab=episodes&filter=turns%3E2`);
    await page.getByRole('button', { name: 'Chart of these' }).click();
    await settled(page);
    expect(await page.locator('.many .table tbody tr').count()).toBeGreaterThan(3);
  });
});
