/**
 * The composition root: a config becomes actors, wired in the order of the flow, and the experiment's chart runs them.
 *
 *   curriculum ─▶ tasks ─▶ groups of episodes (pool) ─▶ broker ─▶ engine
 *        ▲                        │ sealed
 *        └── policy version ◀── policy update ─▶ trainer            everything ─▶ record
 */
import type { Config } from '../config.ts';
import { faultFrom } from '../errors.ts';
import { createBroker } from '../gpu/broker.ts';
import { pruneCheckpoints, removeLeftovers } from '../gpu/checkpoint.ts';
import { createPolicyUpdate } from '../gpu/policy-update.ts';
import { canaryGroup } from '../gpu/policy-update-canary.ts';
import { standingAfter, trainerState, type Standing } from '../gpu/policy-update-commit.ts';
import { rendererFor } from '../gpu/tokens/spec.ts';
import { startOf } from '../learning/curriculum.ts';
import type { Frame } from '../protocol/frame.ts';
import { type RunId, stepId } from '../protocol/ids.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Progress } from '../protocol/progress.ts';
import type { RunSummary } from '../protocol/summary.ts';
import { folderOf } from '../record/folder.ts';
import { resumeRecord, type RunRecord, startRecord } from '../record/record.ts';
import { Sayings } from '../simulation/lm/similarity.ts';
import { acceleratorFor, baseFor, firstWeights } from './accelerator.ts';
import { openAccount } from './account.ts';
import { singWith } from './canary.ts';
import { createCalibration } from './calibration.ts';
import { playersOf } from './cast.ts';
import { systemClock } from './clock.ts';
import { createCurriculum } from './curriculum.ts';
import { deadlineWheel } from './deadlines.ts';
import { canaryTask, repositoryFor, toolNotes, type DrawingPorts } from './drawing.ts';
import { createExamination } from './examination.ts';
import { createExperiment } from './experiment.ts';
import { jobOf } from './job.ts';
import { laneModes } from './lane-modes.ts';
import { lossOf } from './loss.ts';
import { openings, type Openings } from './openings.ts';
import { recorder } from './recorder.ts';
import { rolling } from './rolling.ts';
import { createRolloutPool } from './rollout-pool.ts';
import { castSpecOf, cautions, isTimesliced, policyUpdateOptions, retentionOf, trains } from './settings.ts';
import { playable, policySpecOf } from './stand-in.ts';
import { stepsOf } from './steps.ts';
import { sampledTokensOf, summaryOf } from './summary.ts';
import { threadsOf } from './threads.ts';
import { updateModes } from './update-modes.ts';
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

/** Threads that host episodes, at most: they wait for the engine most of the time. */
const workerLimit = 4;

/** Runs an experiment to its end. Rejects with the fault that ended it; what was recorded until then is safe. */
export async function startRun(config: Config, options: RunOptions): Promise<RunSummary> {
  const opened = openings();
  let summary: RunSummary;
  try {
    summary = await conduct(config, options, opened);
  } catch (error) {
    // Whatever closing says too, the first failure is the reason.
    await opened.close().catch(() => undefined);
    throw error;
  }
  await opened.close();
  return summary;
}

