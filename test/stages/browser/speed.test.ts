/**
 * Very long runs open fast and scroll smoothly, and nothing grows with looking. A busy machine misses any bound of time, so times are judged where they are measured, by bench/viewer.mjs;
 * without it they are told, and what makes a page slow is held: how much is fetched and drawn. Figures are the best of a few tries: another program can only make them worse.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { EpisodeList } from '../../../src/viewer/contract.ts';
import { shot, type Visit, visit } from '../../support/browser.ts';
import { groupRounds, longEvents, manyEpisodes } from '../../support/browser-house.ts';
import { openShow, settled, type Show } from '../../support/browser-show.ts';
import { memoryOf } from '../../support/browser-viewer.ts';

const absent = inject('browserAbsent');
/** The file that the bench gathers figures in. */
const figures = process.env['TROUPE_FIGURES'] ?? '';
const tries = figures === '' ? 1 : 3;
/** Milliseconds. */
const firstPaint = 2000;
const longestTask = 100;
/** Megabytes that the viewer's process may ever have, and a page after its garbage was collected. */
const viewerMemory = 700;
const pageMemory = 120;
/** What a page may consist of, however long the run. */
const mostElements = 4000;
/** Megabytes of one answer. */
const largestList = 1;
const largestEpisode = 5;

const runs = join(inject('recorded').long, 'runs');
const many = '/runs/many-episodes?tab=episodes';

interface Watched extends Window {
  longTasks?: { readonly at: number; readonly ms: number }[];
  seenAt?: number | null;
  gc?: () => void;
}

/** Notes, from the very beginning, long tasks and when `selector` was first on the screen. */
const watch = (page: Page, selector: string): Promise<unknown> =>
  page.addInitScript((wanted) => {
    const watched = window as Watched;
    watched.longTasks = [];
    watched.seenAt = null;
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) watched.longTasks?.push({ at: startTime, ms: duration });
    }).observe({ type: 'longtask', buffered: true });
    const look = (): void => {
      if (document.querySelector(wanted) !== null && watched.seenAt === null)
        // Painted when the frame after this one begins.
        requestAnimationFrame(() => (watched.seenAt ??= performance.now()));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, selector);

/** Milliseconds from the navigation's start until `selector` was painted. */
async function painted(page: Page, url: string): Promise<number> {
  await page.goto(url);
  await page.waitForFunction(() => (window as Watched).seenAt !== null, null, { timeout: 60_000 });
  return page.evaluate(() => (window as Watched).seenAt ?? NaN);
}

/** The longest task while `act` went on; 0 where none took 50 ms. */
async function longest(page: Page, act: () => Promise<unknown>): Promise<number> {
  await page.evaluate(() => ((window as Watched).longTasks = []));
  await act();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100))));
  return page.evaluate(() => Math.max(0, ...((window as Watched).longTasks ?? []).map(({ ms }) => ms)));
}

async function best(measure: () => Promise<number>, enough: number): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < tries && least > enough; i++) least = Math.min(least, await measure());
  return least;
}

/** Down by the wheel, then to places far apart, then back. */
async function scroll(page: Page, box: string): Promise<void> {
  await page.locator(box).hover();
  for (let i = 0; i < 30; i++) {
    await page.mouse.wheel(0, 900);
    await page.waitForTimeout(16);
  }
  for (const share of [0.1, 0.9, 0.5, 0.73, 0.02, 1, 0]) {
    await page.locator(box).evaluate((element, part) => (element.scrollTop = part * element.scrollHeight), share);
    await page.waitForTimeout(60);
  }
}

/** What is left when everything that may go has gone: a collector takes some things only in a later turn. */
async function megabytesUsed(page: Page): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < tries; i++) {
    const used = await page.evaluate(() => {
      (window as Watched).gc?.();
      const { memory } = performance as unknown as { readonly memory: { readonly usedJSHeapSize: number } };
      return memory.usedJSHeapSize / 1e6;
    });
    least = Math.min(least, used);
    await page.waitForTimeout(200);
  }
  return least;
}

const elementsOf = (page: Page): Promise<number> => page.evaluate(() => document.querySelectorAll('*').length);

/** Megabytes of the largest answer that the page has fetched. */
const largestAnswer = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const fetched = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
    return Math.max(0, ...fetched.filter(({ name }) => name.includes('/api/')).map(({ decodedBodySize }) => decodedBodySize)) / 1e6;
  });

