/** A browser before a viewer: what every test of the browser stage begins with. Knows when a page has come to rest, not what is on it. */
import type { Browser, Page } from 'playwright-core';
import { launch, type Visit, visit, type VisitOptions } from './browser.ts';
import { startViewer, type ViewerProcess } from './browser-viewer.ts';

export interface Show {
  readonly browser: Browser;
  readonly viewer: ViewerProcess;
  /** A page of its own, at rest. */
  visit(path: string, options?: VisitOptions): Promise<Visit>;
  close(): Promise<void>;
}

/** `runs`: a folder of runs. */
export async function openShow(chromium: string, runs: string): Promise<Show> {
  const [browser, viewer] = await Promise.all([launch(chromium), startViewer(runs)]);
  return {
    browser,
    viewer,
    visit: async (path, options) => {
      const visited = await visit(browser, viewer.url + path, viewer.url, options);
      await settled(visited.page);
      return visited;
    },
    close: async () => {
      await Promise.all([browser.close(), viewer.close()]);
    },
  };
}

/** Asked from outside: the page's own policy forbids a waiting page to evaluate text. */
const atRest = "document.querySelector('main :is(h1, h2)') !== null && document.querySelector('.skeleton') === null";
const twoFrames = 'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))';
const restMs = 15_000;

/** A heading is there, and nothing is waited for. Rejects where that does not come about. */
export async function settled(page: Page): Promise<void> {
  const until = performance.now() + restMs;
  while ((await page.evaluate(atRest)) !== true) {
    if (performance.now() > until) throw new Error(`${page.url()} did not come to rest: ${await page.locator('body').innerText()}`);
    await page.waitForTimeout(20);
  }
  await page.evaluate(twoFrames);
}

/** The same, at another address. */
export async function goTo(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await settled(page);
}
