/** Ten lives of runs over the fake server and the scripted trainer: quick enough for many, and deterministic, so that each must end as the undisturbed run did. */
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../../src/config.ts';
import { stream } from '../../../src/random.ts';
import { type Blow, live, type Moment, textOf, whole } from '../../support/serving-lives.ts';
import { canSeeProcesses } from '../../support/serving-processes.ts';
import { audit, commitsOf, playedIn } from '../../support/serving-record.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-serving-'));
afterAll(() => process.env['KEEP'] ?? rmSync(root, { recursive: true, force: true }));

const steps = 4;
const patience = { runMs: 150_000, goneMs: 15_000 };
/** D is fixed, so that tasks are the same whenever they are drawn. Some two seconds a step, so that there is a middle to strike in. */
const config = (name: string, staleness: number): ConfigInput => ({
  name,
  seed: 1,
  steps,
  policy: { model: resolve('models/tiny-base') },
  engine: { kind: 'fake', scripted: { skill: 0.6 }, fake: { timeScale: 3 }, vllm: { healthMs: 500, answerMs: 1500 } },
  trainer: { kind: 'scripted', learningRate: 0.01, importance: staleness > 0 ? 'token' : 'none' },
  curriculum: { mode: 'fixed', start: 40 },
  rollout: { tasks: 4, group: 4, workers: 1, staleness, deadlines: { turnMs: 60_000 } },
  eval: { at: [] },
  record: { checkpoints: { keep: 2 + staleness } },
});

const lives: readonly { readonly staleness: number; readonly blows: readonly Blow[]; readonly phase: Moment['phase'] }[] = [
  { staleness: 0, blows: ['kill server'], phase: 'rolling' },
  { staleness: 0, blows: ['kill server'], phase: 'publishing' },
  { staleness: 0, blows: ['hang server'], phase: 'rolling' },
  { staleness: 0, blows: ['hang server'], phase: 'publishing' },
  { staleness: 0, blows: ['kill run'], phase: 'updating' },
  { staleness: 0, blows: ['hang server', 'kill run'], phase: 'rolling' },
  { staleness: 0, blows: ['interrupt run'], phase: 'rolling' },
  { staleness: 1, blows: ['kill server'], phase: 'updating' },
  { staleness: 1, blows: ['hang server'], phase: 'rolling' },
  { staleness: 1, blows: ['kill server', 'kill run'], phase: 'rolling' },
];
/** Milliseconds into the phase, at most: somewhat longer than it takes. */
const longest = { rolling: 1500, updating: 60, publishing: 40 };

describe.skipIf(!canSeeProcesses)('over the fake server', () => {
  beforeAll(async () => {
    for (const staleness of [0, 1])
      expect(await whole(config(`lag-${staleness}`, staleness), root, patience)).toMatchObject({ code: 0, err: '' });
    for (const staleness of [0, 1]) renameSync(join(root, 'runs', `lag-${staleness}`), join(root, `whole-${staleness}`));
  });

  test.each(lives.map((life, n) => ({ ...life, n: n + 1 })))(
    'life $n ($blows while $phase, lag $staleness)',
    async ({ n, staleness, blows, phase }) => {
      const draws = stream(7000 + n);
      const moment: Moment = { phase, step: 1 + draws.int(steps - 1), ms: draws.int(longest[phase]) };
      const { ends, heldMs, struck } = await live(config(`lag-${staleness}`, staleness), root, blows, moment, patience);
      const dir = join(root, `life-${n}`);
      renameSync(join(root, 'runs', `lag-${staleness}`), dir);
      console.log(
        `${textOf(blows, moment)}; ${ends.map(({ code, signal }) => signal ?? code).join(', then ')} after ${(heldMs / 1000).toFixed(1)} s`,
      );
      expect(struck).toBe(true);
      // A server is started again and the run goes on by itself; a run of which nothing is left is taken up again.
      const expected = blows.includes('kill run') ? [null, 0] : blows.includes('interrupt run') ? [130, 0] : [0];
      expect(
        ends.map(({ code }) => code),
        ends.map(({ err }) => err).join('\n'),
      ).toEqual(expected);
      const before = join(root, `whole-${staleness}`);
      expect(audit(dir)).toEqual(audit(before));
      expect(playedIn(dir)).toEqual(playedIn(before));
      // With steps rolled ahead versions depend on time, and the record of the lag with them.
      if (staleness === 0) expect(commitsOf(dir)).toEqual(commitsOf(before));
    },
  );

  test.each([0, 1])('the undisturbed run with lag %i is sound', (staleness) => {
    const updates = { committed: steps, remembered: steps, applied: steps };
    expect(audit(join(root, `whole-${staleness}`))).toEqual({
      steps: ['s00001', 's00002', 's00003', 's00004'],
      sealedTwice: [],
      astray: [],
      unchained: [],
      jumps: [],
      updates,
      unearned: [],
      paidTwice: [],
      isPublished: true,
      lost: 0,
    });
  });
});
