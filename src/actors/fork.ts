/**
 * Plays one episode of a run anew from one of its turns, as a small run of its own that knows its parent: the parent's record is read and never written.
 * Before the turn everybody is answered as they were (past.ts); from it on the engine samples and the simulators answer, with the seed, the policy version and the config that are given.
 */
import type { Config } from '../config.ts';
import { CancelledFault, ConfigFault, EngineFault, faultFrom, RecordFault } from '../errors.ts';
import { createBroker } from '../gpu/broker.ts';
import { listCheckpoints, readCheckpoint, versionIn } from '../gpu/checkpoint.ts';
import { weightsIn } from '../gpu/policy-update-commit.ts';
import { pack } from '../protocol/codec.ts';
import type { Episode } from '../protocol/episode.ts';
import type { Parent } from '../protocol/frame.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import type { EpisodeId, RunId } from '../protocol/ids.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Weights } from '../protocol/policy.ts';
import { type Seed, seedOf } from '../random.ts';
import type { RunFolder } from '../record/folder.ts';
import { type RunRecord, startRecord } from '../record/record.ts';
import { acceleratorFor, baseFor, firstWeights } from './accelerator.ts';
import { castOf } from './cast.ts';
import { systemClock } from './clock.ts';
import { enveloped } from './envelope.ts';
import { type GroupJob, runGroup } from './group.ts';
import { jobOf } from './job.ts';
import { lossOf } from './loss.ts';
import { openings, type Openings } from './openings.ts';
import { originalIn, sittingOf, trainedIn, versionsKept } from './original.ts';
import { pastOf } from './past.ts';
import { castSpecOf } from './settings.ts';
import { playable, policySpecOf } from './stand-in.ts';
import { version as programVersion } from './version.ts';

export interface ForkAsked {
  readonly episode: EpisodeId;
  /** Index in the episode's turns of the first that is new; as many as there are turns: it is only judged anew. */
  readonly turn: number;
  /** Left out: the run's own. */
  readonly seed?: Seed | undefined;
  /** Left out: the one that said the episode's last turn. */
  readonly version?: number | undefined;
}

/** All that is needed to play it; nothing has begun. */
export interface Fork {
  readonly parent: Parent;
  /** The episode as it was. */
  readonly original: Episode;
  readonly config: Config;
  readonly weights: Weights;
  readonly job: Omit<GroupJob, 'run'>;
}

export interface Forked {
  readonly group: RolloutGroup;
  readonly episode: Episode;
  /** Turns, tokens, log-probs and outcome are the parent's, byte for byte. */
  readonly isSame: boolean;
}

/**
 * Reads what the fork begins with. `config`: what the episode was played with (`configAsPlayed`), changed where that is wanted.
 * Throws ConfigFault for what cannot be played, saying what could.
 */
export function forkOf(parent: RunFolder, config: Config, { episode: id, turn, seed = config.seed, version }: ForkAsked): Fork {
  const { run, runSeed, group, original, events } = originalIn(parent, id);
  if (!Number.isSafeInteger(turn) || turn < 0 || turn > original.turns.length)
    throw new ConfigFault(
      `${id} has turns 0 to ${original.turns.length - 1}; it can be played anew from one of them, or judged anew from ${original.turns.length}`,
    );
  const played: Config = { ...config, seed, steps: 0, eval: { ...config.eval, at: [], every: 0 } };
  const base = baseFor(playable(played).config);
  const weights = weightsOf(trainedIn(parent), firstWeights(played, base), version ?? original.policy?.end);
  // The server would say so too, after a minute.
  if (config.engine.kind === 'vllm' && weights.kind === 'full' && weights.version !== 0)
    throw new ConfigFault(
      `policy version ${weights.version} of ${parent.name} is a whole model, and a vLLM server takes adapters: choose --version 0, or the engine that it was trained with`,
    );
  const told = pastOf(events, original.id, turn);
  const { run: _, ...job } = jobOf(playable(played).config, run, group.step, group.task, weights.version, {
    group: group.id,
    members: 1,
    minimumScored: 1,
    ...manners(group),
  });
  const refill = [0, 1, 2, 3].find((each) => seedOf(runSeed, original.id, each) === original.seed) ?? 0;
  return {
    parent: { run, episode: original.id, turn },
    original,
    config: played,
    weights,
    job: { ...job, anew: { member: original.member, refill, told } },
  };
}

