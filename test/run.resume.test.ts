/** A run that is killed and taken up again ends as if nothing had happened. Three moments here; twenty in the chaos stage. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { baseModel, taughtRun } from './support/recipes.ts';
import { journalBytes, type Moment, paidTwice, type Remains, remainsOf, run, survive } from './support/runs.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-resume-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let undisturbed: Remains;
let bytes = 0;
beforeAll(async () => {
  baseModel(join(root, 'model'));
  expect((await run({ ...taughtRun(root), name: 'undisturbed' }, root)).code).toBe(0);
  undisturbed = remainsOf(join(root, 'runs', 'undisturbed'));
  bytes = journalBytes(join(root, 'runs', 'undisturbed'));
});

/** The last one is killed twice. */
const lives: Record<string, () => readonly Moment[]> = {
  'while it rolls its first step': () => [{ kind: 'journal', bytes: Math.round(0.3 * bytes) }],
  'while it writes a checkpoint': () => [{ kind: 'writing', step: 's00001' }],
  'before its first task, and with the last checkpoint in place': () => [
    { kind: 'journal', bytes: 1 },
    { kind: 'named', step: 's00002' },
  ],
};

test.each(Object.keys(lives))('killed %s it ends as the undisturbed run', async (when) => {
  const moments = lives[when]?.() ?? [];
  const name = `killed-${Object.keys(lives).indexOf(when)}`;
  expect(await survive({ ...taughtRun(root), name }, root, moments)).toBe(moments.length);
  expect(remainsOf(join(root, 'runs', name))).toEqual(undisturbed);
  expect(paidTwice(join(root, 'runs', name))).toEqual([]);
});
