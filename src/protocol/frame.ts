/** What the journal holds: one frame per fact, in the order in which the run learnt it. The journal is the truth; everything shown or exported is a projection of it. */
import { z } from 'zod';
import { Fault } from './fault.ts';
import { GroupEnvelope } from './group.ts';
import { CallId, EpisodeId, GroupId, PolicyVersion, RunId, StepId } from './ids.ts';
import { AskedChat } from './inference.ts';
import { JsonObject, JsonValue } from './json.ts';
import { StepCommitted, StepIntent, Weights } from './policy.ts';
import { TokenSignals } from './signals.ts';
import { Task } from './task.ts';

/** One event an actor received, and the state it led to. Replaying the events of an actor through its machine must reproduce the hashes. */
export const RecordedEvent = z.strictObject({
  /** Path of the actor: `s00001.t003.e05/agent`, `run/experiment`, `run/broker`. */
  actor: z.string(),
  event: z.looseObject({ type: z.string() }),
  /** First 8 hex digits of sha256 over the canonical JSON of the state value. */
  state: z.string(),
});
export type RecordedEvent = z.infer<typeof RecordedEvent>;

/** What an episode is played anew from: another run's, and the index of its first turn that is new. */
export const Parent = z.strictObject({ run: RunId, episode: EpisodeId, turn: z.int().min(0) });
export type Parent = z.infer<typeof Parent>;

const bytes = z.instanceof(Uint8Array);

export const Frame = z.discriminatedUnion('kind', [
  /** `parent`: of a fork, which is one episode. */
  z.strictObject({ kind: z.literal('run.started'), run: RunId, version: z.string(), config: JsonObject, parent: Parent.optional() }),
  /** A process took the run up again after `after` (the last committed step, or null). */
  z.strictObject({ kind: z.literal('run.resumed'), run: RunId, after: StepId.nullable() }),
  z.strictObject({ kind: z.literal('task.issued'), step: StepId, task: Task }),
  z.strictObject({ kind: z.literal('events'), events: z.array(RecordedEvent) }),
  /** A text that chat calls refer to by `hash` (16 hex digits of its sha256), before the first that does; said again by each process that refers to it. */
  z.strictObject({ kind: z.literal('call.part'), hash: z.string(), text: z.string() }),
  /** What a simulator's model is asked, once for each call, before it is. Its `call.reply`, if one comes, has the same id. */
  z.strictObject({ kind: z.literal('call.asked'), id: CallId, group: GroupId, asked: AskedChat }),
  /** Packed TokenReply or ChatReply: asked again under the same key, the broker answers with these bytes. */
  z.strictObject({ kind: z.literal('call.reply'), id: CallId, group: GroupId, bytes }),
  /** `bytes` is the packed RolloutGroup whose sha256 the envelope carries. */
  z.strictObject({ kind: z.literal('group.sealed'), envelope: GroupEnvelope, bytes }),
  z.strictObject({ kind: z.literal('step.intent'), intent: StepIntent }),
  /** Before the step's commit: what its first pass made of the tokens it trained of one group, trace by trace. `version`: of the weights that saw them, which need not be those that sampled them. */
  z.strictObject({
    kind: z.literal('group.signals'),
    step: StepId,
    group: GroupId,
    version: PolicyVersion,
    traces: z.array(z.strictObject({ episode: EpisodeId, trace: z.int().min(0), signals: TokenSignals })),
  }),
  z.strictObject({ kind: z.literal('step.committed'), committed: StepCommitted, metrics: JsonObject }),
  z.strictObject({ kind: z.literal('policy.published'), weights: Weights }),
  z.strictObject({ kind: z.literal('evaluation'), when: z.enum(['before', 'after', 'during']), step: StepId, result: JsonValue }),
  /** Before `step`, the judge was asked about episodes of known verdict. `trials`: what it said of each (learning/calibration.ts). */
  z.strictObject({ kind: z.literal('judge.calibrated'), step: StepId, trials: JsonValue }),
  z.strictObject({ kind: z.literal('task.quarantined'), task: Task, faults: z.array(Fault), command: z.string() }),
  z.strictObject({
    kind: z.literal('run.halted'),
    reason: z.enum(['done', 'budget', 'interrupted', 'fault', 'paused']),
    detail: z.string(),
  }),
]);
export type Frame = z.infer<typeof Frame>;
export type FrameOf<K extends Frame['kind']> = Extract<Frame, { kind: K }>;
