import { mkdirSync, mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { simulatedClock, systemClock } from '../src/actors/clock.ts';
import { EngineFault, RecordFault, TrainerFault } from '../src/errors.ts';
import { listCheckpoints, readCheckpoint } from '../src/gpu/checkpoint.ts';
import { createPolicyUpdate, type PolicyUpdateOptions, type PolicyUpdatePorts } from '../src/gpu/policy-update.ts';
import { chainOf, type Standing, standingAfter, type StepRequest, trainerState } from '../src/gpu/policy-update-commit.ts';
import { createEmbeddedEngine } from '../src/gpu/engines/embedded.ts';
import { vocabularyOf } from '../src/gpu/tokens/vocabulary.ts';
import type { Trainer } from '../src/gpu/trainer.ts';
import { createEmbeddedTrainer } from '../src/gpu/trainers/embedded.ts';
import { createScriptedTrainer, readTable } from '../src/gpu/trainers/scripted.ts';
import { writeModel } from '../src/gpu/weights.ts';
import { lossBound } from '../src/learning/census.ts';
import { trustee } from '../src/learning/curriculum.ts';
import { type PolicyVersion, stepId } from '../src/protocol/ids.ts';
import type { TokenReply, TokenRequest } from '../src/protocol/inference.ts';
import type { Outcome } from '../src/protocol/outcome.ts';
import type { StepCommitted } from '../src/protocol/policy.ts';
import { call } from './support/calls.ts';
import { outcomes, rolloutGroup, simulatorFault, verdict } from './support/rollouts.ts';
import { randomTensors } from './support/tiny-model.ts';

const vocabulary = 16;
let root: string;
let first: Standing;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'troupe-policy-'));
  const weights = await createScriptedTrainer(vocabulary).saveWeightsForSampler(join(root, 'base'), 0 as PolicyVersion);
  first = { committed: null, weights, curriculum: { difficulty: 1, drawn: 0 }, history: [], updates: 0 };
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const checkpoints = (): string => join(root, 'checkpoints');
const options = (): PolicyUpdateOptions => ({
  checkpoints: checkpoints(),
  retention: { last: 2, every: 0 },
  objective: { kind: 'grpo', clipLow: 0.2, clipHigh: 0.2, kl: 0 },
  optimiser: { kind: 'adamw', learningRate: 0.1, weightDecay: 0, clip: 1 },
  warmup: 0,
  epochs: 1,
  batch: { std: true, minimumScored: 2 },
  curriculum: trustee,
  staleness: 0,
  losses: lossBound,
  canary: { prompt: Int32Array.of(1, 2, 3), stop: [9], bound: 1e-4 },
  deadlines: { record: 1000, train: 1000, checkpoint: 1000, publish: 1000, verify: 1000 },
});

/** Ports that do the real thing in memory: an engine that says token 5 with the published table's log-prob, and a journal that is a list. */
function world(trainer: Trainer = createScriptedTrainer(vocabulary)) {
  const journal: string[] = [];
  const frames: Parameters<PolicyUpdatePorts['record']>[0][] = [];
  let published: { version: number; table: Float32Array } | undefined;
  const sample = (request: TokenRequest): Promise<TokenReply> => {
    const table = published?.table as Float32Array;
    const row = table.subarray(3 * vocabulary, 4 * vocabulary);
    const logprob = (row[5] as number) - Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
    return Promise.resolve({
      id: request.id,
      version: published?.version as PolicyVersion,
      samples: [{ ids: Int32Array.of(5), logprobs: Float32Array.of(logprob), finish: 'length' as const }],
    });
  };
  const ports: PolicyUpdatePorts = {
    trainer,
    record: (frame, { sync }) => {
      journal.push(`${frame.kind}${sync ? ' synced' : ''}`);
      frames.push(frame);
      return Promise.resolve();
    },
    publish: (weights) => {
      journal.push(`publish ${weights.version}`);
      published = { version: weights.version, table: readTable(weights.dir) };
      return Promise.resolve();
    },
    sample,
    clock: simulatedClock(),
  };
  return { ports, journal, frames, trainer };
}

