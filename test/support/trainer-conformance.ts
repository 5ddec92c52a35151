/** What every Trainer must do, whatever stands behind it. `describeTrainer` runs it; an implementation brings batches its model understands. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TrainerFault, TroupeFault } from '../../src/errors.ts';
import type { OptimStep, Trainer } from '../../src/gpu/trainer.ts';
import { type TokenBatch, type TokenSample, sampledTokens } from '../../src/learning/batch.ts';
import { type Objective, imitation } from '../../src/learning/objective.ts';
import type { GroupId, PolicyVersion } from '../../src/protocol/ids.ts';
import type { Weights } from '../../src/protocol/policy.ts';

export interface TrainerSubject {
  readonly trainer: Trainer;
  /** Tokens the model knows are 0 .. vocabulary − 1. */
  readonly vocabulary: number;
  /** How far two ways to add up the same sum may differ, relative. 0 = bit for bit. */
  readonly tolerance: number;
  /** What it writes for a sampler. Default: a whole model. */
  readonly writes?: { readonly kind: Weights['kind']; readonly file: string };
  /** Of the steps it takes here: what changes this model visibly and does not break it. Default 0.05. */
  readonly learningRate?: number;
  /** What follows a test instead of `close`, where a trainer is expensive to start and is handed out again. */
  release?(): Promise<void>;
}

const grpo: Objective = { kind: 'grpo', clipLow: 0.2, clipHigh: 0.2, kl: 0 };
export const adamw: OptimStep = { kind: 'adamw', learningRate: 0.05, weightDecay: 0, clip: 1 };

/** A sample of `prompt` tokens read and `reply` tokens sampled; behaviour log-probs 0 until `onPolicy` fills them in. */
export function sample(group: string, prompt: readonly number[], reply: readonly number[], advantage: number): TokenSample {
  const ids = Int32Array.from([...prompt, ...reply]);
  return {
    group: group as GroupId,
    ids,
    sampled: Uint8Array.from(ids, (_, i) => (i < prompt.length ? 0 : 1)),
    logprobs: new Float32Array(ids.length),
    advantage,
  };
}

export const batchOf = (...samples: TokenSample[]): TokenBatch => ({ samples, denominator: Math.max(1, sampledTokens(samples)) });

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** The batch with the trainer's present log-probs as behaviour: every ratio is 1. */
async function onPolicy(trainer: Trainer, batch: TokenBatch): Promise<TokenBatch> {
  const logprobs = await trainer.logprobs(batch);
  let at = 0;
  return {
    ...batch,
    samples: batch.samples.map((one) => ({
      ...one,
      logprobs: one.logprobs.map((_, i) => (one.sampled[i] === 1 ? (logprobs[at++] as number) : 0)),
    })),
  };
}

