/** The same journey without a mouse: every step by keys, the place of the keyboard always to be seen, and no way in without a way out. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { shot, type Visit } from '../../support/browser.ts';
import { openShow, settled, type Show } from '../../support/browser-show.ts';

const absent = inject('browserAbsent');
const first = '/runs/smoke/episodes/s00001.t000.e00';

/** What has the keyboard: its name in short, and whether anything shows it. */
const focused = (page: Page): Promise<{ readonly name: string; readonly isSeen: boolean }> =>
  page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement || element instanceof SVGElement) || element === document.body) return { name: '', isSeen: true };
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    const { width, height } = element.getBoundingClientRect();
    const name = `${element.localName} ${element.getAttribute('aria-label') ?? element.textContent?.trim().slice(0, 40) ?? ''}`;
    return { name, isSeen: width * height > 0 && ((outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none') };
  });

const press = async (page: Page, ...keys: string[]): Promise<void> => {
  for (const key of keys) await page.keyboard.press(key);
};

/** Tab by tab until `wanted` has the keyboard. */
async function tabTo(page: Page, wanted: RegExp, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  const passed: string[] = [];
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press(key);
    const { name, isSeen } = await focused(page);
    expect(isSeen, `${name} has the keyboard, and nothing shows it`).toBe(true);
    if (wanted.test(name)) return;
    passed.push(name);
  }
  throw new Error(`no tab leads to ${wanted}; they led to ${passed.join(' · ')}`);
}