/** For people and for the bench. */
function tell(what: string, value: number, unit: string, target?: number): void {
  console.log(`${what}: ${value < 10 ? value.toFixed(2) : Math.round(value)} ${unit}`);
  if (figures !== '') appendFileSync(figures, `${JSON.stringify({ what, value, unit, target })}\n`);
}

function tellTime(what: string, ms: number, bound: number): void {
  tell(what, ms, 'ms', bound);
  if (figures !== '') expect(ms).toBeLessThan(bound);
}

describe.skipIf(absent !== '')('long runs', () => {
  let show: Show;
  let longEpisode = '';
  let largeGroup = '';
  beforeAll(async () => {
    show = await openShow(inject('chromium'), runs);
    const { rows } = await wholeList('long-episode');
    longEpisode = `/runs/long-episode/episodes/${rows[0]?.episode}`;
    await wholeList('many-episodes');
    largeGroup = `/runs/large-group/groups/${(await wholeList('large-group')).rows[0]?.group}`;
  });
  afterAll(() => show.close());

  /** Once all of the journal is read. */
  const wholeList = async (run: string): Promise<EpisodeList> => {
    for (;;) {
      const list = (await (await fetch(`${show.viewer.url}/api/runs/${run}/episodes`)).json()) as EpisodeList;
      if (list.read === undefined) return list;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const open = async (path: string, selector: string): Promise<Visit & { readonly ms: number }> => {
    const visited = await visit(show.browser, 'about:blank', show.viewer.url);
    await watch(visited.page, selector);
    return { ...visited, ms: await painted(visited.page, show.viewer.url + path) };
  };

  test('are as long as they should be, and every recorded state is that of its chart', async () => {
    const get = async (path: string): Promise<unknown> => (await fetch(`${show.viewer.url}/api${path}`)).json();
    const outline = (await get(`${longEpisode}/outline`)) as { readonly actor: readonly number[]; readonly disagree: readonly number[] };
    expect(outline.actor.length).toBeGreaterThanOrEqual(longEvents);
    expect(outline.disagree).toEqual([]);
    expect(await wholeList('many-episodes')).toMatchObject({ total: manyEpisodes });
  });

  test.each([
    ['an episode of very many events', (): string => longEpisode, '.flow .part', largestEpisode],
    ['its page at an event in the middle', (): string => `${longEpisode}?event=50000`, '.scrubber', largestEpisode],
    ['a list of very many episodes', (): string => many, '.rows [role=row] a', largestList],
    ['the last of them, sorted', (): string => `${many}&sort=-reward`, '.rows [role=row] a', largestList],
  ])('%s is painted at once: little is fetched, and what is in sight is drawn', async (name, path, selector, largest) => {
    let elements = 0;
    let answer = 0;
    const ms = await best(async () => {
      const visited = await open(path(), selector);
      await settled(visited.page);
      elements = await elementsOf(visited.page);
      answer = await largestAnswer(visited.page);
      await visited.close();
      return visited.ms;
    }, firstPaint);
    tell(`largest answer: ${name}`, answer, 'MB', largest);
    expect(elements).toBeGreaterThan(100);
    expect(elements).toBeLessThan(mostElements);
    expect(answer).toBeGreaterThan(0);
    expect(answer).toBeLessThan(largest);
    tellTime(`first paint: ${name}`, ms, firstPaint);
  });

  test('a viewer that has just started paints the long list, and the long episode', async () => {
    for (const [name, path, selector] of [
      ['list of very many episodes', many, '.rows [role=row] a'],
      ['episode of very many events', longEpisode, '.flow .part'],
    ] as const) {
      const ms = await best(async () => {
        const fresh = await openShow(inject('chromium'), runs);
        const { page } = await visit(fresh.browser, 'about:blank', fresh.viewer.url);
        await watch(page, selector);
        const taken = await painted(page, fresh.viewer.url + path);
        await fresh.close();
        return taken;
      }, firstPaint);
      tellTime(`first paint by a viewer just started: ${name}`, ms, firstPaint);
    }
  });

  test('a task of 150 ms is noticed by what watches for long ones', async () => {
    const { page, close } = await open(many, '.rows [role=row] a');
    const busy = (): void => {
      const until = performance.now() + 150;
      while (performance.now() < until);
    };
    expect(await longest(page, () => page.evaluate(`setTimeout(${String(busy)})`))).toBeGreaterThanOrEqual(150);
    await close();
  });

  test('scrolling through any of them, no more is drawn than is in sight', async () => {
    for (const [name, path, selector, box] of [
      ['transcript', longEpisode, '.scrubber', '.flow'],
      ['tokens', `${longEpisode}?tab=tokens`, '.token', '.tokens'],
      ['table of episodes', many, '.rows [role=row] a', '.rows-box'],
    ] as const) {
      const { page, misdeeds, close } = await open(path, selector);
      await settled(page);
      const ms = await best(() => longest(page, () => scroll(page, box)), longestTask);
      tellTime(`longest task while scrolling: ${name}`, ms, longestTask);
      expect(await elementsOf(page)).toBeLessThan(mostElements);
      expect(misdeeds).toEqual([]);
      await shot(page, `speed ${path}`);
      await close();
    }
  });

  test('moving through the events, by key and by knob, no more is drawn than is in sight', async () => {
    const { page, close } = await open(`${longEpisode}?event=100`, '.scrubber');
    await settled(page);
    const move = async (): Promise<void> => {
      for (let i = 0; i < 40; i++) await page.keyboard.press('J');
      for (const share of [0.2, 0.8, 0.5, 0.95, 0.01]) {
        await page.locator('.track input').evaluate((input: HTMLInputElement, part) => {
          input.value = String(Math.round(part * Number(input.max)));
          input.dispatchEvent(new Event('input', { bubbles: true }));
        }, share);
        await page.waitForTimeout(150);
      }
    };
    const ms = await best(() => longest(page, move), longestTask);
    tellTime('longest task while moving through events by key and by knob', ms, longestTask);
    expect(await elementsOf(page)).toBeLessThan(mostElements);
    await close();
  });

  test('comparing the members of a large group with another of them, every row is compared', async () => {
    const { page, misdeeds, close } = await open(largeGroup, 'tr[data-row]');
    const told = page.locator('.group-tools').getByText('Compared with');
    const compare = async (): Promise<void> => {
      const before = await told.innerText();
      const picked = await page.locator('th[data-picked=true]').getAttribute('data-column');
      await page.keyboard.press('l');
      await page.locator(`th[data-picked=true]:not([data-column="${picked}"])`).waitFor();
      await page.keyboard.press('c');
      await expect.poll(() => told.innerText()).not.toBe(before);
      await page.waitForTimeout(1500);
    };
    await page.waitForTimeout(2000);
    const ms = await best(() => longest(page, compare), longestTask);
    tellTime('longest task while members of a large group are compared with another one', ms, longestTask);
    // Of the member that is compared with, no row shows differences; of the one before it, nearly all do.
    const at = await page.locator('th[data-picked=true]').getAttribute('data-column');
    const marks = (column: number): Promise<number> => page.locator(`tr[data-row] > td:nth-child(${column + 2}) :is(ins, del)`).count();
    await expect.poll(() => marks(Number(at)), { timeout: 15_000 }).toBe(0);
    expect(await marks(Number(at) - 1)).toBeGreaterThan(groupRounds);
    expect(misdeeds).toEqual([]);
    await close();
  });

  test('neither a page nor the viewer grows with looking', async () => {
    const { page, close } = await open(longEpisode, '.scrubber');
    await settled(page);
    const look = async (): Promise<void> => {
      await scroll(page, '.flow');
      for (let i = 0; i < 60; i++) await page.keyboard.press(i % 2 === 0 ? 'J' : 'j');
      await page.goto(show.viewer.url + many);
      await settled(page);
      await scroll(page, '.rows-box');
      await page.goBack();
      await settled(page);
    };
    await look();
    const before = await megabytesUsed(page);
    const elements = await elementsOf(page);
    await look();
    const after = await megabytesUsed(page);
    tell('memory of a page after much looking', after, 'MB', pageMemory);
    tell('elements of a page', elements, 'elements');
    expect(after).toBeLessThan(pageMemory);
    expect(after).toBeLessThan(before * 1.25 + 5);
    expect(elements).toBeLessThan(mostElements);
    await close();
    const memory = memoryOf(show.viewer.child);
    if (memory === null) return;
    tell('memory of the viewer’s process at most', memory.peak, 'MB', viewerMemory);
    expect(memory.peak).toBeLessThan(viewerMemory);
  });
});
