import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../src/actors/clock.ts';
import { CancelledFault } from '../src/errors.ts';
import type { ModelShape } from '../src/gpu/engines/embedded/shape.ts';
import { imitate, type ImitationOptions, type ImitationPorts } from '../src/gpu/imitation.ts';
import { drillOf, lessonOf } from '../src/gpu/lesson.ts';
import type { Renderer } from '../src/gpu/tokens/renderer.ts';
import { vocabularyOf } from '../src/gpu/tokens/vocabulary.ts';
import { createEmbeddedTrainer } from '../src/gpu/trainers/embedded.ts';
import { writeModel } from '../src/gpu/weights.ts';
import { cutPool, type ImitationRule, planLesson, rateAt } from '../src/learning/imitation.ts';
import type { PolicyVersion } from '../src/protocol/ids.ts';
import type { Task } from '../src/protocol/task.ts';
import { seedOf, stream } from '../src/random.ts';
import { randomTensors } from './support/tiny-model.ts';

const rule: ImitationRule = {
  steps: 100,
  batchTokens: 200,
  warmup: 10,
  decay: 0.5,
  difficulty: { from: 5, to: 50, over: 0.5 },
  mix: { episodes: 1, chains: 0.4, requests: 0.3, lookups: 0.4, fade: 0.5 },
};

describe('the schedule of imitation', () => {
  it('warms up, holds, and falls to a fiftieth', () => {
    expect([rateAt(rule, 0), rateAt(rule, 9), rateAt(rule, 50), rateAt(rule, 75)]).toEqual([0.1, 1, 1, 0.5]);
    expect(rateAt(rule, 99)).toBeCloseTo(0.02, 10);
  });

  it('raises difficulty and lets look-up text fade out', () => {
    const plans = (step: number) => Array.from({ length: 5000 }, (_, n) => planLesson(rule, 1, n, step));
    const [early, late] = [plans(0), plans(60)];
    const share = (list: typeof early, kind: string): number => list.filter((plan) => plan.kind === kind).length / list.length;
    expect(share(early, 'lookup')).toBeGreaterThan(0.18);
    expect(share(late, 'lookup')).toBe(0);
    expect(share(late, 'requests')).toBeGreaterThan(0.03);
    expect(Math.max(...early.map((plan) => plan.difficulty))).toBeLessThanOrEqual(5);
    expect(Math.max(...late.map((plan) => plan.difficulty))).toBeGreaterThan(45);
    const episodes = early.filter((plan) => plan.kind === 'episode');
    expect(episodes.filter((plan) => plan.chain).length / episodes.length).toBeCloseTo(0.4, 1);
  });

  it('puts every lesson of a pool into exactly one batch, none above its tokens but a lesson that is so alone', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 80 }), fc.nat(), (lengths, seed) => {
        const batches = cutPool(rule, lengths, (length) => length, seed, 0);
        expect(batches.flat().sort((a, b) => a - b)).toEqual([...lengths].sort((a, b) => a - b));
        for (const batch of batches) if (batch.length > 1) expect(batch.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(rule.batchTokens);
      }),
    );
  });
});