describe.skipIf(absent !== '')('by keyboard alone', () => {
  // Of its own: a fork lands beside them.
  const runs = mkdtempSync(join(tmpdir(), 'troupe-keyboard-'));
  let show: Show;
  beforeAll(async () => {
    for (const run of ['smoke', 'smoke-2']) cpSync(join(inject('recorded').small, 'runs', run), join(runs, run), { recursive: true });
    show = await openShow(inject('chromium'), runs);
  });
  afterAll(async () => {
    await show.close();
    rmSync(runs, { recursive: true, force: true });
  });
  const opened: Visit[] = [];
  const begin = async (path: string): Promise<Page> => {
    const visited = await show.visit(path);
    opened.push(visited);
    return visited.page;
  };
  afterAll(async () => {
    for (const { misdeeds, close } of opened) {
      expect(misdeeds).toEqual([]);
      await close();
    }
  });

  test('from the list of runs to an episode, its turns and events, its neighbours, its group, and back', async () => {
    const page = await begin('/');
    await press(page, 'j', 'k');
    await tabTo(page, /^a smoke$/);
    await press(page, 'Enter');
    await settled(page);
    expect(new URL(page.url()).pathname).toBe('/runs/smoke');
    await press(page, '2');
    await expect.poll(() => page.getByRole('combobox').count()).toBe(1);
    await press(page, '/');
    await page.keyboard.type('split=="train" && reward>0');
    await press(page, 'Escape', 'Escape');
    await expect.poll(() => page.locator('.rows [role=row] a').first().innerText()).toMatch(/^s0/);
    await press(page, 'j', 'j', 'k', 'o');
    await page.waitForURL(/\/episodes\//);
    await settled(page);
    const episode = await page.locator('h1').innerText();

    await press(page, 'g', 'g');
    await expect.poll(() => page.locator('.part[aria-current=true]').innerText()).toMatch(/user/);
    await press(page, 'j');
    await expect.poll(() => page.locator('.part[aria-current=true]').innerText()).toMatch(/agent/);
    const words = await page.locator('.scrubber-words b').innerText();
    await press(page, 'J');
    await expect.poll(() => page.locator('.scrubber-words b').innerText()).not.toBe(words);
    await press(page, 'K');
    await expect.poll(() => page.locator('.scrubber-words b').innerText()).toBe(words);

    const member = (): Promise<string> => page.locator('h1').innerText();
    // A page that is on its way has no keys yet.
    for (let at = await member(); !at.endsWith('.e00'); at = await member()) {
      await press(page, 'h');
      await expect.poll(member).not.toBe(at);
      await settled(page);
    }
    await press(page, 'l');
    await expect.poll(member).toMatch(/\.e01$/);
    await settled(page);
    await press(page, ']');
    await expect.poll(() => page.locator('.episode-figures').innerText()).toMatch(/[-−]1/);
    for (const [key, name] of ['Transcript', 'Tokens', 'Prompts', 'Task', 'Raw'].map((title, i) => [String(i + 1), title] as const)) {
      await press(page, key);
      await expect.poll(() => page.locator('[role=tab][aria-selected=true]').innerText()).toBe(name);
    }
    await press(page, '1');
    await tabTo(page, /^a group$/);
    await press(page, 'Enter');
    await page.waitForURL(/\/groups\//);
    await settled(page);
    await press(page, 'l', 'j', 'o');
    await page.waitForURL(/\/episodes\//);
    await press(page, 'g', 'u');
    await page.waitForURL(/\/runs\/smoke$/);
    expect(episode).toContain('.e0');
  });

  test('a filter is written with its completions, and left', async () => {
    const page = await begin('/runs/smoke?tab=episodes');
    await press(page, '/');
    expect((await focused(page)).name).toMatch(/filter episodes/);
    await page.keyboard.type('rew');
    await press(page, 'ArrowDown', 'Enter');
    await expect.poll(() => page.getByRole('combobox').inputValue()).toMatch(/^reward/);
    await press(page, 'Control+a');
    await page.keyboard.type('reward<0');
    await expect.poll(() => new URL(page.url()).searchParams.get('filter')).toBe('reward<0');
    await press(page, 'Escape', 'Escape');
    await expect.poll(async () => (await focused(page)).name).not.toMatch(/filter episodes/);
    await expect.poll(() => page.locator('.rows [role=row] .cell.reward').first().innerText()).toMatch(/[-−]1/);
  });

  test('the palette leads anywhere, and Escape gives the keyboard back', async () => {
    const page = await begin('/');
    await tabTo(page, /Go to/);
    await press(page, 'Enter');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(1);
    await press(page, 'Escape');
    await expect.poll(async () => (await focused(page)).name).toMatch(/Go to/);
    await press(page, 'Control+k');
    await page.keyboard.type('statecharts');
    await expect.poll(() => page.getByRole('option').first().innerText()).toMatch(/statecharts/i);
    await press(page, 'Enter');
    await page.waitForURL(/\/charts$/);
    await settled(page);
    await press(page, 'Control+k');
    await page.keyboard.type('smoke-2');
    await expect.poll(() => page.getByRole('option').first().innerText()).toMatch(/smoke-2/);
    await press(page, 'Enter');
    await page.waitForURL(/\/runs\/smoke-2$/);
    await settled(page);
    await press(page, '?');
    await expect.poll(() => page.getByRole('dialog').innerText()).toMatch(/next step/);
    await press(page, 'Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });

  test('two runs are ticked and compared', async () => {
    const page = await begin('/');
    await tabTo(page, /compare smoke$/);
    await press(page, 'Space');
    await tabTo(page, /compare smoke-2$/);
    await press(page, 'Space');
    await tabTo(page, /^button Compare/, 'Shift+Tab');
    await press(page, 'Enter');
    await page.waitForURL(/\/compare\?/);
    await settled(page);
    await press(page, 'x');
    await expect.poll(() => new URL(page.url()).searchParams.get('a')).toBe('smoke-2');
  });

  test('an episode is played anew, and a dialog keeps the keyboard until it is closed', async () => {
    const page = await begin(`${first}?turn=1`);
    await tabTo(page, /Fork/);
    await press(page, 'Enter');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(1);
    for (let i = 0; i < 12; i++) {
      await press(page, 'Tab');
      expect(
        await page.evaluate(
          () => document.activeElement === document.body || document.activeElement?.closest('dialog, [role=dialog]') !== null,
        ),
      ).toBe(true);
    }
    await press(page, 'Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    expect((await focused(page)).name).toMatch(/Fork/);
    await press(page, 'Enter');
    await tabTo(page, /^button Play/);
    await press(page, 'Enter');
    await page.waitForURL((url) => !url.pathname.startsWith('/runs/smoke/'), { timeout: 60_000 });
    await settled(page);
    await expect.poll(() => page.locator('main').innerText()).toMatch(/Played anew from/);
    await shot(page, 'keyboard forked');
  });

  test.each([
    '/',
    '/runs/smoke',
    '/runs/smoke?tab=episodes',
    first,
    `${first}?tab=tokens`,
    '/runs/smoke/groups/s00001.t000',
    '/charts/episode',
    '/compare?a=smoke&b=smoke-2',
  ])('on %s every stop of the keyboard is seen, and there is a way out at the end', async (path) => {
    const page = await begin(path);
    const stops: string[] = [];
    for (let i = 0; i < 300; i++) {
      await press(page, 'Tab');
      const { name, isSeen } = await focused(page);
      if (name === '') break;
      expect(isSeen, `${name} has the keyboard, and nothing shows it`).toBe(true);
      stops.push(name);
    }
    expect(stops.length).toBeGreaterThan(5);
    expect(stops.length).toBeLessThan(300);
    expect(stops[0]).toMatch(/To the content/);
  });
});
