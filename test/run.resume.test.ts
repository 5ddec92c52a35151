/** A run that is killed and taken up again ends as if nothing had happened. Three moments here; twenty in the chaos stage. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { baseModel, taughtRun } from './support/recipes.ts';
import { type Moment, nameOf, paidTwice, type Remains, remainsOf, run, survive } from './support/runs.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-resume-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let undisturbed: Remains;
beforeAll(async () => {
  baseModel(join(root, 'model'));
  expect((await run({ ...taughtRun(root), name: 'undisturbed' }, root)).code).toBe(0);
  undisturbed = remainsOf(join(root, 'runs', 'undisturbed'));
});

const lives: readonly (readonly Moment[])[] = [
  [{ kind: 'journal', bytes: 200_000 }],
  [{ kind: 'writing', step: 's00001' }],
  [
    { kind: 'journal', bytes: 30_000 },
    { kind: 'named', step: 's00002' },
  ],
];

test.each(lives.map((moments) => ({ moments, when: nameOf(moments) })))(
  'killed at $when it ends as the undisturbed run',
  async ({ moments }) => {
    const name = `killed-${lives.indexOf(moments)}`;
    const kills = await survive({ ...taughtRun(root), name }, root, moments);
    expect(kills).toBe(moments.length);
    expect(remainsOf(join(root, 'runs', name))).toEqual(undisturbed);
    expect(paidTwice(join(root, 'runs', name))).toEqual([]);
  },
);
