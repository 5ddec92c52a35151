/**
 * The policy-update actor: sealed groups in, one committed policy version out, exactly once a step however often it is asked. The order of its doings is
 * machines/policy-update.ts; here each is bound to trainer, checkpoint folder, journal and engine. It knows no threads and draws no tasks.
 */
import { basename, dirname } from 'node:path';
import { type ActorRefFrom, createActor, fromPromise } from 'xstate';
import { asFault, RecordFault, TrainerFault, type TroupeFault } from '../errors.ts';
import { type BatchRule, type PackedStep, packStep, type TokenSample } from '../learning/batch.ts';
import type { LossBound } from '../learning/census.ts';
import type { CurriculumRule } from '../learning/curriculum.ts';
import type { Objective } from '../learning/objective.ts';
import { type PolicyUpdateInput, policyUpdateMachine } from '../machines/policy-update.ts';
import type { FrameOf } from '../protocol/frame.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import type { GroupId, PolicyVersion, StepId } from '../protocol/ids.ts';
import type { StepCommitted, Weights } from '../protocol/policy.ts';
import { type Checkpoint, pruneCheckpoints, type Retention } from './checkpoint.ts';
import type { Clock } from './clock.ts';
import { type Canary, type Sing, verifyCanary } from './policy-update-canary.ts';
import { chainOf, saveStep, type Standing, type StepRequest, type StepResult, stored, storedResult } from './policy-update-commit.ts';
import type { Learnt } from './policy-update-metrics.ts';
import { signalFrames } from './policy-update-signals.ts';
import type { OptimStep, Trainer } from './trainer.ts';

export interface PolicyUpdateOptions {
  /** Folder of the run's checkpoints. */
  readonly checkpoints: string;
  readonly retention: Retention;
  readonly objective: Objective;
  readonly optimiser: OptimStep;
  /** Steps over which the learning rate rises to its value. */
  readonly warmup: number;
  /** Passes over a step's samples. */
  readonly epochs: number;
  readonly batch: BatchRule;
  readonly curriculum: CurriculumRule;
  /** Versions a rollout may lag behind; 0 = on-policy. */
  readonly staleness: number;
  readonly losses: LossBound;
  readonly canary: Canary;
  /** Milliseconds, by the names in the chart's meta.deadline. */
  readonly deadlines: {
    readonly record: number;
    /** Calls in flight may end before the engine lets go. */
    readonly borrow: number;
    readonly train: number;
    readonly giveBack: number;
    readonly checkpoint: number;
    readonly publish: number;
    readonly verify: number;
  };
}

export interface PolicyUpdatePorts {
  readonly trainer: Trainer;
  /** Appends a frame; with `sync` it resolves when the frame is on disk. */
  record(
    frame: FrameOf<'step.intent'> | FrameOf<'group.signals'> | FrameOf<'step.committed'> | FrameOf<'policy.published'>,
    options: { sync: boolean },
  ): Promise<void>;
  publish(weights: Weights): Promise<void>;
  readonly sing: Sing;
  /** Present together, and only where engine and trainer take turns on one accelerator: it is the trainer's from when `lend` resolves until `takeBack` is called. */
  lend?(): Promise<void>;
  takeBack?(): Promise<void>;
  readonly clock: Clock;
  /** Makes an actor of the bound chart, not started yet; left out, one that nobody watches. */
  open?(chart: typeof policyUpdateMachine, input: PolicyUpdateInput): ActorRefFrom<typeof policyUpdateMachine>;
}

export interface PolicyUpdate {
  /** Idempotent by step: asked again, a committed step answers with its stored result. Rejects with TrainerFault, RecordFault or EngineFault; after that the actor has stopped. */
  step(request: StepRequest): Promise<StepResult>;
  /** Proves the version that answers now: sampler and trainer agree on it. Before the first step of a process. Rejects as `step` does. */
  prove(): Promise<void>;
  /** Largest |Δ log-prob| of the canary on the version that answers now; null = not measured. */
  readonly canaryGap: number | null;
  readonly standing: Standing;
  close(): void;
}

/** The present step as it grows; one at a time. */
interface Work {
  readonly request: StepRequest;
  readonly resolve: (result: StepResult) => void;
  readonly reject: (fault: unknown) => void;
  packed?: PackedStep;
  learnt?: Learnt;
  checkpoint?: Checkpoint;
  result?: StepResult;
}

