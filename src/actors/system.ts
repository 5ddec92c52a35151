/**
 * The composition root: a config becomes actors, wired in the order of the flow, and the experiment's chart runs them.
 *
 *   curriculum ─▶ tasks ─▶ groups of episodes (pool) ─▶ broker ─▶ engine
 *        ▲                        │ sealed
 *        └── policy version ◀── policy update ─▶ trainer            everything ─▶ record
 */
import { createActor, fromPromise } from 'xstate';
import type { Config } from '../config.ts';
import { asFault, faultFrom, RecordFault, ThreadFault } from '../errors.ts';
import { createBroker } from '../gpu/broker.ts';
import { removeLeftovers } from '../gpu/checkpoint.ts';
import type { SealedGroup } from '../gpu/handover.ts';
import { createPolicyUpdate } from '../gpu/policy-update.ts';
import { standingAfter, trainerState, type Standing, type StepResult } from '../gpu/policy-update-commit.ts';
import { tinyRenderer } from '../gpu/tokens/tiny.ts';
import { readModel } from '../gpu/weights.ts';
import { isLoss } from '../learning/census.ts';
import { startOf } from '../learning/curriculum.ts';
import { curriculumMachine } from '../machines/curriculum.ts';
import { experimentMachine, type Ending, type ExperimentOutput, type StepInput, type Updated, type When } from '../machines/experiment.ts';
import { unpack } from '../protocol/codec.ts';
import type { Frame } from '../protocol/frame.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import { groupId, type PolicyVersion, type RunId, stepId, type TaskId } from '../protocol/ids.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Phase, Progress } from '../protocol/progress.ts';
import type { RunSummary } from '../protocol/summary.ts';
import type { Task } from '../protocol/task.ts';
import { folderOf } from '../record/folder.ts';
import { resumeRecord, type RunRecord, startRecord } from '../record/record.ts';
import { proceduralSimulators } from '../simulation/procedural/simulators.ts';
import { acceleratorFor } from './accelerator.ts';
import { systemClock } from './clock.ts';
import { deadlineWheel } from './deadlines.ts';
import { drawTasks, heldOutTasks, leakGuard, repositoryFor, type DrawingPorts } from './drawing.ts';
import { attemptsOf, gainsOf, levelResult, type LevelOutcome } from './evaluating.ts';
import { jobOf } from './job.ts';
import { tokensOf } from '../record/projections/episodes.ts';
import { observed, recorder } from './recorder.ts';
import { createRolloutPool } from './rollout-pool.ts';
import { policyUpdateOptions } from './settings.ts';
import { summaryOf } from './summary.ts';
import { threadsOf } from './threads.ts';
import { version as programVersion } from './version.ts';

export interface RunOptions {
  readonly runDir: string;
  /** Aborted = stop after what is half done is safe. */
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
  /** Go on with the run in `runDir` instead of beginning one. */
  readonly resume: boolean;
  /** The record, as soon as it is open: whoever must leave at once can still flush it. */
  onRecord?(record: RunRecord): void;
}

/** Groups a worker may wait for beyond the ones it plays: the pool's queue is bounded by the step. */
const workerLimit = 4;

