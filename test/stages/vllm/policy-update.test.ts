/**
 * A policy's versions on a real server: trained as adapters by the torch sidecar, published under new names, and proved by the canary, which finds what it is there to find.
 * Needs a server (see vllm-server.ts) and a Python with torch and peft.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/actors/clock.ts';
import { createVllmEngine, type VllmEngine } from '../../../src/gpu/engines/vllm.ts';
import { listCheckpoints } from '../../../src/gpu/checkpoint.ts';
import { createPolicyUpdate, type PolicyUpdate, type PolicyUpdateOptions } from '../../../src/gpu/policy-update.ts';
import { type Standing, standingAfter, trainerState } from '../../../src/gpu/policy-update-commit.ts';
import type { TorchTrainer } from '../../../src/gpu/trainers/torch.ts';
import { lossBound } from '../../../src/learning/census.ts';
import { trustee } from '../../../src/learning/curriculum.ts';
import { type PolicyVersion, stepId } from '../../../src/protocol/ids.ts';
import type { StepCommitted, Weights } from '../../../src/protocol/policy.ts';
import { call } from '../../support/calls.ts';
import { rolloutGroup, verdict } from '../../support/rollouts.ts';
import { lora, python, torch } from '../../support/torch.ts';
import { model } from '../../support/vllm-server.ts';

const url = inject('vllmUrl');
const never = new AbortController().signal;
const scratch = mkdtempSync(join(tmpdir(), 'troupe-versions-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const prompt = Int32Array.from({ length: 40 }, (_, i) => 8 + ((i * 37) % 440));
const ms = 240_000;
const options = (checkpoints: string): PolicyUpdateOptions => ({
  checkpoints,
  retention: { last: 1, every: 0 },
  objective: { kind: 'grpo', clipLow: 0.2, clipHigh: 0.2, kl: 0.001, importance: 'token', importanceCap: 2 },
  optimiser: { kind: 'adamw', learningRate: 5e-3, weightDecay: 0, clip: 1 },
  warmup: 0,
  epochs: 1,
  batch: { std: true, minimumScored: 2 },
  curriculum: trustee,
  staleness: 1,
  losses: lossBound,
  canary: { prompt, stop: [3], bound: 1e-3 },
  deadlines: { record: ms, borrow: ms, train: ms, giveBack: ms, checkpoint: ms, publish: ms, verify: ms },
});
const start: Standing = {
  committed: null,
  weights: { version: 0 as PolicyVersion, kind: 'full', dir: model, sha256: '' },
  curriculum: { difficulty: 1, drawn: 0 },
  history: [],
  updates: 0,
};

describe.skipIf(url === '' || python === undefined)('versions of a policy on a real server', () => {
  let serial = 0;
  let engine: VllmEngine;
  let trainer: TorchTrainer;
  let update: PolicyUpdate;
  afterEach(async () => {
    update.close();
    await Promise.all([engine.close(), trainer.close()]);
  });

  const open = (checkpoints: string, from: Standing, publish = (weights: Weights) => engine.publish(weights)): void => {
    engine = createVllmEngine({
      url,
      clock: systemClock,
      weights: from.weights,
      adapterPrefix: `policy-${process.pid}-${serial++}`,
      contextLength: 1024,
      concurrency: 32,
      connections: 32,
      versions: 2,
    });
    trainer = torch({ adapter: lora });
    update = createPolicyUpdate(
      options(checkpoints),
      {
        trainer,
        record: () => Promise.resolve(),
        publish,
        sing: async (asked, signal) => [await Promise.all(asked.map((each) => engine.generate(each, signal)))],
        clock: systemClock,
      },
      from,
    );
  };
  /** One group of eight, sampled by the version, half of them rewarded: as a rollout would leave them. */
  const stepAt = async (step: number, version: number) => {
    const asked = {
      ...call(`${serial++}`),
      n: 8,
      version: version as PolicyVersion,
      maxTokens: 24,
      stop: [3],
      ids: prompt,
      seed: 100 * step,
      deadlineMs: ms,
    };
    const { samples } = await engine.generate(asked, never);
    const members = samples.map(({ ids, logprobs }, n) => ({
      outcome: verdict(n % 2 === 0 ? 1 : -1),
      traces: [[{ read: [...prompt] }, { said: [...ids], logprobs: [...logprobs], stopped: ids.at(-1) === 3 }]],
    }));
    return { step: stepId(step), groups: [rolloutGroup(members, { step, version })], curriculum: { difficulty: 1, drawn: step } };
  };

  it('trains adapters on which server and trainer agree, goes on from them in another process, and takes rollouts that lag', async () => {
    const checkpoints = join(scratch, 'agreeing');
    open(checkpoints, start);
    await update.prove();
    const gaps = [update.canaryGap as number];
    let lagging = await stepAt(3, 0);
    for (const step of [1, 2]) {
      const { metrics, standing } = await update.step(await stepAt(step, step - 1));
      expect(standing.weights).toMatchObject({ version: step, kind: 'lora' });
      expect(metrics['gap']).toBeLessThan(1e-3);
      expect(metrics['gradNorm']).toBeGreaterThan(0);
      gaps.push(update.canaryGap as number);
      if (step === 1) lagging = await stepAt(3, 1);
    }
    const committed = update.standing.committed as StepCommitted;
    update.close();
    await Promise.all([engine.close(), trainer.close()]);

    // Another process, from the last checkpoint.
    open(checkpoints, standingAfter(checkpoints, committed) as Standing);
    await trainer.loadState(trainerState(checkpoints, committed));
    await update.prove();
    gaps.push(update.canaryGap as number);
    const { metrics } = await update.step(lagging);
    // What the policy moved since is in the ratios, not in the canary.
    expect(metrics).toMatchObject({ lag: 1, lags: { 1: 8 } });
    expect(metrics['gap']).toBeGreaterThan(metrics['canaryGap'] as number);
    gaps.push(update.canaryGap as number);
    expect(Math.max(...gaps)).toBeLessThan(1e-3);
    // Two versions may be asked, so two stay on disk although retention keeps one.
    expect(listCheckpoints(checkpoints)).toEqual(['s00002', 's00003']);
    process.stderr.write(`canary gaps by version: ${gaps.map((gap) => gap.toExponential(1)).join(' ')}\n`);
  });

  it('stops when the server answers with the adapter of before under the new version’s name', async () => {
    const checkpoints = join(scratch, 'stale');
    const taken: Weights[] = [];
    open(checkpoints, start, (weights) => {
      const before = taken.at(-1) ?? weights;
      taken.push(weights);
      return engine.publish({ ...before, version: weights.version });
    });
    await update.step(await stepAt(1, 0));
    await expect(update.step(await stepAt(2, 1))).rejects.toThrow(/canary: sampler and trainer disagree by .* of version 2/);
    expect(update.standing.committed?.version).toBe(2);
  });
});
