/**
 * What actors say to each other, by receiver. Types only: between our own threads the type is trusted, and bytes are checked where they enter the process.
 * Named `receiver.verb`; plain data (no classes, functions, references), so that any of them can be recorded, replayed or sent as bytes.
 */
import type { Fault } from './fault.ts';
import type { Defect } from './health.ts';
import type { CallId, PolicyVersion } from './ids.ts';
import type { JsonValue } from './json.ts';
import type { SimulatorRole, Verdict } from './outcome.ts';
import type { Task } from './task.ts';
import type { ToolCall } from './tool.ts';
import type { AgentTurn, ToolStatus, ToolTurn, Turn, UserTurn } from './turn.ts';
import type { Patch } from './world.ts';

/** A turn the policy reads and does not write. */
export type ObservedTurn = UserTurn | ToolTurn;

/** A wait has ended without what was waited for. `deadline` is the name the waiting state gives in its meta. */
export type DeadlineExpired = { readonly type: 'deadline.expired'; readonly deadline: string };

/** `call` counts the agent's model calls: a reply to an earlier one is late. */
export type AgentMessage =
  | { readonly type: 'agent.prompt'; readonly turns: readonly ObservedTurn[] }
  | {
      readonly type: 'agent.sampled';
      readonly call: number;
      /** The ids sent since the last sampled token; the whole prompt is the trace followed by these. */
      readonly prompt: Int32Array;
      /** `prompt` is the whole prompt: the chat template does not append, so the trace so far is closed and another begins (rule L1). */
      readonly restart?: true;
      readonly ids: Int32Array;
      readonly logprobs: Float32Array;
      readonly stopped: boolean;
      readonly version: PolicyVersion;
      readonly turn: AgentTurn;
    }
  /** The prompt leaves no room to answer. */
  | { readonly type: 'agent.overflow'; readonly call: number; readonly length: number }
  | { readonly type: 'agent.fault'; readonly call: number; readonly fault: Fault }
  | DeadlineExpired;

/** Where an answer came from, or what ended without one. */
export type Source =
  /** The replies to these calls: several where it was voted on. */
  | { readonly from: 'model'; readonly calls: readonly CallId[] }
  /** Code: nothing was left to ask. */
  | { readonly from: 'rules' }
  /** The group knew already: from the reply to this call, or from the rehearsal of its task. */
  | { readonly from: 'group'; readonly call?: CallId }
  /** The episode that this one is played anew from. */
  | { readonly from: 'past' };

/**
 * Answers of whoever plays a role. `ask` counts the questions, `attempt` (from 0) the prompts of one question.
 * `source` is for whoever reads the record: no chart looks at it. Absent where code plays all roles, and in records of older versions.
 */
export type AskMessage<Answer> =
  | { readonly type: 'ask.read'; readonly ask: number; readonly attempt: number; readonly answer: Answer; readonly source?: Source }
  | {
      readonly type: 'ask.unreadable';
      readonly ask: number;
      readonly attempt: number;
      readonly complaint: string;
      /** What kind of wrong; absent: malformed. */
      readonly defect?: Defect;
      readonly raw: string;
      readonly source?: Source;
    }
  | { readonly type: 'ask.fault'; readonly ask: number; readonly attempt: number; readonly fault: Fault; readonly source?: Source }
  | DeadlineExpired;

/** Beside answers of the writer, what a rehearsal of its task came to: tool turns, then `task.proven`, or `task.refuted` with words for the writer. */
export type TaskMessage =
  | AskMessage<Task>
  | MessageOf<'episode.observed' | 'episode.faulted'>
  /** The next call can be made; the last one once more where the tool was busy. */
  | { readonly type: 'task.goOn' }
  | { readonly type: 'task.proven'; readonly task: Task }
  | { readonly type: 'task.refuted'; readonly complaint: string; readonly defect: Defect };

/** What the agent said to the user since the user last spoke, thoughts and calls left out. */
export type UserMessage =
  | { readonly type: 'user.hear'; readonly said: readonly string[] }
  | AskMessage<{ readonly text: string; readonly done: boolean }>;

export type ToolMessage =
  | { readonly type: 'tool.call'; readonly call: ToolCall }
  | AskMessage<{ readonly status: ToolStatus; readonly observation: JsonValue; readonly patch: Patch }>;

/** The one message that carries the whole transcript, thoughts stripped. */
export type JudgeMessage = { readonly type: 'judge.review'; readonly turns: readonly Turn[] } | AskMessage<Verdict>;

export type EpisodeMessage =
  | { readonly type: 'episode.said'; readonly turn: AgentTurn }
  | { readonly type: 'episode.overflowed'; readonly length: number }
  /** `done`: the user has nothing more to ask, and `turn` is not shown to the agent. */
  | { readonly type: 'episode.replied'; readonly turn: UserTurn; readonly done: boolean }
  | { readonly type: 'episode.observed'; readonly turn: ToolTurn }
  | { readonly type: 'episode.ruled'; readonly verdict: Verdict }
  | { readonly type: 'episode.faulted'; readonly role: 'agent' | SimulatorRole; readonly fault: Fault }
  | { readonly type: 'episode.cancel'; readonly reason: string }
  | DeadlineExpired;

/** How a member's episode ended, as far as its group cares. `crashed`: no episode came of it. */
export type MemberEnd = 'scored' | 'cut' | 'simulator' | 'infrastructure' | 'crashed';

export type GroupMessage =
  | {
      readonly type: 'group.ended';
      readonly member: number;
      readonly attempt: number;
      readonly end: MemberEnd;
      /** As much time is left to the group as the episode took. */
      readonly timeAllows: boolean;
    }
  | { readonly type: 'group.cancel' }
  | DeadlineExpired;

export type RunMessage =
  | { readonly type: 'run.interrupt' }
  | { readonly type: 'run.pause'; readonly reason: string }
  | { readonly type: 'run.resume' }
  | { readonly type: 'budget.spent'; readonly budget: 'steps' | 'tokens' | 'minutes' }
  | DeadlineExpired;

type Message = AgentMessage | UserMessage | ToolMessage | JudgeMessage | EpisodeMessage | GroupMessage | RunMessage;
export type MessageOf<T extends Message['type']> = Extract<Message, { type: T }>;