export function createPolicyUpdate(options: PolicyUpdateOptions, ports: PolicyUpdatePorts, from: Standing): PolicyUpdate {
  let standing = from;
  let work: Work | undefined;
  let proof: { readonly resolve: () => void; readonly reject: (fault: unknown) => void } | undefined;
  let results: { readonly step: StepId; readonly result: StepResult } | undefined;
  let canaryGap: number | null = null;
  let canaries = 0;
  let failure: unknown;
  let trouble: unknown;
  /** What servers were told to read, newest last: it must stay on disk while its version may be asked. */
  let published: readonly Weights[] = from.committed === null ? [] : [from.weights];
  const abort = new AbortController();
  const { trainer } = ports;
  const present = (): Work => work as Work;
  const prove = async (): Promise<void> => {
    const { version } = standing.weights;
    canaryGap = await verifyCanary(options.canary, trainer, ports.sing, version, canaries++, options.deadlines.verify, abort.signal);
  };
  /** The asker of whatever is under way hears of the fault. */
  const rejectAsker = (fault: unknown): void => {
    const askers = [work, proof];
    work = proof = undefined;
    for (const asker of askers) asker?.reject(fault);
  };

  const machine = policyUpdateMachine.provide({
    actors: {
      recordIntent: fromPromise(() =>
        ports.record(
          { kind: 'step.intent', intent: { step: present().request.step, groups: groupsOf(present()), parent: standing.weights.version } },
          { sync: true },
        ),
      ),
      borrow: fromPromise(async () => ports.lend?.()),
      giveBack: fromPromise(async () => ports.takeBack?.()),
      train: fromPromise(async () => {
        const own = present();
        checkStaleness(own.request.groups, standing.weights.version, options.staleness);
        own.packed = packStep(own.request.groups, options.batch);
        if (own.packed.rollouts > 0) own.learnt = await learn(trainer, options, own.packed, standing.updates);
        return own.packed.rollouts;
      }),
      checkpoint: fromPromise(async () => {
        const own = present();
        own.checkpoint = await saveStep(trainer, options, standing, own.request, own.packed as PackedStep, own.learnt, canaryGap);
      }),
      commit: fromPromise(async () => {
        const own = present();
        const { checkpoint, packed, request } = own as Work & Required<Pick<Work, 'checkpoint' | 'packed'>>;
        const body = {
          step: request.step,
          groups: groupsOf(own),
          version: checkpoint.manifest.version,
          trained: packed.batch.samples.length,
          checkpoint: checkpoint.hash,
        };
        const committed: StepCommitted = { ...body, chain: chainOf(standing.committed?.chain ?? null, body) };
        own.result = stored(checkpoint, committed);
        // They wait for the commit's sync: without a commit nobody asks for them.
        if (own.learnt !== undefined)
          for (const frame of signalFrames(packed, own.learnt.seen, standing.weights.version)) await ports.record(frame, { sync: false });
        await ports.record({ kind: 'step.committed', committed, metrics: own.result.metrics }, { sync: true });
        standing = own.result.standing;
      }),
      publish: fromPromise(async () => {
        await ports.publish(standing.weights);
        published = [...published, standing.weights].filter(({ version }) => version >= standing.weights.version - options.staleness);
        await ports.record({ kind: 'policy.published', weights: standing.weights }, { sync: false });
      }),
      verify: fromPromise(async () => {
        await prove();
        const spared = published.map(({ dir }) => basename(dirname(dir)) as StepId);
        pruneCheckpoints(options.checkpoints, options.retention, { spared });
      }),
      prove: fromPromise(prove),
    },
    actions: {
      deliver: () => {
        const own = present();
        const result = own.result as StepResult;
        results = { step: own.request.step, result };
        work = undefined;
        own.resolve(result);
      },
      deliverStored: () => {
        const own = present();
        const { step } = own.request;
        work = undefined;
        const result = results?.step === step ? results.result : storedResult(options.checkpoints, standing, step);
        if (result === null) own.reject(new RecordFault(`step ${step} was committed and its checkpoint is gone`));
        else own.resolve(result);
      },
      deliverProof: () => {
        proof?.resolve();
        proof = undefined;
      },
      keepFailure: ({ context, event }) => {
        failure ??= failureOf(context.step, event);
      },
      fail: ({ context, event }) => {
        trouble = failure ?? failureOf(context.step, event);
        abort.abort();
        rejectAsker(trouble);
      },
      refuse: () => undefined,
    },
  });

  const input = { committed: from.committed?.step ?? null, shares: ports.lend !== undefined };
  const actor = ports.open?.(machine, input) ?? createActor(machine, { input });
  actor.subscribe({ error: (error) => rejectAsker(asFault(TrainerFault, 'policy update', error)) });
  armDeadlines(actor, options, ports.clock);
  actor.start();

  const refusal = (what: string): TrainerFault | undefined => {
    if (trouble !== undefined || actor.getSnapshot().status !== 'active')
      return new TrainerFault('the policy update has stopped', { cause: trouble });
    if (work !== undefined) return new TrainerFault(`${what} was asked while step ${work.request.step} is under way`);
    return proof === undefined ? undefined : new TrainerFault(`${what} was asked while version ${standing.weights.version} is proved`);
  };

  return {
    step: (request) =>
      new Promise((resolve, reject) => {
        const refused = refusal(`step ${request.step}`);
        if (refused !== undefined) return reject(refused);
        work = { request, resolve, reject };
        actor.send({ type: 'step.requested', step: request.step });
      }),
    prove: () =>
      new Promise((resolve, reject) => {
        const refused = refusal('a proof');
        if (refused !== undefined) return reject(refused);
        // Where there is no bound there is nothing to prove.
        if (options.canary.bound === Infinity) return resolve();
        proof = { resolve, reject };
        actor.send({ type: 'proof.requested' });
      }),
    get canaryGap() {
      return canaryGap;
    },
    get standing() {
      return standing;
    },
    close: () => {
      abort.abort();
      actor.stop();
      rejectAsker(new TrainerFault('the policy update is closed'));
    },
  };
}