async function conduct(asked: Config, { runDir, signal, progress, resume, onRecord }: RunOptions, opened: Openings): Promise<RunSummary> {
  const { config, notes } = playable(asked);
  const { steps } = config;
  const { stepMs, turnMs } = config.rollout.deadlines;
  const note = (text: string): void => progress({ kind: 'note', text });

  // ── record: the truth, opened first and closed last ──
  const folder = folderOf(runDir);
  const recording = { segmentBytes: config.record.segmentBytes, transcripts: config.record.transcripts };
  const { record, recovered } = resume
    ? await resumeRecord(
        folder,
        () => recording,
        (committed) => standingAfter(folder.checkpoints, committed) !== null,
      )
    : {
        record: await startRecord(
          folder,
          { run: folder.name as RunId, ...recording },
          { version: programVersion, config: asked as unknown as JsonObject },
        ),
        recovered: null,
      };
  // A folder that was renamed since still holds the same run.
  const run = recovered?.run ?? (folder.name as RunId);
  opened.add(record, () => record.close());
  onRecord?.(record);
  if (record.repaired > 0) note(`the journal's last record was torn: ${record.repaired} bytes cut off`);
  const { fail: lose, orLost } = lossOf();

  // ── model, engine, trainer ──
  const base = baseFor(config);
  const policy = policySpecOf(config);
  const renderer = rendererFor(policy);
  const cast = castSpecOf(config, policy);
  const start: Standing = (recovered?.last == null ? null : standingAfter(folder.checkpoints, recovered.last)) ?? {
    committed: null,
    weights: firstWeights(config, base),
    curriculum: startOf(config.curriculum),
    history: [],
    updates: 0,
  };
  const firstStep = start.committed === null ? 1 : Number(start.committed.step.slice(1)) + 1;
  removeLeftovers(folder.checkpoints, start.committed?.step ?? null);
  // An earlier process may have ended between its last commit and the pruning that follows it.
  pruneCheckpoints(folder.checkpoints, retentionOf(config));
  for (const text of [...notes, ...cautions(config)]) note(text);
  const { engines, trainer, announce, ready } = await acceleratorFor(config, base, start.weights, renderer, {
    run,
    logs: folder.logs,
    opened,
    note,
    returned: (server) => broker.returned(server),
    fail: lose,
  });

  // ── broker and pool ──
  const recordEvents: DrawingPorts['record'] = (events) => record.append({ kind: 'events', events });
  const wheel = opened.add(deadlineWheel(systemClock), (each) => each.close());
  const events = recorder(recordEvents, wheel);
  const broker = createBroker({
    engines,
    clock: systemClock,
    seed: config.seed,
    version: start.weights.version,
    pollMs: config.engine.vllm.pollMs,
    // A server that dies is started again; a thread is not.
    recoveryMs: config.engine.kind === 'vllm' || config.engine.kind === 'fake' ? config.engine.vllm.startMs : 0,
    chart: laneModes(events),
    stallMs: turnMs,
    record: (frame: Frame) => {
      record.append(frame);
      if (frame.kind === 'group.sealed') record.flush({ sync: true }).catch(lose);
    },
    // What the canary was answered by another process proves nothing about this one.
    recall: (id) => (id.startsWith(canaryGroup) ? undefined : recovered?.replies.get(id)),
    onStall: (waits) => note(`nothing was answered for long: ${waits.length} calls wait`),
  });
  opened.add(broker, () => broker.close());
  const pool = createRolloutPool({
    broker,
    clock: systemClock,
    cast,
    record: (frame) => record.append(frame),
    recordPacked: (frame) => record.appendPacked(frame),
    workers: threadsOf(config.rollout.workers, workerLimit),
    window: config.rollout.window,
    attempts: config.rollout.attempts,
    reproduce: (task) => `node dist/run.js show ${task.id} --run ${folder.dir}`,
    quarantined: (recovered?.quarantined ?? []).map(({ task }) => task.id),
  });
  opened.add(pool, () => pool.close());
  const roll = rolling({ pool, announce, before: recovered?.groups ?? [], orLost, deadlineMs: stepMs });

  // ── tasks: for training, for the examination, for the canary ──
  const { repository, examined, rejected } = repositoryFor(config);
  for (const text of toolNotes(config.tools, repository.tools.length, rejected)) note(text);
  const waits = (deadline: string) => ({ ms: deadline === 'evaluate' ? stepMs * config.eval.levels.length : stepMs, rank: 2 });
  const { simulators, examiners } = playersOf(cast);
  const papers: DrawingPorts = { simulators: examiners, repository: examined, clock: systemClock, record: recordEvents };
  const drawing: DrawingPorts = {
    ...papers,
    simulators,
    repository,
    ...(config.roles.task === 'lm'
      ? { chat: broker.chat?.bind(broker), disguised: config.tools === 'builtin', said: new Sayings(recovered?.queries) }
      : {}),
  };
  const curriculum = createCurriculum(
    { rule: config.curriculum, seed: config.seed, state: start.curriculum },
    { recorder: events, waits, fail: lose },
  );
  const examination = createExamination(config, {
    run,
    drawing: config.eval.roles === 'same' ? drawing : papers,
    roll,
    record: async (frame) => {
      record.append(frame);
      await record.flush({ sync: true });
    },
    held: recovered?.evaluations ?? [],
  });

  const judges = config.roles.judge === 'lm' ? broker.chat?.bind(broker) : undefined;
  const calibration =
    judges === undefined
      ? undefined
      : createCalibration(config, {
          judge: simulators.judge,
          panel: simulators.panel,
          chat: judges,
          clock: systemClock,
          record: (frame) => record.append(frame),
          note,
          abandon: (group) => broker.abandon(group),
          held: recovered?.calibrations ?? [],
        });

  // ── policy update ──
  const canary = await canaryTask(config, papers, signal);
  announce([jobOf(config, run, stepId(0), canary, start.weights.version)]);
  const sing = singWith(broker, engines, turnMs);
  const policyUpdate = createPolicyUpdate(
    policyUpdateOptions(config, folder.checkpoints, { prompt: renderer.open(canary).slice(), stop: renderer.stop }),
    {
      trainer,
      record: async (frame, { sync }) => {
        record.append(frame);
        await record.flush({ sync });
      },
      publish: (weights) => orLost(broker.publish(weights)),
      sing: (requests, signal) => orLost(sing(requests, signal)),
      clock: systemClock,
      open: updateModes(events, waits),
      ...(isTimesliced(config) ? { lend: () => broker.suspend(), takeBack: () => broker.resume() } : {}),
    },
    start,
  );
  opened.add(policyUpdate, (each) => each.close());

  // ── the experiment ──
  const budgetMs = config.budget.minutes === undefined ? undefined : config.budget.minutes * 60_000;
  const account = openAccount({
    clock: systemClock,
    steps,
    firstStep,
    sampledBefore: recovered === null ? 0 : sampledTokensOf(folder),
    budgetMs,
    // Of the servers' slots, over the run so far.
    timing: (row) => record.timing({ ...row, occupancy: broker.status().occupancy }),
    progress,
  });
  const stepping = stepsOf({
    config,
    run,
    record,
    loadTrainer: async () => {
      await orLost(ready());
      if (start.committed !== null && trains(config)) await trainer.loadState(trainerState(folder.checkpoints, start.committed));
    },
    curriculum,
    drawing,
    issued: new Map((recovered?.tasks ?? []).map(({ task }) => [task.id, task])),
    roll,
    examination,
    ...(calibration === undefined ? {} : { calibration }),
    policyUpdate,
    account,
    progress,
    tell: (message) => experiment.tell(message),
  });
  const experiment = createExperiment(
    {
      step: firstStep,
      version: start.weights.version,
      difficulty: start.curriculum.difficulty,
      lastStep: steps,
      evaluateBefore: config.eval.at.includes('start') && firstStep === 1,
      evaluateAfter: config.eval.at.includes('end'),
      evaluateEvery: config.eval.every,
    },
    { steps: stepping, recorder: events, waits, clock: systemClock, signal, budgetMs },
  );

  // ── run ──
  const output = await experiment.run();
  const ended = output.ending === 'interrupted' && stepping.paused !== null ? 'paused' : output.ending;
  const detail = output.fault?.message ?? stepping.paused ?? '';
  record.append({ kind: 'run.halted', reason: ended, detail });
  if (output.fault !== null) throw faultFrom(output.fault);
  const { standing } = policyUpdate;
  const heldOut = examination.results(standing.committed === null ? 0 : Number(standing.committed.step.slice(1)));
  return summaryOf({ folder, ended, detail, seconds: account.elapsed / 1000, standing, heldOut, judge: calibration?.summary });
}
