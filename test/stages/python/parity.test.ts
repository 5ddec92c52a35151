/** One step, computed by whoever can: the embedded trainer, the torch trainer, and PyTorch from equations agree on loss and gradient. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/actors/clock.ts';
import { createEmbeddedTrainer } from '../../../src/gpu/trainers/embedded.ts';
import type { TorchTrainer } from '../../../src/gpu/trainers/torch.ts';
import type { OptimStep, Pass, Trainer } from '../../../src/gpu/trainer.ts';
import { type TokenBatch, type TokenSample, sampledTokens } from '../../../src/learning/batch.ts';
import { evaluateObjective, imitation, type Objective, type ObjectiveSums } from '../../../src/learning/objective.ts';
import type { GroupId, PolicyVersion } from '../../../src/protocol/ids.ts';
import { seedOf, stream } from '../../../src/random.ts';
import { base, lora, python, torch } from '../../support/torch.ts';

const objective: Objective = { kind: 'grpo', clipLow: 0.2, clipHigh: 0.28, kl: 0.01 };
const unbound: OptimStep = { kind: 'adamw', learningRate: 1e-3, weightDecay: 0.1, clip: 0 };
const farthest = (a: Float32Array, b: Float32Array): number => Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))));
const figures = ({ loss, gradNorm }: { loss: number; gradNorm: number }) => ({ loss, gradNorm });
const relative = (a: number, b: number): number => Math.abs(a - b) / Math.abs(b);

/** Groups of four that share a prompt of 20 to 60 tokens and sampled different turns, with observations between them. */
function samplesOf(groups: number): TokenSample[] {
  const chance = stream(seedOf('parity'));
  const ids = (n: number): number[] => Array.from({ length: n }, () => 8 + chance.int(440));
  return Array.from({ length: groups }, (_, g) => {
    const prompt = ids(20 + chance.int(40));
    return Array.from({ length: 4 }, (): TokenSample => {
      const turns = Array.from({ length: 1 + chance.int(3) }, () => ({ said: ids(3 + chance.int(12)), heard: ids(2 + chance.int(9)) }));
      const all = [...prompt, ...turns.flatMap(({ said, heard }) => [...said, ...heard])];
      const sampled = [...prompt.map(() => 0), ...turns.flatMap(({ said, heard }) => [...said.map(() => 1), ...heard.map(() => 0)])];
      return {
        group: `g${g}` as GroupId,
        ids: Int32Array.from(all),
        sampled: Uint8Array.from(sampled),
        logprobs: new Float32Array(all.length),
        advantage: Math.fround(2 * chance.next() - 1),
      };
    });
  }).flat();
}

/** Behaviour log-probs that put ratios inside, above and below the clip, never at its edge. */
async function offPolicy(trainer: Trainer, samples: readonly TokenSample[]): Promise<TokenBatch> {
  const chance = stream(seedOf('gaps'));
  const denominator = sampledTokens(samples);
  const now = await trainer.logprobs({ samples, denominator });
  let at = 0;
  return {
    denominator,
    samples: samples.map((one) => ({
      ...one,
      logprobs: Float32Array.from(one.sampled, (mark) => (mark === 1 ? (now[at++] as number) + chance.pick([0, 0.1, -0.1, 0.5, -0.5]) : 0)),
    })),
  };
}

