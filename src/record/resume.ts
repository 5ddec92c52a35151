/** Where an interrupted run goes on: folded from its journal. Knows facts; whether a checkpoint is whole it asks, and it starts nothing. */
import { RecordFault } from '../errors.ts';
import type { Bytes } from '../protocol/codec.ts';
import type { Frame, FrameOf } from '../protocol/frame.ts';
import type { GroupEnvelope } from '../protocol/group.ts';
import type { GroupId, RunId, StepId } from '../protocol/ids.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { StepCommitted, StepIntent, Weights } from '../protocol/policy.ts';
import type { Task } from '../protocol/task.ts';
import { framesFrom, type Position } from './reader.ts';
import { Replies } from './replies.ts';

export interface Recovered {
  readonly run: RunId;
  /** As it was when the run started: resolved, so that a changed default changes nothing. */
  readonly config: JsonObject;
  /** The last commit whose checkpoint is whole; null = begin with the base policy. */
  readonly last: StepCommitted | null;
  /** Commits up to and including `last`, oldest first. */
  readonly commits: readonly StepCommitted[];
  /** Committed steps after it whose checkpoint is not whole: they are repeated from the record. */
  readonly repeated: readonly StepId[];
  /** Tasks issued for steps after it, in the order they were issued. */
  readonly tasks: readonly { readonly step: StepId; readonly task: Task }[];
  /** What the users of all tasks up to it first said, in the order in which they were issued. */
  readonly queries: readonly string[];
  /** Sealed groups of steps after it: they are trained on and never rolled out again. */
  readonly groups: readonly { readonly envelope: GroupEnvelope; readonly bytes: Bytes }[];
  /** Replies to calls of groups that were not sealed. */
  readonly replies: Replies;
  /** A step that was begun and not committed. */
  readonly intent: StepIntent | null;
  readonly quarantined: readonly FrameOf<'task.quarantined'>[];
  readonly evaluations: readonly FrameOf<'evaluation'>[];
  readonly calibrations: readonly FrameOf<'judge.calibrated'>[];
  /** Published policies up to `last`. */
  readonly published: readonly Weights[];
  /** Why the last process stopped; null = it was killed. */
  readonly halted: FrameOf<'run.halted'> | null;
}

/**
 * Reads the whole journal in `dir`. `isWhole` tells whether a commit's checkpoint verifies. Throws RecordFault where the journal is damaged or holds no run.
 * The caller holds the run's lock.
 */
export function recover(dir: string, isWhole: (committed: StepCommitted) => boolean): Recovered {
  const frames: Frame[] = [];
  const replies = new Replies();
  // Only where sealed groups lie: a long run's groups do not fit into memory together.
  const sealed = new Map<GroupId, { readonly envelope: GroupEnvelope; readonly at: Position }>();
  for (const { frame, at } of framesFrom(dir)) {
    if (frame.kind === 'call.reply') replies.add(frame.id, frame.group, frame.bytes);
    else if (frame.kind === 'group.sealed') {
      sealed.set(frame.envelope.group, { envelope: frame.envelope, at });
      replies.forget(frame.envelope.group);
    } else if (!unneeded.has(frame.kind)) frames.push(frame);
  }
  const started = frames.find((frame) => frame.kind === 'run.started');
  if (started === undefined) throw new RecordFault(`the journal in ${dir} holds no run: it was interrupted before it began; start it anew`);
  const commits = standingCommits(frames);
  const last = commits.findLast(isWhole) ?? null;
  const after = last?.step ?? '';
  const evaluations = lastOf(frames, 'evaluation', (frame) => `${frame.when} ${frame.step}`).filter(
    (frame) => frame.when === 'before' || frame.step <= after,
  );
  const isDone = (step: string): boolean => (step.startsWith('e') ? isEvaluated(step, after, evaluations) : step <= after);
  const issued = lastOf(frames, 'task.issued', (frame) => frame.task.id);
  const groups = [...sealed.values()].filter(({ envelope }) => !isDone(envelope.step));
  return {
    run: started.run,
    config: started.config,
    last,
    commits: commits.filter((commit) => commit.step <= after),
    repeated: commits.flatMap((commit) => (commit.step > after ? [commit.step] : [])),
    tasks: issued.filter((frame) => frame.step > after),
    queries: issued.flatMap(({ step, task }) => (step > after ? [] : [task.query])),
    groups: groups.map(({ envelope, at }) => ({ envelope, bytes: bytesAt(dir, at) })),
    replies,
    intent: lastOf(frames, 'step.intent', () => '').find((frame) => frame.intent.step > (commits.at(-1)?.step ?? ''))?.intent ?? null,
    quarantined: lastOf(frames, 'task.quarantined', (frame) => frame.task.id),
    evaluations,
    calibrations: lastOf(frames, 'judge.calibrated', (frame) => frame.step),
    published: lastOf(frames, 'policy.published', (frame) => String(frame.weights.version))
      .map((frame) => frame.weights)
      .filter((weights) => weights.version <= (last?.version ?? 0)),
    halted: haltOf(frames),
  };
}

/** What is only looked at, and would fill the memory of whoever goes on. */
const unneeded = new Set<Frame['kind']>(['events', 'group.signals', 'call.asked', 'call.part']);

/** Evaluations are named `e<step>.<when>`: one that was recorded is done, one of a step that is taken back is done for. */
function isEvaluated(name: string, after: string, evaluations: readonly FrameOf<'evaluation'>[]): boolean {
  const [number, when] = name.slice(1).split('.');
  const step = `s${number}`;
  return step < after || evaluations.some((frame) => frame.when === when && frame.step === step);
}

function bytesAt(dir: string, at: Position): Bytes {
  const [recorded] = framesFrom(dir, at);
  if (recorded?.frame.kind !== 'group.sealed') throw new RecordFault(`the journal in ${dir} changed while it was read`);
  return recorded.frame.bytes;
}

/** Commits that count: a process that resumed after step s took back every commit behind s. Oldest first. */
function standingCommits(frames: Iterable<Frame>): StepCommitted[] {
  let commits: StepCommitted[] = [];
  for (const frame of frames) {
    if (frame.kind === 'step.committed') commits.push(frame.committed);
    if (frame.kind === 'run.resumed') commits = commits.filter((commit) => frame.after !== null && commit.step <= frame.after);
  }
  return commits;
}

/** Frames of one kind, the last one of each key, in the order of their first: what a resumed process said again replaces what was said before. */
function lastOf<K extends Frame['kind']>(frames: readonly Frame[], kind: K, keyOf: (frame: FrameOf<K>) => string): FrameOf<K>[] {
  const found = new Map<string, FrameOf<K>>();
  for (const frame of frames) if (frame.kind === kind) found.set(keyOf(frame as FrameOf<K>), frame as FrameOf<K>);
  return [...found.values()];
}

function haltOf(frames: readonly Frame[]): FrameOf<'run.halted'> | null {
  const last = frames.findLast((frame) => frame.kind === 'run.halted' || frame.kind === 'run.resumed');
  return last?.kind === 'run.halted' ? last : null;
}