const request = (step: number, version: number, drawn: number, ...lists: Outcome[][]): StepRequest => ({
  step: stepId(step),
  groups: lists.map((list, task) => rolloutGroup(outcomes(...list), { step, task, version })),
  curriculum: { difficulty: 1, drawn },
});
const mixed = [verdict(1), verdict(-1), verdict(1)];

describe('policy update', () => {
  it('makes each step durable in order: intent, checkpoint, commit, then publication', async () => {
    const { ports, journal, frames } = world();
    const update = createPolicyUpdate(options(), ports, first);
    const { standing } = await update.step(request(1, 0, 1, mixed));
    expect(journal).toEqual(['step.intent synced', 'step.committed synced', 'publish 1', 'policy.published']);
    expect(frames[0]).toMatchObject({ intent: { step: 's00001', groups: ['s00001.t000'], parent: 0 } });
    expect(readCheckpoint(checkpoints(), stepId(1))?.hash).toBe(standing.committed?.checkpoint);
    expect(standing).toMatchObject({ weights: { version: 1 }, curriculum: { difficulty: 1, drawn: 1 }, updates: 1 });
  });

  it('trains towards what was rewarded', async () => {
    const { ports, trainer } = world();
    const table = async () =>
      readTable((await trainer.saveWeightsForSampler(join(root, String(listCheckpoints(checkpoints()).length)), 0 as PolicyVersion)).dir);
    const before = await table();
    await createPolicyUpdate(options(), ports, first).step(request(1, 0, 1, [verdict(1), verdict(-1)]));
    const after = await table();
    const at = 3 * vocabulary;
    expect(after[at + 4]).toBeGreaterThan(before[at + 4] as number);
    expect(after[at + 5]).toBeLessThan(before[at + 5] as number);
  });

  it('moves D by all scored rewards, also those of groups that train nothing', async () => {
    const { ports } = world();
    const update = createPolicyUpdate(options(), ports, first);
    const { standing, metrics } = await update.step(request(1, 0, 2, mixed, [verdict(1), verdict(1), verdict(1)]));
    expect(standing.curriculum.difficulty).toBe(4);
    expect(metrics).toMatchObject({
      difficulty: 1,
      nextDifficulty: 4,
      groups: 2,
      groupsTrained: 1,
      fates: { trained: 3, zeroVariance: 3 },
    });
  });

  it('commits a step that trains nothing: version and weights stay, D moves, nothing is published', async () => {
    const { ports, journal } = world();
    const update = createPolicyUpdate(options(), ports, first);
    const { standing } = await update.step(request(1, 0, 1, [verdict(1), verdict(1)]));
    expect(standing).toMatchObject({
      weights: { version: 0, sha256: first.weights.sha256 },
      committed: { trained: 0, version: 0 },
      curriculum: { difficulty: 4 },
    });
    expect(journal).toEqual(['step.intent synced', 'step.committed synced']);
  });

  it('answers a repeated step with its stored result and trains it once', async () => {
    const { ports, journal } = world();
    const update = createPolicyUpdate(options(), ports, first);
    const result = await update.step(request(1, 0, 1, mixed));
    expect(await update.step(request(1, 0, 1, mixed))).toEqual(result);
    expect(journal.filter((entry) => entry.startsWith('step.intent'))).toHaveLength(1);
  });

  it('chains commits, so that equal chains mean equal histories', async () => {
    const { ports, frames } = world();
    const update = createPolicyUpdate(options(), ports, first);
    await update.step(request(1, 0, 1, mixed));
    await update.step(request(2, 1, 2, mixed));
    const committed = frames.flatMap((frame) => (frame.kind === 'step.committed' ? [frame.committed] : []));
    const link = (previous: string | null, { chain, ...body }: StepCommitted): string => (
      expect(chainOf(previous, body)).toBe(chain),
      chain
    );
    expect(committed.reduce<string | null>(link, null)).toBe(update.standing.committed?.chain);
  });

  it('goes on after a restart as if there had been none: same weights, same chain', async () => {
    const straight = createPolicyUpdate(options(), world().ports, first);
    for (const step of [1, 2, 3]) await straight.step(request(step, step - 1, step, mixed));
    const wanted = straight.standing.committed;
    rmSync(checkpoints(), { recursive: true });

    const before = createPolicyUpdate(options(), world().ports, first);
    for (const step of [1, 2]) await before.step(request(step, step - 1, step, mixed));
    const committed = before.standing.committed as StepCommitted;
    const trainer = createScriptedTrainer(vocabulary);
    await trainer.loadState(trainerState(checkpoints(), committed));
    const after = createPolicyUpdate(options(), world(trainer).ports, standingAfter(checkpoints(), committed) as Standing);
    // The coordinator that died before it heard of step 2 asks for it again.
    expect((await after.step(request(2, 1, 2, mixed))).standing.committed).toEqual(committed);
    await after.step(request(3, 2, 3, mixed));
    expect(after.standing.committed).toEqual(wanted);
  });

  it('takes no standing from a checkpoint that is damaged or not the committed one', async () => {
    const update = createPolicyUpdate(options(), world().ports, first);
    const { standing } = await update.step(request(1, 0, 1, mixed));
    const committed = standing.committed as StepCommitted;
    expect(standingAfter(checkpoints(), committed)).toEqual(standing);
    expect(standingAfter(checkpoints(), { ...committed, checkpoint: 'f'.repeat(64) })).toBeNull();
    unlinkSync(join(checkpoints(), 's00001', 'weights', 'model.safetensors'));
    expect(standingAfter(checkpoints(), committed)).toBeNull();
  });

  it('stops when sampler and trainer disagree, with the step committed', async () => {
    const { ports } = world();
    const lying = {
      ...ports,
      sample: async (asked: TokenRequest) => {
        const reply = await ports.sample(asked, new AbortController().signal);
        return {
          ...reply,
          samples: reply.samples.map((sample) => ({ ...sample, logprobs: sample.logprobs.map((logprob) => logprob - 0.01) })),
        };
      },
    };
    const update = createPolicyUpdate(options(), lying, first);
    await expect(update.step(request(1, 0, 1, mixed))).rejects.toThrow(/canary: sampler and trainer disagree by 0.0/);
    expect(update.standing.committed?.step).toBe('s00001');
    await expect(update.step(request(2, 1, 2, mixed))).rejects.toThrow(/stopped/);
  });

  it.each([
    ['the journal', { record: () => Promise.reject(new RecordFault('disk full')) }, RecordFault, 0],
    ['the engine', { publish: () => Promise.reject(new EngineFault('gone')) }, EngineFault, 1],
  ] as const)('stops with the fault of %s, keeping what was committed', async (_, broken, Kind, kept) => {
    const { ports } = world();
    const update = createPolicyUpdate(options(), { ...ports, ...broken }, first);
    await expect(update.step(request(1, 0, 1, mixed))).rejects.toBeInstanceOf(Kind);
    expect(listCheckpoints(checkpoints())).toHaveLength(kept);
  });

  it('ends a wait at its deadline', async () => {
    const clock = simulatedClock();
    const { ports } = world();
    const update = createPolicyUpdate(options(), { ...ports, clock, record: () => new Promise(() => undefined) }, first);
    const step = expect(update.step(request(1, 0, 1, mixed))).rejects.toThrow(/no answer before the record deadline/);
    clock.advance(1000);
    await step;
    expect(clock.armed).toBe(0);
  });

  it('refuses rollouts of a version it may not train, and takes them where staleness allows', async () => {
    const next = async (staleness: number) => {
      rmSync(checkpoints(), { recursive: true, force: true });
      const update = createPolicyUpdate({ ...options(), staleness }, world().ports, first);
      await update.step(request(1, 0, 1, mixed));
      return update.step(request(2, 0, 2, mixed));
    };
    await expect(next(0)).rejects.toThrow(/at most 0 behind/);
    expect((await next(1)).standing.weights.version).toBe(2);
  });

  it('says why the run must pause when too many episodes were lost', async () => {
    const { ports } = world();
    const update = createPolicyUpdate(options(), ports, first);
    const { pause } = await update.step(request(1, 0, 1, [verdict(1), verdict(-1), simulatorFault, simulatorFault, simulatorFault]));
    expect(pause).toMatch(/60.0 % .*simulatorFault.tool 3/);
  });

  it('keeps as many checkpoints as retention says', async () => {
    const { ports } = world();
    const update = createPolicyUpdate(options(), ports, first);
    for (let step = 1; step <= 5; step++) await update.step(request(step, step - 1, step, mixed));
    expect(listCheckpoints(checkpoints())).toEqual(['s00004', 's00005']);
  });

  it('is stopped by a folder it cannot write to', async () => {
    mkdirSync(root, { recursive: true });
    const update = createPolicyUpdate(
      { ...options(), checkpoints: join(root, 'base', 'model.safetensors', 'under') },
      world().ports,
      first,
    );
    await expect(update.step(request(1, 0, 1, mixed))).rejects.toBeInstanceOf(RecordFault);
  });

  it('trains several passes against the log-probs the step began with', async () => {
    const { ports } = world();
    const update = createPolicyUpdate(
      { ...options(), epochs: 3, objective: { kind: 'grpo', clipLow: 0.2, clipHigh: 0.2, kl: 0, importance: 'token' } },
      ports,
      first,
    );
    expect((await update.step(request(1, 0, 1, mixed))).metrics['clipFraction']).toBe(0);
  });

  it('rejects a step asked while another is under way', async () => {
    const { ports } = world();
    const update = createPolicyUpdate(options(), ports, first);
    const one = update.step(request(1, 0, 1, mixed));
    await expect(update.step(request(2, 1, 2, mixed))).rejects.toBeInstanceOf(TrainerFault);
    await one;
  });

  it('turns the embedded engine’s samples into versions on which engine and trainer agree', async () => {
    const shape = {
      vocab: 64,
      hidden: 16,
      layers: 2,
      heads: 4,
      kvHeads: 2,
      headDim: 8,
      intermediate: 24,
      ropeTheta: 1e4,
      eps: 1e-6,
      tied: true,
      maxPositions: 64,
    };
    const model = join(root, 'model');
    const weights = writeModel(model, 0 as PolicyVersion, {
      shape,
      vocabulary: vocabularyOf(['amber']),
      tensors: randomTensors(shape, 1),
      frozen: [],
    });
    const host = { model, threads: 1, deterministic: true, clock: systemClock, deadlineMs: 20_000 };
    const engine = createEmbeddedEngine({ ...host, batch: 16 });
    const trainer = createEmbeddedTrainer(host);
    const ports: PolicyUpdatePorts = {
      trainer,
      record: () => Promise.resolve(),
      publish: engine.publish,
      sample: engine.generate,
      clock: systemClock,
    };
    const seconds = { record: 20_000, train: 20_000, checkpoint: 20_000, publish: 20_000, verify: 20_000 };
    const update = createPolicyUpdate({ ...options(), deadlines: seconds }, ports, { ...first, weights });
    for (const step of [1, 2, 3]) {
      const asked = { ...call(step), n: 4, version: null, maxTokens: 8, stop: [9], ids: Int32Array.of(1, 2, 3), seed: step };
      const { samples } = await engine.generate(asked, new AbortController().signal);
      const members = samples.map(({ ids, logprobs }, n) => ({
        outcome: verdict(n % 2 === 0 ? 1 : -1),
        traces: [[{ read: [1, 2, 3] }, { said: [...ids], logprobs: [...logprobs] }]],
      }));
      const groups = [rolloutGroup(members, { step, version: step - 1 })];
      const { standing, metrics } = await update.step({ step: stepId(step), groups, curriculum: { difficulty: 1, drawn: step } });
      expect(standing.weights.version).toBe(step);
      // On policy: what the trainer computes for sampled tokens is what the sampler said.
      expect(metrics['gap']).toBeLessThan(1e-5);
      expect(metrics['ratioMax']).toBeCloseTo(1, 4);
    }
    await Promise.all([engine.close(), trainer.close()]);
  });
});
