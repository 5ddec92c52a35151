import { mkdirSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { simulatedClock, systemClock } from '../src/actors/clock.ts';
import { EngineFault, RecordFault, TrainerFault } from '../src/errors.ts';
import { listCheckpoints, readCheckpoint, writeCheckpoint } from '../src/gpu/checkpoint.ts';
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
  deadlines: { record: 1000, borrow: 1000, train: 1000, giveBack: 1000, checkpoint: 1000, publish: 1000, verify: 1000 },
});

/** Ports that do the real thing in memory: an engine that says token 5 with the published table's log-prob, and a journal that is a list. */
function world(trainer: Trainer = createScriptedTrainer(vocabulary)) {
  const journal: string[] = [];
  const frames: Parameters<PolicyUpdatePorts['record']>[0][] = [];
  const sung: (readonly TokenRequest[])[] = [];
  let published = { version: 0, table: readTable(join(root, 'base')) };
  const answer = (request: TokenRequest): TokenReply => {
    const { table } = published;
    const row = table.subarray(3 * vocabulary, 4 * vocabulary);
    const logprob = (row[5] as number) - Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
    return {
      id: request.id,
      version: published.version as PolicyVersion,
      samples: [{ ids: Int32Array.of(5), logprobs: Float32Array.of(logprob), finish: 'length' as const }],
    };
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
    sing: (requests) => {
      sung.push(requests);
      return Promise.resolve([requests.map(answer)]);
    },
    clock: simulatedClock(),
  };
  return { ports, journal, frames, trainer, sung };
}