export function describeTrainer(name: string, make: () => Promise<TrainerSubject> | TrainerSubject): void {
  describe(`trainer ${name}`, () => {
    let subject: TrainerSubject;
    let trainer: Trainer;
    let folder: string;

    beforeEach(async () => {
      subject = await make();
      trainer = subject.trainer;
      folder = mkdtempSync(join(tmpdir(), 'troupe-trainer-'));
    });
    afterEach(async () => {
      await (subject.release?.() ?? trainer.close());
      rmSync(folder, { recursive: true, force: true });
    });

    const step = (): OptimStep => ({ ...adamw, learningRate: subject.learningRate ?? adamw.learningRate });
    const close = (actual: ArrayLike<number>, wanted: ArrayLike<number>): void => {
      expect(actual.length).toBe(wanted.length);
      for (let i = 0; i < actual.length; i++)
        expect(Math.abs((actual[i] as number) - (wanted[i] as number))).toBeLessThanOrEqual(
          subject.tolerance * Math.max(1, Math.abs(wanted[i] as number)),
        );
    };
    const group = (): TokenBatch =>
      batchOf(sample('g0', [1, 2, 3], [4, 5, 2], 1), sample('g0', [1, 2, 3], [6, 5], -1), sample('g1', [3, 2], [1], 0.5));
    const learn = async (batch: TokenBatch, objective = grpo): Promise<void> => {
      await trainer.forwardBackward(await onPolicy(trainer, batch), objective);
      await trainer.optimStep(step());
    };

    it('gives one log-prob ≤ 0 for each sampled token, samples in batch order', async () => {
      const batch = group();
      const logprobs = await trainer.logprobs(batch);
      expect(logprobs).toHaveLength(6);
      expect([...logprobs].every((logprob) => Number.isFinite(logprob) && logprob <= 0)).toBe(true);
      const reversed = await trainer.logprobs({ ...batch, samples: [...batch.samples].reverse() });
      close([...logprobs.subarray(5), ...logprobs.subarray(3, 5), ...logprobs.subarray(0, 3)], reversed);
    });

    it('raises what had a positive advantage and lowers what had a negative one', async () => {
      // Each alone: together, one may move both the same way and still be the better policy.
      await trainer.saveState(join(folder, 'start'));
      for (const advantage of [1, -1]) {
        await trainer.loadState(join(folder, 'start'));
        const batch = batchOf(sample('g', [1, 2], [4], advantage));
        const [before] = await trainer.logprobs(batch);
        await learn(batch);
        const [after] = await trainer.logprobs(batch);
        expect(Math.sign((after as number) - (before as number))).toBe(advantage);
      }
    });

    it('learns to repeat a teacher', async () => {
      const batch = batchOf(sample('g', [1, 2], [4, 5], 0));
      const [first] = [await trainer.forwardBackward(batch, imitation)];
      await trainer.optimStep(step());
      for (let i = 0; i < 15; i++) {
        await trainer.forwardBackward(batch, imitation);
        await trainer.optimStep(step());
      }
      const last = await trainer.forwardBackward(batch, imitation);
      expect(last.metrics['loss']).toBeLessThan(0.5 * (first.metrics['loss'] as number));
    });

    it('accumulates micro-batches to the gradient of the whole, then clears it', async () => {
      const batch = await onPolicy(trainer, group());
      await trainer.saveState(join(folder, 'start'));
      await trainer.forwardBackward(batch, grpo);
      const whole = await trainer.optimStep({ ...step(), clip: 0 });
      const after = await trainer.logprobs(batch);
      await trainer.loadState(join(folder, 'start'));
      for (const one of batch.samples) await trainer.forwardBackward({ ...batch, samples: [one] }, grpo);
      const parts = await trainer.optimStep({ ...step(), clip: 0 });
      close([parts.gradNorm], [whole.gradNorm]);
      // AdamW divides by the gradient's own size, so rounding of a gradient near 0 can show: compared a hundred times more loosely.
      const again = await trainer.logprobs(batch);
      for (let i = 0; i < after.length; i++)
        expect(Math.abs((again[i] as number) - (after[i] as number))).toBeLessThanOrEqual(100 * subject.tolerance + 1e-12);
      expect((await trainer.optimStep(step())).gradNorm).toBe(0);
    });

    it('adds nothing for an empty batch', async () => {
      const { metrics, logprobs, entropy } = await trainer.forwardBackward({ samples: [], denominator: 1 }, grpo);
      expect([metrics['tokens'], logprobs.length, entropy.length]).toEqual([0, 0, 0]);
      expect((await trainer.optimStep(step())).gradNorm).toBe(0);
    });

    it('says what sampler and trainer disagree by, and 0 on policy', async () => {
      const batch = await onPolicy(trainer, group());
      expect((await trainer.forwardBackward(batch, grpo)).metrics['gap']).toBeLessThan(1e-5);
      const off = { ...batch, samples: batch.samples.map((one) => ({ ...one, logprobs: one.logprobs.map((logprob) => logprob - 0.1) })) };
      const { metrics } = await trainer.forwardBackward(off, grpo);
      expect(metrics['gap']).toBeCloseTo(0.1, 4);
      expect(metrics['ratioMean']).toBeCloseTo(Math.exp(0.1), 4);
    });

    it('says of each token what it scores it with, and what its gap and entropy are the means of', async () => {
      await learn(group());
      const batch = group();
      const wanted = await trainer.logprobs(batch);
      const { metrics, logprobs, entropy } = await trainer.forwardBackward(batch, grpo);
      close(logprobs, wanted);
      expect(entropy).toHaveLength(wanted.length);
      const mean = (values: Float32Array): number => values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length;
      // The sampler's log-probs are all 0 here.
      expect(metrics['gap']).toBeCloseTo(mean(logprobs), 5);
      expect(metrics['entropy']).toBeCloseTo(mean(entropy), 5);
      await trainer.optimStep(step());
      expect((await trainer.forwardBackward(batch, grpo)).logprobs).not.toEqual(logprobs);
    });

    it('says of each token the entropy of the distribution it comes from', async () => {
      await learn(group());
      const { entropy } = await trainer.forwardBackward(group(), grpo);
      // Of the batch's first, fourth and last tokens: every token that could have stood there, scored.
      for (const [place, prompt] of [
        [0, [1, 2, 3]],
        [3, [1, 2, 3]],
        [5, [3, 2]],
      ] as const) {
        const each = Array.from({ length: subject.vocabulary }, (_, id) => sample('g', prompt, [id], 1));
        const all = await trainer.logprobs(batchOf(...each));
        expect(entropy[place]).toBeCloseTo(-all.reduce((sum, logprob) => sum + Math.exp(logprob) * logprob, 0), 4);
      }
    });

    it('measures the KL against the weights it began with, also after it has moved and was loaded', async () => {
      const kl = async (): Promise<number> =>
        (await trainer.forwardBackward(await onPolicy(trainer, group()), { ...grpo, kl: 0.1 })).metrics['kl'] as number;
      expect(await kl()).toBeCloseTo(0, 7);
      await trainer.optimStep(step());
      await learn(group());
      const moved = await kl();
      expect(moved).toBeGreaterThan(1e-6);
      await trainer.saveState(join(folder, 'moved'));
      await trainer.loadState(join(folder, 'moved'));
      expect(await kl()).toBe(moved);
    });

    it('goes on bit for bit from a saved state', async () => {
      await learn(group());
      await trainer.saveState(join(folder, 'state'));
      await learn(group());
      await learn(group());
      const straight = await trainer.logprobs(group());
      await trainer.loadState(join(folder, 'state'));
      await learn(group());
      await learn(group());
      expect(await trainer.logprobs(group())).toEqual(straight);
    });

    it('writes weights under their version, equal bytes for equal weights', async () => {
      const first = await trainer.saveWeightsForSampler(join(folder, 'a'), 3 as PolicyVersion);
      const writes = subject.writes ?? { kind: 'full', file: 'model.safetensors' };
      expect(first).toMatchObject({ version: 3, kind: writes.kind, dir: join(folder, 'a') });
      expect(sha256(join(folder, 'a', writes.file))).toBe(first.sha256);
      expect((await trainer.saveWeightsForSampler(join(folder, 'b'), 4 as PolicyVersion)).sha256).toBe(first.sha256);
      await learn(group());
      expect((await trainer.saveWeightsForSampler(join(folder, 'c'), 5 as PolicyVersion)).sha256).not.toBe(first.sha256);
    });

    it('fails with a fault: a directory that exists, a state that is none, a token it does not know', async () => {
      await trainer.saveWeightsForSampler(join(folder, 'a'), 1 as PolicyVersion);
      await expect(trainer.saveWeightsForSampler(join(folder, 'a'), 1 as PolicyVersion)).rejects.toBeInstanceOf(TroupeFault);
      await expect(trainer.saveState(folder)).rejects.toBeInstanceOf(TroupeFault);
      await expect(trainer.loadState(join(folder, 'absent'))).rejects.toBeInstanceOf(TroupeFault);
      await expect(trainer.logprobs(batchOf(sample('g', [subject.vocabulary], [1], 1)))).rejects.toBeInstanceOf(TrainerFault);
      await expect(trainer.logprobs(group())).resolves.toBeDefined();
    });

    it('refuses everything once closed', async () => {
      await trainer.close();
      await expect(trainer.logprobs(group())).rejects.toBeInstanceOf(TrainerFault);
    });
  });
}