/** Plays it to its verdict and records it in `folder`, a run folder that is empty. Rejects with the fault that kept it from being played. */
export async function playFork(
  fork: Fork,
  { folder, signal, note }: { readonly folder: RunFolder; readonly signal: AbortSignal; note(text: string): void },
): Promise<Forked> {
  const run = folder.name as RunId;
  const { config, parent } = fork;
  const about = { version: programVersion, config: config as unknown as JsonObject, parent };
  const record = await startRecord(
    folder,
    { run, segmentBytes: config.record.segmentBytes, transcripts: config.record.transcripts },
    about,
  );
  const opened = openings();
  opened.add(record, () => record.close());
  try {
    const forked = await play(fork, { folder, run, record, opened, signal, note });
    record.append({ kind: 'run.halted', reason: 'done', detail: '' });
    return forked;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    record.append({ kind: 'run.halted', reason: error instanceof CancelledFault ? 'interrupted' : 'fault', detail });
    throw error;
  } finally {
    await opened.close();
  }
}

interface Place {
  readonly folder: RunFolder;
  readonly run: RunId;
  readonly record: RunRecord;
  readonly opened: Openings;
  readonly signal: AbortSignal;
  note(text: string): void;
}

async function play(fork: Fork, { folder, run, record, opened, signal, note }: Place): Promise<Forked> {
  const { config, notes } = playable(fork.config);
  for (const text of notes) note(text);
  const { original, weights } = fork;
  const job: GroupJob = { ...fork.job, run };
  const cast = castOf(castSpecOf(config, policySpecOf(config)));
  const { fail, orLost } = lossOf();
  /** Ends the episode, so that nothing is recorded after what ended it. */
  const gone = new AbortController();
  const lose = (fault: unknown): void => {
    fail(fault);
    gone.abort();
  };
  const interrupt = (): void => lose(new CancelledFault('the fork was interrupted'));
  signal.addEventListener('abort', interrupt, { once: true });
  opened.add(signal, (each) => each.removeEventListener('abort', interrupt));
  if (signal.aborted) interrupt();
  const { engines, announce, ready } = await acceleratorFor(config, baseFor(config), weights, cast.renderer, {
    run,
    logs: folder.logs,
    opened,
    note,
    returned: (server) => broker.returned(server),
    fail: lose,
  });
  const broker = createBroker({
    engines,
    clock: systemClock,
    seed: config.seed,
    version: weights.version,
    stallMs: config.rollout.deadlines.turnMs,
    pollMs: config.engine.vllm.pollMs,
    record: (frame) => record.append(frame),
  });
  opened.add(broker, () => broker.close());
  record.append({ kind: 'task.issued', step: job.step, task: job.task });
  announce([job]);
  await orLost(ready());
  void broker.expect(job.step, [job.group]);
  const group = await runGroup(
    job,
    {
      generate: (request, aborted) => broker.generate(request, aborted),
      ...(broker.chat === undefined ? {} : { chat: broker.chat.bind(broker) }),
      record: (events) => record.append({ kind: 'events', events }),
      simulators: job.simulation === undefined ? cast.examiners : cast.simulators,
      renderer: cast.renderer,
      clock: systemClock,
    },
    gone.signal,
  );
  if (group.sealedBy === 'cancel') await orLost(Promise.reject(new CancelledFault('the fork was interrupted')));
  const [episode] = group.episodes;
  if (episode === undefined) throw faultFrom(group.missing[0]?.fault ?? { kind: 'ThreadFault', message: `${original.id} left no episode` });
  const { envelope, bytes } = enveloped(group);
  broker.seal(envelope, bytes);
  await record.flush({ sync: true });
  const before = ({ turns }: Episode): Uint8Array => pack(turns.slice(0, fork.parent.turn));
  if (!isEqual(before(episode), before(original)))
    throw new RecordFault(`${original.id} does not lead to its turn ${fork.parent.turn} any more: its record is of another version`);
  if (episode.outcome.kind === 'infraFault' && episode.turns.length <= fork.parent.turn)
    throw new EngineFault(`nothing of it could be played: ${episode.outcome.fault.message}`);
  return { group, episode, isSame: isEqual(spokenIn(episode), spokenIn(original)) };
}

/** Whatever attempt it was. */
const spokenIn = ({ turns, traces, outcome }: Episode): Uint8Array => pack({ turns, traces, outcome });
const isEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** An examination has manners of its own. */
function manners({ id }: RolloutGroup): { readonly temperature?: number } {
  const sitting = sittingOf(id);
  return sitting === null ? {} : { temperature: sitting === 'greedy' ? 0 : 1 };
}

/** Left out: the newest kept. */
function weightsOf(run: RunFolder, first: Weights, version: number | undefined): Weights {
  const { checkpoints, name } = run;
  if (version === first.version) return first;
  for (const step of listCheckpoints(checkpoints).toReversed()) {
    if (version !== undefined && versionIn(checkpoints, step) !== version) continue;
    const checkpoint = readCheckpoint(checkpoints, step);
    if (checkpoint !== null) return weightsIn(checkpoint);
  }
  if (version === undefined) return first;
  throw new ConfigFault(
    `policy version ${version} of ${name} is not kept any more; kept are ${versionsKept(run, first.version).join(', ')}: choose one with --version (record.checkpoints says how many a run keeps)`,
  );
}
