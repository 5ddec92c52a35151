/**
 * What the browser stage needs before its first test: a Chromium, and a folder of recorded runs. Without the first, the reason is provided instead and the tests skip with it.
 * TROUPE_BROWSER_RUNS names a folder in which the runs are kept, and used again.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findChromium } from './browser.ts';
import { recordHostileRuns } from './browser-hostile.ts';
import { recordLargeGroup, recordLongEpisode, recordManyEpisodes } from './browser-long.ts';
import { recordRuns } from './browser-runs.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Empty where there is none: then `browserAbsent` says what is missing. */
    chromium: string;
    browserAbsent: string;
    /** Folders with a `runs` in each. */
    recorded: { readonly small: string; readonly long: string; readonly hostile: string };
  }
}

export const longEvents = 100_000;
export const manyEpisodes = 50_000;
/** Of each of the many members of one group. */
export const groupRounds = 100;

export default async function setup({ provide }: TestProject): Promise<(() => void) | undefined> {
  const kept = process.env['TROUPE_BROWSER_RUNS'] ?? '';
  const root = kept === '' ? mkdtempSync(join(tmpdir(), 'troupe-browser-')) : resolve(kept);
  const recorded = { small: join(root, 'small'), long: join(root, 'long'), hostile: join(root, 'hostile') };
  const chromium = findChromium(process.env) ?? '';
  const absent = chromium === '' ? 'no browser: TROUPE_CHROMIUM is not set and no Chromium is on the PATH (apt-get install chromium)' : '';
  provide('chromium', chromium);
  provide('browserAbsent', absent);
  provide('recorded', recorded);
  if (absent !== '') {
    process.stderr.write(`SKIPPED: ${absent}\n`);
    return undefined;
  }
  const once = async (dir: string, make: (dir: string) => Promise<unknown>): Promise<void> => {
    if (existsSync(dir)) return;
    const making = `${dir}.making`;
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making, { recursive: true });
    await make(making);
    renameSync(making, dir);
  };
  await once(recorded.small, recordRuns);
  await once(recorded.hostile, recordHostileRuns);
  await once(recorded.long, async (dir) => {
    await recordLongEpisode({ root: recorded.small, run: 'smoke' }, dir, 'long-episode', longEvents);
    await recordManyEpisodes({ root: recorded.small, run: 'smoke' }, dir, 'many-episodes', manyEpisodes);
    await recordLargeGroup({ root: recorded.small, run: 'smoke' }, dir, 'large-group', 16, groupRounds);
  });
  return kept === '' ? () => rmSync(root, { recursive: true, force: true }) : undefined;
}