describe('a lesson', () => {
  // A renderer of fixed ids: the trace's rules are under test, not words.
  const renderer: Renderer = {
    name: 'fixed',
    stop: [9],
    appends: true,
    open: () => Int32Array.of(1, 2, 3),
    reopen: () => Int32Array.of(1, 2, 3),
    extend: (turns) => Int32Array.of(4, ...turns.map(() => 5), 3),
    parse: () => ({ role: 'agent', thought: '', text: '', calls: [] }),
    write: (turn) => Int32Array.of(...turn.text.split(' ').map(Number), 9),
    text: String,
  };
  const agent = (text: string) => ({ role: 'agent' as const, thought: '', text, calls: [] });
  const user = { role: 'user' as const, text: 'go on' };

  it('trains the agent’s tokens with their stop, and nothing it read', () => {
    const lesson = lessonOf({} as Task, [agent('6'), user, agent('7 8'), user], renderer);
    expect([...lesson.ids]).toEqual([1, 2, 3, 6, 9, 4, 5, 3, 7, 8, 9]);
    expect([...lesson.sampled]).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1]);
  });

  it('trains the marked tokens of a drill', () => {
    expect([...drillOf(Int32Array.of(1, 2, 3, 4), [0, 1, 0, 1]).sampled]).toEqual([0, 1, 0, 1]);
  });

  it('is refused when nothing in it would be trained', () => {
    expect(() => drillOf(Int32Array.of(1, 2), [0, 0])).toThrow(RangeError);
    expect(() => lessonOf({} as Task, [user], renderer)).toThrow(RangeError);
  });
});

describe('imitation', () => {
  const shape: ModelShape = {
    vocab: 64,
    hidden: 16,
    layers: 1,
    heads: 2,
    kvHeads: 1,
    headDim: 8,
    intermediate: 32,
    ropeTheta: 1e4,
    eps: 1e-6,
    tied: true,
    maxPositions: 64,
  };
  let folder: string;
  let model: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-imitation-'));
    model = join(folder, 'model');
    writeModel(model, 0 as PolicyVersion, { shape, vocabulary: vocabularyOf(['amber']), tensors: randomTensors(shape, 3), frozen: [] });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const options = (checkpoints: string): ImitationOptions => ({
    ...rule,
    steps: 30,
    seed: 4,
    learningRate: 0.02,
    adamLearningRate: 0.01,
    gradClip: 1,
    saveEvery: 10,
    examineEvery: 0,
    examination: { levels: [5], lessons: 20 },
    checkpoints: join(folder, checkpoints),
  });
  /** After a token t the teacher says t + 1: learnable within steps. */
  const count = (seed: number) => {
    const from = stream(seed).int(30);
    return drillOf(
      Int32Array.from({ length: 8 }, (_, i) => from + i),
      [0, 1, 1, 1, 1, 1, 1, 1],
    );
  };
  const ports = (signal = new AbortController().signal): ImitationPorts => ({
    trainer: createEmbeddedTrainer({ model, threads: 1, deterministic: true, clock: systemClock, deadlineMs: 20_000 }),
    lesson: (plan) => count(plan.seed),
    examinationLesson: (difficulty, n) => count(seedOf(difficulty, n)),
    clock: systemClock,
    signal,
  });

  it('learns what the teacher shows, and goes on after an interruption as if there had been none', async () => {
    const straight = ports();
    const losses: number[] = [];
    const whole = await imitate(options('whole'), straight, ({ loss }) => losses.push(loss));
    await straight.trainer.close();
    expect(losses.at(-1)).toBeLessThan(0.6 * (losses[0] as number));
    expect(whole.firstLosses).toEqual(losses);
    expect(whole.examination[0]?.lessons).toBe(20);

    const abort = new AbortController();
    const first = ports(abort.signal);
    const stopped = imitate(options('halves'), first, ({ step }) => {
      if (step === 13) abort.abort();
    });
    await expect(stopped).rejects.toBeInstanceOf(CancelledFault);
    await first.trainer.close();
    const second = ports();
    const rest = await imitate(options('halves'), second, () => undefined);
    await second.trainer.close();
    expect(rest).toEqual({ ...whole, weights: { ...whole.weights, dir: rest.weights.dir } });
  });

  it('gives the same first losses for the same seed, and others for another', async () => {
    const run = async (seed: number, name: string) => {
      const own = ports();
      const { firstLosses } = await imitate({ ...options(name), steps: 5, seed }, own, () => undefined);
      await own.trainer.close();
      return firstLosses;
    };
    const first = await run(4, 'a');
    expect(await run(4, 'b')).toEqual(first);
    expect(await run(5, 'c')).not.toEqual(first);
  });
});
