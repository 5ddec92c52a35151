/** SIGKILL at twenty moments drawn from a seed, then resume: the same weights, the same chain of commits, the same episodes, and no model call paid for twice. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../../src/config.ts';
import { stepId } from '../../../src/protocol/ids.ts';
import { type Stream, stream } from '../../../src/random.ts';
import { baseModel, taughtRun, trainedRun } from '../../support/recipes.ts';
import { journalBytes, type Moment, nameOf, paidTwice, type Remains, remainsOf, run, survive } from '../../support/runs.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-chaos-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(() => baseModel(join(root, 'model')));

interface Undisturbed {
  readonly remains: Remains;
  readonly bytes: number;
  readonly ms: number;
}

async function undisturbed(config: ConfigInput): Promise<Undisturbed> {
  const began = performance.now();
  const { code, err } = await run(config, root);
  expect([code, err]).toEqual([0, '']);
  const dir = join(root, 'runs', config.name as string);
  return { remains: remainsOf(dir), bytes: journalBytes(dir), ms: performance.now() - began };
}

/** One to three kills; a later one counts from the process that it kills. Moments may come after the end: then that process was quicker. */
function lifeOf(draws: Stream, steps: number, { bytes, ms }: Pick<Undisturbed, 'bytes' | 'ms'>): Moment[] {
  const step = (): string => stepId(1 + draws.int(steps));
  const within = (whole: number): number => draws.int(Math.ceil(0.9 * whole));
  const moments = {
    journal: (): Moment => ({ kind: 'journal', bytes: 1 + within(bytes) }),
    time: (): Moment => ({ kind: 'time', ms: 50 + within(ms) }),
    writing: (): Moment => ({ kind: 'writing', step: step() }),
    named: (): Moment => ({ kind: 'named', step: step() }),
  };
  return Array.from({ length: 1 + draws.int(3) }, () => moments[draws.pick(['journal', 'journal', 'time', 'writing', 'named'] as const)]());
}

const recipes: readonly { readonly of: string; readonly lives: number; readonly config: (root: string) => ConfigInput }[] = [
  {
    of: 'a transformer that learns from a script',
    lives: 14,
    config: (dir) => ({ ...taughtRun(dir), steps: 4, eval: { tasks: 4, every: 2 }, record: { segmentBytes: 40_000 } }),
  },
  { of: 'a transformer that samples and learns', lives: 6, config: (dir) => ({ ...trainedRun(dir), steps: 3 }) },
];

describe.each(recipes)('$of', ({ of, lives, config }) => {
  let whole: Undisturbed;
  beforeAll(async () => {
    whole = await undisturbed({ ...config(root), name: `whole-${lives}` });
  }, 600_000);

  let kills = 0;
  test.each(Array.from({ length: lives }, (_, life) => ({ life: life + 1 })))(
    'life $life ends as the undisturbed run',
    async ({ life }) => {
      const { steps = 0 } = config(root);
      const moments = lifeOf(stream(1000 * lives + life), steps, whole);
      const name = `killed-${lives}-${life}`;
      const here = await survive({ ...config(root), name }, root, moments);
      kills += here;
      console.log(`${of}: ${nameOf(moments)}; ${here} kills`);
      expect(remainsOf(join(root, 'runs', name))).toEqual(whole.remains);
      expect(paidTwice(join(root, 'runs', name))).toEqual([]);
    },
  );

  test('it was killed at least as often as it lived', () => expect(kills).toBeGreaterThanOrEqual(lives));
});
