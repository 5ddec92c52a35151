/** A real Chromium for tests: found on this machine, started once a file, and pages that note whatever a page of ours must never do. Knows no page's content. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { onTestFailed } from 'vitest';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** The path in TROUPE_CHROMIUM, else the first known name on the PATH; null where there is none. Throws where TROUPE_CHROMIUM names what is not there. */
export function findChromium(env: NodeJS.ProcessEnv): string | null {
  const given = env['TROUPE_CHROMIUM'] ?? '';
  if (given !== '') {
    if (!isProgram(given)) throw new Error(`TROUPE_CHROMIUM is ${given}, which is no program`);
    return given;
  }
  const folders = (env['PATH'] ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram) ?? null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Memory as it is, not rounded, and a collector that can be called: for the figures. */
export const launch = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    // In a container there is no other sandbox to be had, and /dev/shm is small.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--enable-precise-memory-info', '--js-flags=--expose-gc'],
  });

export type Theme = 'light' | 'dark';

export interface VisitOptions {
  readonly theme?: Theme;
  readonly width?: number;
  readonly height?: number;
}

export interface Visit {
  readonly page: Page;
  /** Dialogs, windows, requests to anywhere but the viewer, uncaught errors, errors on the console, refusals of the content policy: in words, in their order. */
  readonly misdeeds: readonly string[];
  close(): Promise<void>;
}

/** A fresh profile with one page, at an address of the viewer at `home`. A test that fails leaves a picture of it. */
export async function visit(
  browser: Browser,
  address: string,
  home: string,
  { theme = 'light', width = 1440, height = 900 }: VisitOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ colorScheme: theme, viewport: { width, height }, reducedMotion: 'no-preference' });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: home });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const misdeeds: string[] = [];
  page.on('dialog', (dialog) => {
    misdeeds.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => misdeeds.push(`an uncaught error: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') misdeeds.push(`on the console: ${message.text()} (${message.location().url})`);
  });
  page.on('popup', (popup) => misdeeds.push(`a window: ${popup.url()}`));
  context.on('request', (request) => {
    const asked = new URL(request.url());
    if (asked.origin !== home && !['data:', 'blob:'].includes(asked.protocol)) misdeeds.push(`a request to ${request.url()}`);
  });
  await page.goto(address);
  onTestFailed(async ({ task }) => {
    await shot(page, `failed ${task.name}`).catch(() => undefined);
  });
  return { page, misdeeds, close: () => context.close() };
}

/** Kept in the folder that TROUPE_SCREENSHOTS names, and nowhere without it. */
export async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env['TROUPE_SCREENSHOTS'] ?? '';
  if (folder === '') return;
  mkdirSync(resolve(folder), { recursive: true });
  await page.screenshot({ path: join(resolve(folder), `${name.replaceAll(/[^\w.-]+/g, '-').slice(0, 100)}.png`), timeout: 20_000 });
}