/** Runs an experiment to its end. Rejects with the fault that ended it; what was recorded until then is safe. */
export async function startRun(config: Config, options: RunOptions): Promise<RunSummary> {
  const { progress, signal } = options;
  const began = systemClock.now();
  const note = (text: string): void => progress({ kind: 'note', text });

  // ── record: the truth, opened first and closed last ──
  const folder = folderOf(options.runDir);
  const run = folder.name as RunId;
  const recording = { segmentBytes: config.record.segmentBytes, transcripts: config.record.transcripts };
  const { record, recovered } = options.resume
    ? await resumeRecord(folder, () => recording, (committed) => standingAfter(folder.checkpoints, committed) !== null)
    : { record: await startRecord(folder, { run, ...recording }, { version: programVersion, config: config as unknown as JsonObject }), recovered: null };
  options.onRecord?.(record);
  if (record.repaired > 0) note(`the journal's last record was torn: ${record.repaired} bytes cut off`);
  const steps = config.steps;

  // ── model, engine, trainer ──
  const model = readModel(config.policy.model);
  const renderer = tinyRenderer(model.vocabulary);
  const start: Standing = (recovered?.last == null ? null : standingAfter(folder.checkpoints, recovered.last)) ?? {
    committed: null,
    weights: { ...model.weights, version: 0 as PolicyVersion },
    curriculum: startOf(config.curriculum),
    history: [],
    updates: 0,
  };
  removeLeftovers(folder.checkpoints, start.committed?.step ?? null);
  const { engine, trainer, announce } = acceleratorFor(config, model, start.weights, renderer);

  // ── broker ──
  let lose: (fault: unknown) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => (lose = reject));
  lost.catch(() => undefined);
  const broker = createBroker({
    engine,
    clock: systemClock,
    seed: config.seed,
    stallMs: config.rollout.deadlines.turnMs,
    record: (frame: Frame) => {
      record.append(frame);
      if (frame.kind === 'group.sealed') record.flush({ sync: true }).catch(lose);
    },
    recall: (id) => recovered?.replies.get(id),
    onStall: (waits) => note(`nothing was answered for long: ${waits.length} calls wait`),
  });

  // ── tasks ──
  const { repository, rejected } = repositoryFor(config);
  if (rejected.length > 0) note(`${repository.tools.length} tools of ${config.tools} are used, ${rejected.length} are not (tools check ${config.tools} tells why)`);
  const recordEvents: DrawingPorts['record'] = (events) => record.append({ kind: 'events', events });
  const drawing: DrawingPorts = { simulators: proceduralSimulators(config.world), repository, clock: systemClock, record: recordEvents };

  // ── pool ──
  const pool = createRolloutPool({
    broker,
    clock: systemClock,
    cast: { kind: 'procedural', world: config.world, words: model.vocabulary.words },
    record: (frame) => record.append(frame),
    recordPacked: (frame) => record.appendPacked(frame),
    workers: threadsOf(config.rollout.workers, workerLimit),
    window: config.rollout.window,
    attempts: config.rollout.attempts,
    reproduce: (task) => `node dist/run.js show ${task.id} --dir ${folder.dir}`,
    quarantined: (recovered?.quarantined ?? []).map(({ task }) => task.id),
  });

  // ── what the ports hand each other ──
  let tasks: Task[] = [];
  let groups: RolloutGroup[] = [];
  let guard: (training: readonly Task[]) => void = () => undefined;
  let examination: { readonly D: number; readonly tasks: Task[] }[] | undefined;
  let result: StepResult | undefined;
  let sampledTokens = 0;
  const outcomes = new Map<When, readonly LevelOutcome[]>();
  for (const { when, result: levels } of recovered?.evaluations ?? []) outcomes.set(when, levels as unknown as LevelOutcome[]);
  const sealedBefore = new Map((recovered?.groups ?? []).map((sealed) => [sealed.envelope.group, sealed]));
  const times: Record<string, number> = {};

  const phase = (name: Phase, step: number, done: number, of: number): void => progress({ kind: 'phase', phase: name, step, steps, done, of });
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const from = systemClock.now();
    try {
      return await work();
    } finally {
      times[name] = systemClock.now() - from;
    }
  };

  const wheel = deadlineWheel(systemClock);
  const runRecorder = recorder(recordEvents, wheel);
  const { deadlines } = config.rollout;
  const waits = (deadline: string) => ({ ms: deadline === 'evaluate' ? deadlines.stepMs * config.eval.levels.length : deadlines.stepMs, rank: 2 });

  const curriculum = createActor(observed(curriculumMachine.provide({ actions: { deliver: () => undefined } })), {
    input: { rule: config.curriculum, seed: config.seed, state: start.curriculum },
  });
  runRecorder.watch(curriculum, 'run', waits);
  curriculum.subscribe({ error: lose });

  const canaryTask = async (): Promise<Task> => {
    const [task] = await heldOutTasks({ ...config, eval: { ...config.eval, tasks: 1 } }, drawing, 1, signal);
    return task as Task;
  };
  const canary = await canaryTask();
  announce([jobOf(config, run, stepId(0), { ...canary, id: 'canary' as TaskId }, start.weights.version)]);
  const policyUpdate = createPolicyUpdate(
    policyUpdateOptions(config, folder.checkpoints, { prompt: renderer.open(canary).slice(), stop: renderer.stop }),
    {
      trainer,
      record: async (frame, { sync }) => {
        record.append(frame);
        await record.flush({ sync });
      },
      publish: (weights) => broker.publish(weights),
      sample: (request, abort) => broker.generate(request, abort),
      clock: systemClock,
    },
    start,
  );

  // ── the ports of the experiment, in the order of the flow ──
  const prepare = async ({ step }: StepInput): Promise<void> => {
    phase('preparing', step, 0, 1);
    if (start.committed !== null) await trainer.loadState(trainerState(folder.checkpoints, start.committed));
    curriculum.start();
    if (config.eval.at.length === 0 && config.eval.every === 0) return;
    const levels = await Promise.all(config.eval.levels.map(async (D) => ({ D, tasks: await heldOutTasks(config, drawing, D, signal) })));
    examination = levels;
    guard = leakGuard(levels.flatMap((level) => level.tasks));
  };

  const draw = ({ step, version }: StepInput, abort: AbortSignal): Promise<void> =>
    timed('drawMs', async () => {
      phase('drawing', step, 0, config.rollout.tasks);
      curriculum.send({ type: 'curriculum.draw', tasks: config.rollout.tasks });
      tasks = await drawTasks(config, drawing, stepId(step), curriculum.getSnapshot().context.drawn, version as PolicyVersion, abort);
      guard(tasks);
      for (const task of tasks) record.append({ kind: 'task.issued', step: stepId(step), task });
    });

  const roll = ({ step, version }: StepInput, abort: AbortSignal): Promise<void> =>
    timed('rollMs', async () => {
      const jobs = tasks.map((task) => jobOf(config, run, stepId(step), task, version as PolicyVersion));
      const rolled = await play(jobs, 'rolling', step, abort);
      groups = jobs.map((job) => rolled.get(job.group) as RolloutGroup);
    });

  /** Plays what was not sealed by an earlier process, and unpacks. */
  const play = async (jobs: readonly ReturnType<typeof jobOf>[], name: Phase, step: number, abort: AbortSignal): Promise<Map<string, RolloutGroup>> => {
    const played = new Map<string, RolloutGroup>();
    const keep = ({ envelope, bytes }: Pick<SealedGroup, 'envelope' | 'bytes'>): void => void played.set(envelope.group, unpack(bytes) as RolloutGroup);
    for (const job of jobs) {
      const before = sealedBefore.get(job.group);
      if (before !== undefined) keep(before);
    }
    const left = jobs.filter((job) => !played.has(job.group));
    phase(name, step, played.size, jobs.length);
    announce(left);
    let sealed = played.size;
    const rolled = pool.roll(left, { signal: abort, deadlineMs: deadlines.stepMs, onSealed: () => phase(name, step, ++sealed, jobs.length) });
    for (const group of await Promise.race([rolled, lost])) keep(group);
    return played;
  };

  const update = ({ step }: StepInput): Promise<Updated> =>
    timed('updateMs', async () => {
      phase('updating', step, 0, 1);
      const done = await policyUpdate.step({ step: stepId(step), groups, curriculum: curriculum.getSnapshot().context.state });
      const rewards = groups.flatMap((group) => group.episodes.flatMap((episode) => (episode.reward === null ? [] : [episode.reward])));
      curriculum.send({ type: 'curriculum.rewarded', rewards });
      result = done;
      report(step, done);
      return { trained: done.standing.committed?.trained ?? 0, version: done.standing.weights.version, difficulty: done.standing.curriculum.difficulty };
    });

  /** For people; and the ends that only a finished step can call. */
  const report = (step: number, { metrics, pause, standing }: StepResult): void => {
    const seconds = ((times['drawMs'] ?? 0) + (times['rollMs'] ?? 0) + (times['updateMs'] ?? 0)) / 1000 || 1e-3;
    const tokens = groups.reduce((sum, group) => sum + group.episodes.reduce((count, episode) => count + tokensOf(episode).sampledTokens, 0), 0);
    sampledTokens += tokens;
    record.timing({ step: stepId(step), ...times, sampledTokens: tokens });
    const elapsed = (systemClock.now() - stepsBegan) / 1000;
    const finished = step - firstStep + 1;
    progress({
      kind: 'step',
      step,
      steps,
      difficulty: metrics['difficulty'] as number,
      nextDifficulty: standing.curriculum.difficulty,
      meanReward: metrics['meanReward'] as number | null,
      success: metrics['success'] as number | null,
      sampledTokens: tokens,
      tokensPerSecond: tokens / seconds,
      eta: (elapsed / finished) * (steps - step),
      faults: Object.fromEntries(Object.entries(metrics['fates'] as Record<string, number>).filter(([fate]) => isLoss(fate))),
      dropped: (metrics['groups'] as number) - (metrics['groupsTrained'] as number),
      groups: metrics['groups'] as number,
    });
    if (pause !== null) {
      pausedFor = pause;
      note(`paused: ${pause}`);
      experiment.send({ type: 'run.interrupt' });
    }
    if (config.budget.tokens !== undefined && sampledTokens >= config.budget.tokens) experiment.send({ type: 'budget.spent', budget: 'tokens' });
  };

  /** The new version answers already: the policy update published and proved it. */
  const publish = ({ step }: StepInput): Promise<void> => {
    phase('publishing', step, 1, 1);
    return Promise.resolve();
  };

  const evaluate = async ({ step, version, when }: StepInput & { when: When }, abort: AbortSignal): Promise<void> => {
    const levels = examination ?? [];
    const at = stepId(when === 'before' ? 0 : step - 1);
    const scope = `e${at.slice(1)}.${when}`;
    const kinds = [...(config.eval.greedy ? [{ name: 'greedy', members: 1, temperature: 0 }] : []), ...(config.eval.samples > 0 ? [{ name: 'sampled', members: config.eval.samples, temperature: 1 }] : [])];
    const jobs = levels.flatMap(({ tasks: own }) =>
      own.flatMap((task) => kinds.map(({ name, members, temperature }) => jobOf(config, run, scope as ReturnType<typeof stepId>, task, version as PolicyVersion, { group: groupId(`${scope}.${name}.${task.id}` as TaskId), members, minimumScored: 1, temperature }))),
    );
    const played = await play(jobs, 'evaluating', step, abort);
    const of = (name: string, task: Task, members: number) => attemptsOf(played.get(`${scope}.${name}.${task.id}`) as RolloutGroup, members);
    const measured = levels.map(({ D, tasks: own }): LevelOutcome => ({
      D,
      greedy: config.eval.greedy ? own.map((task) => of('greedy', task, 1)[0] ?? null) : null,
      sampled: config.eval.samples > 0 ? own.map((task) => of('sampled', task, config.eval.samples)) : null,
    }));
    outcomes.set(when, measured);
    record.append({ kind: 'evaluation', when, step: at, result: measured as never });
    await record.flush({ sync: true });
    progress({ kind: 'evaluation', when, step, levels: measured.map(levelResult) });
  };

  const checkpoint = async ({ step }: StepInput): Promise<void> => {
    phase('closing', step, 0, 1);
    await record.flush({ sync: true });
  };

  // ── run ──
  const firstStep = start.committed === null ? 1 : Number(start.committed.step.slice(1)) + 1;
  let stepsBegan = systemClock.now();
  let pausedFor: string | undefined;
  const bound = observed(
    experimentMachine.provide({
    actors: {
      prepare: fromPromise<void, StepInput>(({ input }) => prepare(input)),
      draw: fromPromise<void, StepInput>(({ input, signal: abort }) => draw(input, abort)),
      roll: fromPromise<void, StepInput>(({ input, signal: abort }) => roll(input, abort)),
      update: fromPromise<Updated, StepInput>(({ input }) => update(input)),
      publish: fromPromise<void, StepInput>(({ input }) => publish(input)),
      evaluate: fromPromise<void, StepInput & { readonly when: When }>(async ({ input, signal: abort }) => {
        await evaluate(input, abort);
        if (input.when === 'before') stepsBegan = systemClock.now();
      }),
      checkpoint: fromPromise<void, StepInput & { readonly ending: Ending }>(({ input }) => checkpoint(input)),
    },
    }),
  );
  const experiment = createActor(bound, {
    input: {
      step: firstStep,
      version: start.weights.version,
      difficulty: start.curriculum.difficulty,
      lastStep: steps,
      evaluateBefore: config.eval.at.includes('start') && !outcomes.has('before'),
      evaluateAfter: config.eval.at.includes('end'),
      evaluateEvery: config.eval.every,
    },
  });
  runRecorder.watch(experiment, 'run', waits);
  const interrupt = (): void => experiment.send({ type: 'run.interrupt' });
  const stopTimer =
    config.budget.minutes === undefined ? () => undefined : systemClock.after(config.budget.minutes * 60_000, () => experiment.send({ type: 'budget.spent', budget: 'minutes' }));

  try {
    const output = await new Promise<ExperimentOutput>((resolve, reject) => {
      experiment.subscribe({
        complete: () => resolve(experiment.getSnapshot().output as ExperimentOutput),
        error: (error) => reject(asFault(ThreadFault, 'experiment', error)),
      });
      signal.addEventListener('abort', interrupt, { once: true });
      experiment.start();
      if (signal.aborted) interrupt();
    });
    runRecorder.flush();
    const ended = pausedFor === undefined ? output.ending : 'paused';
    record.append({ kind: 'run.halted', reason: ended, detail: pausedFor ?? output.fault?.message ?? '' });
    if (output.fault !== null && ended === 'fault') throw faultFrom(output.fault);
    return summaryOf({ folder, ended, detail: pausedFor ?? '', seconds: (systemClock.now() - began) / 1000, standing: policyUpdate.standing, metrics: result?.metrics, outcomes, gains: gainsOf(outcomes.get('before') ?? [], outcomes.get('after') ?? []) });
  } finally {
    stopTimer();
    signal.removeEventListener('abort', interrupt);
    wheel.close();
    await closeAll([() => pool.close(), () => broker.close(), () => Promise.resolve(policyUpdate.close()), () => trainer.close(), () => engine.close(), () => record.close()]);
  }
}

/** All of them, in order, whatever one of them throws; the first failure is told at the end. */
async function closeAll(closings: readonly (() => Promise<void>)[]): Promise<void> {
  let failure: unknown;
  for (const close of closings) await close().catch((error: unknown) => (failure ??= error));
  if (failure !== undefined) throw asFault(RecordFault, 'closing', failure);
}