/** The same world, whose sampler is a little off at this temperature. */
const lying = (ports: PolicyUpdatePorts, temperature: number): PolicyUpdatePorts => ({
  ...ports,
  sing: async (requests, signal) =>
    (await ports.sing(requests, signal)).map((replies) =>
      replies.map((reply, n) => ({
        ...reply,
        samples: reply.samples.map((sample) => ({
          ...sample,
          logprobs: sample.logprobs.map((logprob) => (requests[n]?.temperature === temperature ? logprob - 0.01 : logprob)),
        })),
      })),
    ),
});

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
    expect(journal).toEqual(['step.intent synced', 'group.signals', 'step.committed synced', 'publish 1', 'policy.published']);
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

  it('records of each trained group what its first pass made of each token, and of dropped groups nothing', async () => {
    const { ports, frames } = world();
    // Two passes: by the second, the policy has moved.
    const update = createPolicyUpdate({ ...options(), epochs: 2 }, ports, first);
    const split = [{ read: [1, 2] }, { said: [5] }, { read: [3] }, { said: [6, 9] }];
    const members = [
      { outcome: verdict(1), traces: [[{ read: [7] }], split, [{ read: [3] }, { said: [4] }]] },
      { outcome: simulatorFault },
      { outcome: verdict(-1) },
    ];
    const asked = request(1, 0, 3, [verdict(1), verdict(1)], mixed);
    await update.step({ ...asked, groups: [...asked.groups, rolloutGroup(members, { step: 1, task: 2 })] });
    const signals = frames.flatMap((frame) => (frame.kind === 'group.signals' ? [frame] : []));
    expect(
      signals.map(({ group, step, version, traces }) => [group, step, version, traces.map(({ episode, trace }) => [episode, trace])]),
    ).toEqual([
      ['s00001.t001', 's00001', 0, [0, 1, 2].map((member) => [`s00001.t001.e0${member}`, 0])],
      // Where nothing was sampled nothing was seen; a member that was lost teaches nothing.
      [
        's00001.t002',
        's00001',
        0,
        [
          ['s00001.t002.e00', 1],
          ['s00001.t002.e00', 2],
          ['s00001.t002.e02', 0],
        ],
      ],
    ]);
    // Every token is as likely as any other to a table of zeros: ln 16 of both.
    const all = signals.flatMap(({ traces }) => traces.map((one) => [...one.signals]));
    expect(all.map((one) => one.length)).toEqual([4, 4, 4, 6, 2, 4]);
    for (const [i, value] of all.flat().entries()) expect(value).toBeCloseTo(i % 2 === 0 ? -Math.log(vocabulary) : Math.log(vocabulary), 6);
  });

  it('stops where the trainer does not answer for each token', async () => {
    const { ports, journal } = world();
    const short: Trainer = {
      ...ports.trainer,
      forwardBackward: async (batch, objective) => {
        const pass = await ports.trainer.forwardBackward(batch, objective);
        return { ...pass, entropy: pass.entropy.subarray(1) };
      },
    };
    const update = createPolicyUpdate(options(), { ...ports, trainer: short }, first);
    await expect(update.step(request(1, 0, 1, mixed))).rejects.toThrow('6 log-probs and 5 entropies for 6 tokens');
    expect(journal).toEqual(['step.intent synced']);
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
    await straight.prove();
    for (const step of [1, 2, 3]) await straight.step(request(step, step - 1, step, mixed));
    const wanted = straight.standing.committed;
    rmSync(checkpoints(), { recursive: true });

    const before = createPolicyUpdate(options(), world().ports, first);
    await before.prove();
    for (const step of [1, 2]) await before.step(request(step, step - 1, step, mixed));
    const committed = before.standing.committed as StepCommitted;
    const trainer = createScriptedTrainer(vocabulary);
    await trainer.loadState(trainerState(checkpoints(), committed));
    const { ports } = world(trainer);
    const after = createPolicyUpdate(options(), ports, standingAfter(checkpoints(), committed) as Standing);
    await ports.publish(after.standing.weights);
    await after.prove();
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

  it.each([0, 1])('stops when sampler and trainer disagree at temperature %i, with the step committed', async (temperature) => {
    const { ports } = world();
    const update = createPolicyUpdate(options(), lying(ports, temperature), first);
    await expect(update.step(request(1, 0, 1, mixed))).rejects.toThrow(/canary: sampler and trainer disagree by 0.0/);
    expect(update.standing.committed?.step).toBe('s00001');
    await expect(update.step(request(2, 1, 2, mixed))).rejects.toThrow(/stopped/);
  });

  it('stops when the version before still answers', async () => {
    const { ports } = world();
    const update = createPolicyUpdate(options(), { ...ports, publish: () => Promise.resolve() }, first);
    await expect(update.step(request(1, 0, 1, mixed))).rejects.toThrow('canary: version 0 answered for version 1: stale weights');
  });

  it('proves the version it begins with, once a server and never with an id of before, and says how far they were apart', async () => {
    const { ports, sung } = world();
    const update = createPolicyUpdate(options(), ports, first);
    expect(update.canaryGap).toBeNull();
    await update.prove();
    expect(update.canaryGap).toBeLessThan(1e-6);
    const { metrics } = await update.step(request(1, 0, 1, mixed));
    expect(metrics['canaryGap']).toBeLessThan(1e-6);
    expect(sung.map((requests) => requests.map(({ version, temperature }) => [version, temperature]))).toEqual([
      [
        [0, 0],
        [0, 1],
      ],
      [
        [1, 0],
        [1, 1],
      ],
    ]);
    expect(new Set(sung.flat().map(({ id }) => id)).size).toBe(4);
  });

  it('takes no step where the version it begins with cannot be proved', async () => {
    const update = createPolicyUpdate(options(), lying(world().ports, 0), first);
    await expect(update.prove()).rejects.toBeInstanceOf(TrainerFault);
    await expect(update.step(request(1, 0, 1, mixed))).rejects.toThrow(/stopped/);
  });

  it('proves nothing where there is nothing to agree on', async () => {
    const { ports, sung } = world();
    const update = createPolicyUpdate({ ...options(), canary: { ...options().canary, bound: Infinity } }, lying(ports, 0), first);
    await update.prove();
    expect(sung).toEqual([]);
    expect((await update.step(request(1, 0, 1, mixed))).metrics).not.toHaveProperty('canaryGap');
  });

  describe('on a shared accelerator', () => {
    /** Who has it, and what was done while the trainer had. */
    const shared = (ports: PolicyUpdatePorts, broken: Partial<PolicyUpdatePorts> = {}) => {
      const log: string[] = [];
      const say = (what: string) => {
        log.push(what);
        return Promise.resolve();
      };
      const trainer: Trainer = {
        ...ports.trainer,
        optimStep: (step) => {
          log.push('optimStep');
          return ports.trainer.optimStep(step);
        },
      };
      return { log, ports: { ...ports, trainer, lend: () => say('lend'), takeBack: () => say('takeBack'), ...broken } };
    };
    const refused = () => Promise.reject(new EngineFault('it does not sleep'));

    it('trains between borrowing and returning it', async () => {
      const { log, ports } = shared(world().ports);
      await createPolicyUpdate(options(), ports, first).step(request(1, 0, 1, mixed));
      expect(log).toEqual(['lend', 'optimStep', 'takeBack']);
    });

    it('returns it when training fails, and stops with that fault', async () => {
      const { log, ports } = shared(world().ports);
      const failing = { ...ports.trainer, forwardBackward: () => Promise.reject(new TrainerFault('out of memory')) };
      const update = createPolicyUpdate(options(), { ...ports, trainer: failing }, first);
      await expect(update.step(request(1, 0, 1, mixed))).rejects.toThrow('out of memory');
      expect(log).toEqual(['lend', 'takeBack']);
    });

    it('returns it when the training has no end before its deadline', async () => {
      const clock = simulatedClock();
      const { log, ports } = shared(world().ports, { clock });
      const hanging = { ...ports.trainer, forwardBackward: () => new Promise<never>(() => undefined) };
      const step = createPolicyUpdate(options(), { ...ports, trainer: hanging }, first).step(request(1, 0, 1, mixed));
      const end = expect(step).rejects.toThrow(/no answer before the train deadline/);
      while (!log.includes('lend')) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1000);
      await end;
      expect(log).toEqual(['lend', 'takeBack']);
      expect(clock.armed).toBe(0);
    });

    it('returns it when it could not be lent, and trains nothing', async () => {
      const { log, ports } = shared(world().ports, { lend: refused });
      await expect(createPolicyUpdate(options(), ports, first).step(request(1, 0, 1, mixed))).rejects.toThrow('it does not sleep');
      expect(log).toEqual(['takeBack']);
    });

    it('stops where it cannot be given back: nothing is committed', async () => {
      const { ports } = shared(world().ports, { takeBack: refused });
      const update = createPolicyUpdate(options(), ports, first);
      await expect(update.step(request(1, 0, 1, mixed))).rejects.toThrow('it does not sleep');
      expect(update.standing.committed).toBeNull();
    });
  });

  it('remembers what kind its weights are; a checkpoint that does not say holds whole models', async () => {
    const { ports } = world();
    const adapting: Trainer = {
      ...ports.trainer,
      saveWeightsForSampler: async (dir, version) => ({ ...(await ports.trainer.saveWeightsForSampler(dir, version)), kind: 'lora' }),
    };
    const update = createPolicyUpdate(options(), { ...ports, trainer: adapting }, first);
    const { standing } = await update.step(request(1, 0, 1, mixed));
    expect(standing.weights.kind).toBe('lora');
    const committed = standing.committed as StepCommitted;
    expect(standingAfter(checkpoints(), committed)?.weights.kind).toBe('lora');
    // As it was written before there were adapters.
    const old = await writeCheckpoint(checkpoints(), { step: stepId(2), version: 2 as PolicyVersion, groups: [] }, (dir) => {
      const { kind: _, ...remembered } = JSON.parse(readFileSync(join(checkpoints(), 's00001', 'run.json'), 'utf8')) as { kind: string };
      writeFileSync(join(dir, 'run.json'), JSON.stringify(remembered));
      return Promise.resolve();
    });
    expect(standingAfter(checkpoints(), { ...committed, step: stepId(2), checkpoint: old.hash })?.weights.kind).toBe('full');
  });

  it('says by how many versions rollouts lagged, where they may', async () => {
    const update = createPolicyUpdate({ ...options(), staleness: 1 }, world().ports, first);
    await update.step(request(1, 0, 1, mixed));
    const groups = [1, 0].map((version, task) => rolloutGroup(outcomes(...mixed), { step: 2, task, version }));
    const { metrics } = await update.step({ step: stepId(2), groups, curriculum: { difficulty: 1, drawn: 2 } });
    expect(metrics).toMatchObject({ lag: 0.5, lags: { 0: 3, 1: 3 } });
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

  it('keeps what a server may still read, whatever retention says', async () => {
    const update = createPolicyUpdate({ ...options(), staleness: 2, retention: { last: 1, every: 0 } }, world().ports, first);
    const [same] = [[verdict(1), verdict(1)]];
    // Versions 1, 2, 3 at steps 1, 2, 4; then steps that train nothing.
    for (const [n, list] of [mixed, mixed, same, mixed, same, same].entries())
      await update.step(request(n + 1, update.standing.weights.version, n + 1, list));
    await update.step(request(7, 3, 7, mixed));
    // Version 4 now, at most 2 behind: versions 2, 3 and 4.
    expect(update.standing.weights.version).toBe(4);
    expect(listCheckpoints(checkpoints())).toEqual(['s00002', 's00004', 's00007']);
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
      sing: async (asked, signal) => [await Promise.all(asked.map((each) => engine.generate(each, signal)))],
      clock: systemClock,
    };
    const ms = 20_000;
    const seconds = { record: ms, borrow: ms, train: ms, giveBack: ms, checkpoint: ms, publish: ms, verify: ms };
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