describe.skipIf(python === undefined)('parity with PyTorch', () => {
  let folder: string;
  const open: Trainer[] = [];
  const opened = <T extends Trainer>(trainer: T): T => {
    open.push(trainer);
    return trainer;
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-parity-'));
  });
  afterAll(async () => {
    await Promise.all(open.map((trainer) => trainer.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (script: string, input: unknown): unknown => {
    const path = join(folder, `${script}.json`);
    writeFileSync(path, JSON.stringify(input));
    const env = { ...process.env, OMP_NUM_THREADS: '1', HF_HUB_OFFLINE: '1' };
    return JSON.parse(execFileSync(python as string, [join('python/parity', script), path], { encoding: 'utf8', env, timeout: 100_000 }));
  };
  const plan = (batch: TokenBatch, more: Record<string, string>): unknown => ({
    base: resolve(base),
    objective,
    denominator: batch.denominator,
    samples: batch.samples.map(({ ids, sampled, logprobs, advantage }) => ({
      ids: [...ids],
      sampled: [...sampled],
      logprobs: [...logprobs],
      advantage,
    })),
    ...more,
  });
  /** Loss, gradient norm and what was seen of one pass, which is then applied. */
  const step = async (trainer: Trainer, batch: TokenBatch): Promise<{ loss: number; gradNorm: number; seen: Pass }> => {
    const seen = await trainer.forwardBackward(batch, objective);
    return { loss: seen.metrics['loss'] as number, seen, ...(await trainer.optimStep(unbound)) };
  };

  it('agrees on loss and gradient norm with the embedded trainer and with the equations, every weight trained', async () => {
    const embedded = opened(
      createEmbeddedTrainer({ model: base, threads: 1, deterministic: true, clock: systemClock, deadlineMs: 60_000 }),
    );
    const sidecar = opened(torch({ gradientCheckpointing: true }));
    const samples = samplesOf(6);
    // A step away from the base, so that its KL is one; both go on from the same state.
    await embedded.forwardBackward({ samples, denominator: sampledTokens(samples) }, imitation);
    await embedded.optimStep({ ...unbound, learningRate: 3e-4 });
    const state = join(folder, 'state');
    await embedded.saveState(state);
    await sidecar.loadState(state);
    const batch = await offPolicy(embedded, samples);
    const equations = run('trainer_step.py', plan(batch, { state })) as { loss: number; gradNorm: number };
    const ours = { embedded: await step(embedded, batch), torch: await step(sidecar, batch) };
    console.log(JSON.stringify({ equations, embedded: figures(ours.embedded), torch: figures(ours.torch) }));
    for (const { loss, gradNorm } of Object.values(ours)) {
      expect(relative(loss, equations.loss)).toBeLessThan(1e-4);
      expect(relative(gradNorm, equations.gradNorm)).toBeLessThan(1e-4);
    }
    // Token by token, before the step moved anything.
    expect(farthest(ours.torch.seen.logprobs, ours.embedded.seen.logprobs)).toBeLessThan(1e-3);
    expect(farthest(ours.torch.seen.entropy, ours.embedded.seen.entropy)).toBeLessThan(1e-3);
    const after = await Promise.all([embedded, sidecar].map((trainer) => trainer.logprobs(batch)));
    const [a, b] = after as [Float32Array, Float32Array];
    expect(farthest(a, b)).toBeLessThan(1e-3);
  });

  it('agrees with plain transformers and peft where an adapter is trained', async () => {
    const sidecar: TorchTrainer = opened(torch({ adapter: lora, gradientCheckpointing: true }));
    const samples = samplesOf(6);
    await sidecar.forwardBackward({ samples, denominator: sampledTokens(samples) }, imitation);
    await sidecar.optimStep({ ...unbound, learningRate: 3e-3 });
    const { dir } = await sidecar.saveWeightsForSampler(join(folder, 'adapter'), 1 as PolicyVersion);
    const batch = await offPolicy(sidecar, samples);
    const plain = run('trainer_step.py', plan(batch, { adapter: dir })) as { loss: number; gradNorm: number };
    const ours = await step(sidecar, batch);
    console.log(JSON.stringify({ plain, torch: figures(ours) }));
    expect(relative(ours.loss, plain.loss)).toBeLessThan(1e-4);
    expect(relative(ours.gradNorm, plain.gradNorm)).toBeLessThan(1e-4);
  });

  it('computes every objective as objective.ts does, gradient and sums', () => {
    const chance = stream(seedOf('objectives'));
    const kinds = ['grpo', 'cispo', 'imitation'] as const;
    const cases = Array.from({ length: 60 }, (_, i) => {
      const bounds = [0];
      while (bounds.length < 5) bounds.push((bounds.at(-1) as number) + chance.int(7));
      const n = (bounds.at(-1) as number) + 1;
      bounds.push(n);
      const floats = (low: number, high: number): Float32Array =>
        Float32Array.from({ length: n }, () => low + chance.next() * (high - low));
      const logprobs = floats(-4, 0);
      const near = (by: number): Float32Array => logprobs.map((logprob) => logprob + (chance.next() - 0.5) * by);
      const rule: Objective = {
        kind: kinds[i % 3] as 'grpo',
        clipLow: 0.2,
        clipHigh: 0.28,
        kl: i % 2 === 0 ? 0.05 : 0,
        importance: i % 4 < 2 ? 'token' : 'none',
        importanceCap: 1.2,
        sequence: i % 5 < 2 ? { low: 0.95, high: 1.05 } : undefined,
      };
      return {
        rule,
        tokens: {
          logprobs,
          behaviour: near(1),
          advantages: floats(-1, 1),
          bounds: Int32Array.from(bounds),
          reference: i % 2 === 0 ? near(2) : undefined,
          proximal: i % 3 === 1 ? undefined : near(0.8),
          entropy: floats(0, 3),
          denominator: 1 + chance.int(50),
        },
      };
    });
    const list = (values: Float32Array | undefined): number[] | null => (values === undefined ? null : [...values]);
    const theirs = run(
      'objective_cases.py',
      cases.map(({ rule, tokens: { bounds, denominator, ...arrays } }) => ({
        objective: rule,
        bounds: [...bounds],
        denominator,
        tokens: Object.fromEntries(
          (['logprobs', 'behaviour', 'advantages', 'reference', 'proximal', 'entropy'] as const).map((name) => [name, list(arrays[name])]),
        ),
      })),
    ) as { gradient: number[]; sums: ObjectiveSums }[];
    let masked = 0;
    let clipped = 0;
    for (const [i, { rule, tokens }] of cases.entries()) {
      const { gradient, sums } = evaluateObjective(rule, tokens);
      const { gradient: slopes, sums: totals } = theirs[i] as (typeof theirs)[number];
      for (const [t, slope] of slopes.entries()) expect(slope).toBeCloseTo(gradient[t] as number, 6);
      for (const name of Object.keys(sums) as (keyof ObjectiveSums)[])
        expect(totals[name], `${name} of case ${i}`).toBeCloseTo(sums[name], 5);
      masked += sums.masked;
      clipped += sums.clipped;
    }
    // The cases reach what they are there for.
    expect(Math.min(masked, clipped)).toBeGreaterThan(10);
  });
});
