/** A run whose every text would like to be markup is text on every page: the same elements as of its twin in plain letters, no dialog, no request, nothing run; and the page stays usable. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { shot } from '../../support/browser.ts';
import { hostileRun, payloads, tameRun } from '../../support/browser-hostile.ts';
import { openShow, settled, type Show } from '../../support/browser-show.ts';

const absent = inject('browserAbsent');
const group = 's00001.t000';

/** Address below the run's, and what is pressed there. */
const views: readonly (readonly [path: string, press: string])[] = [
  ['', ''],
  ['', 'j'],
  ['', 'Control+k'],
  ['?tab=episodes', ''],
  ['?tab=simulators', ''],
  ['?tab=actors', ''],
  ['?tab=config', ''],
  [`/groups/${group}`, ''],
  [`/groups/${group}?diff=off`, ''],
  ...[0, 1, 2, 3].map((member) => [`/episodes/${group}.e0${member}`, ''] as const),
  [`/episodes/${group}.e00?turn=3`, ''],
  [`/episodes/${group}.e00?event=20`, 'J'],
  ...['tokens', 'prompts', 'task', 'raw'].map((tab) => [`/episodes/${group}.e01?turn=2&tab=${tab}`, ''] as const),
];

/** Every element as its name with the names of its attributes, and how often. */
type Elements = Readonly<Record<string, number>>;

const elementsOf = (page: Page): Promise<Elements> =>
  page.evaluate(() => {
    const counts: Record<string, number> = {};
    for (const element of document.querySelectorAll('*')) {
      const kind = `${element.localName} ${element.getAttributeNames().toSorted().join(' ')}`;
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    return counts;
  });

/** What the payloads would make. A page has as many of these as its twin, whatever it says. */
const wanted = /^(?:script|style|iframe|img|link|base|meta|form|textarea|object|embed|template) /;
const ofWanted = (elements: Elements): Elements => Object.fromEntries(Object.entries(elements).filter(([kind]) => wanted.test(kind)));

/** Which sentences are in sight, and which words the judge quoted, differs with the letters: the rest is compared by kind. */
const strangers = (elements: Elements, known: readonly Elements[]): string[] =>
  Object.keys(elements).filter((kind) => known.every((other) => !(kind in other)));

/** The one that would lead the page away leaves nothing to look at. */
const isMarkup = (text: string): boolean => /<\w/.test(text) && !text.includes('http-equiv');

/** Links that do anything but lead to a page of the viewer. */
const strangeLinks = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll('[href], [src], [action], [srcdoc], [style*="url"]')]
      .map((element) => element.getAttribute('href') ?? element.getAttribute('src') ?? element.outerHTML)
      .filter((link) => !/^(?:[/?#]|data:image\/svg)/.test(link) && !link.startsWith(`${location.origin}/`)),
  );

const wasRun = (page: Page): Promise<boolean> => page.evaluate(() => 'pwned' in window);

describe.skipIf(absent !== '')('a hostile run', () => {
  let show: Show;
  beforeAll(async () => {
    show = await openShow(inject('chromium'), join(inject('recorded').hostile, 'runs'));
  });
  afterAll(() => show.close());

  interface Seen {
    readonly elements: Elements;
    readonly misdeeds: readonly string[];
    readonly links: readonly string[];
    readonly isRun: boolean;
    /** Elements that hold nothing but the words of a payload's link or button. */
    readonly going: number;
  }
  const folds = 30;
  /** So tall that little is left out for being out of sight, and unfolded. */
  const look = async (run: string, path: string, press: string): Promise<Seen> => {
    const { page, misdeeds, close } = await show.visit(`/runs/${encodeURIComponent(run)}${path}`, { height: 3000 });
    if (press !== '') await page.keyboard.press(press);
    await page.evaluate((most) => {
      const closed = [...document.querySelectorAll<HTMLElement>('main [aria-expanded=false]:not([role=combobox])')];
      for (const fold of closed.slice(0, most)) fold.click();
    }, folds);
    await settled(page);
    // Last: on a busy machine the chart and its words come late.
    for (const details of await page.locator('details').all()) await details.evaluate((one: HTMLDetailsElement) => (one.open = true));
    await settled(page);
    const going = await page.evaluate(() => [...document.querySelectorAll('*')].filter(({ textContent }) => textContent === 'go').length);
    const seen = {
      elements: await elementsOf(page),
      misdeeds: [...misdeeds],
      links: await strangeLinks(page),
      isRun: await wasRun(page),
      going,
    };
    if (run === hostileRun) await shot(page, `hostile ${path} ${press}`);
    await close();
    return seen;
  };
  /** Of every view of the twin so far. */
  const known: Elements[] = [];

  test.each(views)('at %s %s makes the elements of its twin and no other', async (path, press) => {
    const tame = await look(tameRun, path, press);
    const hostile = await look(hostileRun, path, press);
    known.push(tame.elements);
    expect(Object.keys(tame.elements).length).toBeGreaterThan(20);
    expect(hostile).toMatchObject({ misdeeds: [], isRun: false, links: [], going: 0 });
    expect(ofWanted(hostile.elements)).toEqual(ofWanted(tame.elements));
    expect(strangers(hostile.elements, known)).toEqual([]);
    if (!path.startsWith('/episodes')) expect(hostile.elements).toEqual(tame.elements);
  });

  test('what a payload would make is noticed, whichever it is', async () => {
    const { page, close } = await show.visit(`/runs/${encodeURIComponent(tameRun)}`);
    const clean = await elementsOf(page);
    for (const payload of payloads.filter(isMarkup)) {
      const dirty = await page
        .evaluate((html) => {
          const place = document.createElement('div');
          place.className = 'page';
          document.querySelector('main')?.append(place);
          place.innerHTML = html;
        }, payload)
        .then(() => elementsOf(page));
      const isWanted = JSON.stringify(ofWanted(dirty)) !== JSON.stringify(ofWanted(clean));
      expect(isWanted || strangers(dirty, [clean]).length > 0 || (await strangeLinks(page)).length > 0, payload).toBe(true);
      await page.evaluate(() => document.querySelector('main > :last-child')?.remove());
    }
    await close();
  });

  test('a text of five megabytes leaves its episode usable', async () => {
    const { page, misdeeds, close } = await show.visit(`/runs/${encodeURIComponent(hostileRun)}/episodes/${group}.e00`);
    const began = performance.now();
    await page.keyboard.press('G');
    await page.keyboard.press('k');
    await page.keyboard.press('k');
    await expect.poll(() => page.locator('.part[aria-current=true]').innerText()).toContain('large');
    expect(await page.evaluate(() => document.body.innerText.length)).toBeLessThan(1_000_000);
    expect(performance.now() - began).toBeLessThan(5000);
    await shot(page, 'hostile large');
    expect(misdeeds).toEqual([]);
    await close();
  });

  test('text that runs the other way turns nothing around it', async () => {
    const { page, close } = await show.visit(`/runs/${encodeURIComponent(hostileRun)}?tab=episodes`);
    const [head] = await page.locator('.rows-head [role=columnheader]').allInnerTexts();
    expect(head).toBe('Reward');
    const rows = page.locator('.rows [role=row]').first();
    const order = await rows.locator('[role=cell]').evaluateAll((cells) => cells.map((cell) => cell.getBoundingClientRect().left));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    await close();
  });
});