/** The event that ended a state before its time, as a fault. */
function failureOf(step: StepId | null, event: object): TroupeFault {
  const { error, deadline = '' } = event as { readonly error?: unknown; readonly deadline?: string };
  const what = step === null ? 'the first proof' : `step ${step}`;
  return asFault(TrainerFault, what, error ?? new TrainerFault(`${what}: no answer before the ${deadline} deadline`));
}

const groupsOf = (work: Work): GroupId[] => work.request.groups.map((group) => group.id);

/** Sends `deadline.expired` to the state that names one, unless it was left by then. */
function armDeadlines(actor: ActorRefFrom<typeof policyUpdateMachine>, { deadlines }: PolicyUpdateOptions, clock: Clock): void {
  let cancel = (): void => undefined;
  let armed = '';
  actor.subscribe({
    next: (snapshot) => {
      const state = snapshot.value as string;
      if (state === armed) return;
      armed = state;
      cancel();
      const deadline = Object.values(snapshot.getMeta()).find((meta) => meta?.deadline !== undefined)?.deadline as
        | keyof typeof deadlines
        | undefined;
      cancel =
        deadline === undefined
          ? () => undefined
          : clock.after(deadlines[deadline], () => actor.send({ type: 'deadline.expired', deadline }));
    },
    error: () => cancel(),
    complete: () => cancel(),
  });
}

function checkStaleness(groups: readonly RolloutGroup[], version: PolicyVersion, staleness: number): void {
  for (const group of groups)
    for (const { id, policy } of group.episodes)
      if (policy !== null && (version - policy.start > staleness || policy.end > version))
        throw new TrainerFault(
          `${id} was sampled by versions ${policy.start}..${policy.end}; version ${version} may train rollouts at most ${staleness} behind`,
        );
}

async function learn(trainer: Trainer, options: PolicyUpdateOptions, { batch }: PackedStep, updates: number): Promise<Learnt> {
  const { objective, optimiser, epochs, warmup } = options;
  const learningRate = optimiser.learningRate * (warmup > 0 ? Math.min(1, (updates + 1) / warmup) : 1);
  const ready =
    objective.importance === 'token' && epochs > 1
      ? { ...batch, samples: withProximal(batch.samples, await trainer.logprobs(batch)) }
      : batch;
  const pass = async (): Promise<Omit<Learnt, 'learningRate'>> => {
    const seen = await trainer.forwardBackward(ready, objective);
    return { seen, ...(await trainer.optimStep({ ...optimiser, learningRate })) };
  };
  const first = await pass();
  for (let epoch = 1; epoch < epochs; epoch++) await pass();
  return { ...first, learningRate };
}

function withProximal(samples: readonly TokenSample[], logprobs: Float32Array): TokenSample[] {
  let at = 0;
  return samples.map((sample) => ({
    ...sample,
    proximal: Float32Array.from(sample.sampled, (one) => (one === 1 ? (logprobs[at++] as number) : 0)),
  }));
}
