/** What the viewer's server tells its page: values only, each a projection of a journal. Both sides import these types; nothing here runs. */
import type { AspectName, Aspects, Branch } from '../protocol/task.ts';
import type { Fault } from '../protocol/fault.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { ChatReply } from '../protocol/inference.ts';
import type { Outcome, SimulatorRole } from '../protocol/outcome.ts';
import type { Turn } from '../protocol/turn.ts';
import type { Task } from '../protocol/task.ts';
import type { RecordedEvent } from '../protocol/frame.ts';
import type { CallRow as Projected, WordedCall } from '../record/projections/calls.ts';

/** One line of the list of runs. */
export interface RunCard {
  readonly run: string;
  readonly state: 'running' | 'done' | 'budget' | 'interrupted' | 'paused' | 'fault';
  readonly steps: number;
  readonly ofSteps: number | null;
  readonly difficulty: number | null;
  readonly meanReward: number | null;
  readonly success: number | null;
  /** Mean reward of the last steps, at most 60, for a sparkline; oldest first. */
  readonly rewards?: readonly (number | null)[];
  /** Of a fork, which is one episode: what it was played anew from. */
  readonly parent?: { readonly run: string; readonly episode: string; readonly turn: number };
  /** For people: a torn tail that is being written, damage with its offset, a folder that vanished; null = whole. */
  readonly trouble: string | null;
}

/** A run: its config, one row a committed step (metrics.jsonl as it is) and of wall times (timings.jsonl), evaluations, and what its journal suffers from. */
export interface RunPage extends RunCard {
  /** Share of the journal that was read when this was answered; absent = all. What comes from it (evaluations, aspects, actors) is not whole yet: ask again. */
  readonly read?: number;
  readonly config: JsonObject;
  readonly metrics: readonly JsonObject[];
  readonly timings: readonly JsonObject[];
  readonly evaluations: readonly {
    readonly when: 'before' | 'after' | 'during';
    readonly step: number;
    readonly levels: readonly JsonObject[];
  }[];
  readonly halted: { readonly reason: string; readonly detail: string } | null;
  /** Of the training tasks of one step, newest last: the bound of each aspect at the curriculum's D, and what was drawn. */
  readonly aspects?: readonly {
    readonly step: string;
    readonly tasks: number;
    readonly drawn: Readonly<Record<AspectName, DrawnAspect>>;
  }[];
  /** The run's own actors as they stand (`run/experiment`, `run/broker`, …): chart, state value, the edge last taken and the event that took it. */
  readonly actors?: readonly {
    readonly actor: string;
    readonly machine: string;
    readonly value: unknown;
    readonly edge: string | null;
    readonly event: string | null;
    /** As in ActorStanding, over the run so far. */
    readonly edges?: readonly string[];
    readonly visits?: Readonly<Record<string, number>>;
    readonly dwell?: Readonly<Record<string, number>>;
  }[];
}

/** One aspect over the tasks of a step. */
export interface DrawnAspect {
  readonly bound: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
}

/** A row of the episode table; `null` where the member left no episode. */
export interface EpisodeRow {
  readonly episode: string | null;
  readonly group: string;
  readonly step: string;
  readonly member: number;
  readonly D: number;
  readonly branch: Branch;
  readonly split: 'train' | 'heldOut';
  readonly outcome: string;
  readonly reason: string;
  readonly reward: number | null;
  readonly turns: number;
  readonly calls: number;
  readonly tools: readonly string[];
  /** Calls that could not be read; null while only episodes.jsonl was read. */
  readonly malformed: number | null;
  readonly sampledTokens: number;
  readonly version: number | null;
  /** What learning made of it, in the census's words: `trained`, `zeroVariance`, `heldOut`, the fault, …; '' while only episodes.jsonl was read. */
  readonly fate: string;
  /** Of the opening words, for the table. */
  readonly query: string;
}
export interface EpisodeList {
  /** Share of the journal that was read when this was answered; absent = all. The list is not whole yet: ask again. */
  readonly read?: number;
  /** That match; rows are a window of them. */
  readonly total: number;
  readonly rows: readonly EpisodeRow[];
  readonly facets: Readonly<
    Record<'outcome' | 'branch' | 'step' | 'tool' | 'reward', readonly { readonly value: string; readonly count: number }[]>
  >;
}

/** A window of a trace's tokens, columns of one table: `GET …/episodes/:id/strips/:n?from&count`. Ids, log-probs (natural), flags (protocol/trace.ts), version; `text` as the renderer shows it. */
export interface TokenStrip {
  readonly ids: readonly number[];
  readonly text: readonly string[];
  readonly logprobs: readonly (number | null)[];
  readonly sampled: readonly boolean[];
  readonly version: readonly number[];
  /** Of the trainer's distribution over what could have stood there, in nats; null where it was read. Absent where the trainer never saw these tokens, or the record does not know. */
  readonly entropy?: readonly (number | null)[];
  /** The trainer's log-prob of the same token (natural), likewise. */
  readonly trainer?: readonly (number | null)[];
}

/** All of a trace but its tokens, enough to set them in rows and to find a turn's: `GET …/episodes/:id/strips` has one a trace. */
export interface StripOutline {
  readonly tokens: number;
  /** Of each stretch that was sampled in one go, its first token and one past its last: one turn of the agent each. */
  readonly stretches: readonly (readonly [from: number, until: number])[];
  /** One character a token (token-face.ts). */
  readonly widths: string;
  /** Of the policy, in what was sampled; ascending. */
  readonly versions: readonly number[];
  /** Columns the record knows beside those that every strip has. */
  readonly knows: readonly ('entropy' | 'trainer')[];
  /** What the trainer made of what was sampled, all in all; absent where it never saw these tokens, or the record does not know. */
  readonly trainer?: {
    /** Of the weights it saw them with. */
    readonly version: number;
    /** Mean, nats. */
    readonly entropy: number;
    /** |sampler − trainer| of log-probs: the mean, and the largest. */
    readonly gap: number;
    readonly most: number;
  };
}

export interface EpisodePage {
  readonly id: string;
  readonly run: string;
  readonly group: string;
  readonly member: number;
  readonly siblings: readonly { readonly id: string; readonly member: number; readonly reward: number | null }[];
  readonly task: Task;
  readonly aspects: Aspects;
  readonly turns: readonly Turn[];
  /** `null` while it is being played: turns are those so far, and there are no strips yet. */
  readonly outcome: Outcome | null;
  readonly reward: number | null;
  readonly advantage: number | null;
  readonly version: number | null;
  /** One a trace: how long it is. Its tokens are asked for by window. */
  readonly strips: readonly { readonly tokens: number; readonly sampled: number }[];
  /** Where it was forked from. */
  readonly parent: { readonly run: string; readonly episode: string; readonly turn: number } | null;
  /** Runs that are forks of it, newest first, some dozens at most. */
  readonly forks: readonly ForkCard[];
  /** Recorded events in all; the page asks for windows of them. */
  readonly events: number;
}

/** Events of an episode's actors in order, with the state each led to (recomputed through the chart) and whether its hash is the recorded one. */
export interface EventWindow {
  readonly from: number;
  /** Every actor that acted before this window, as it stood then; with the window's events it gives every actor at every moment of it (chart/standing.ts). */
  readonly before?: readonly ActorStanding[];
  readonly events: readonly (RecordedEvent & {
    readonly index: number;
    readonly value: unknown;
    readonly agrees: boolean;
    /** The last of `edges`. */
    readonly edge: string | null;
    /** All edges of the chart it took, in order: one event may lead through several states. */
    readonly edges?: readonly string[];
  })[];
}

/** Where one actor stands after a number of events, and how it came there. Ids are those of its chart's geometry. */
export interface ActorStanding {
  readonly actor: string;
  /** Name of its chart. */
  readonly machine: string;
  readonly value: unknown;
  /** Taken by its last event, in order. */
  readonly edges: readonly string[];
  /** Index of its last event. */
  readonly at: number;
  /** Id of an edge → how often it was taken; a state was entered as often as the edges into it. */
  readonly visits: Readonly<Record<string, number>>;
  /** Id of a state → events, of all actors, that passed while it lasted: records hold no times. */
  readonly dwell: Readonly<Record<string, number>>;
}

/** All events of an episode in columns, without what was said: small enough for 100,000 of them. `GET …/episodes/:id/outline`. */
export interface EventOutline {
  /** Names within the episode: `episode`, `agent`, … */
  readonly actors: readonly string[];
  readonly types: readonly string[];
  /** Distinct state values (null: nobody knows), and distinct lists of chart edges taken together. */
  readonly values: readonly unknown[];
  readonly edges: readonly (readonly string[])[];
  // One entry an event, each an index into the lists above.
  readonly actor: readonly number[];
  readonly type: readonly number[];
  /** State of that actor after the event, and what it took to get there. */
  readonly value: readonly number[];
  readonly edge: readonly number[];
  /** Index of the turn that the event led to; as many as there are turns: it came after the last. −1: of an attempt that was given up. */
  readonly turn: readonly number[];
  /** Events whose state is not the recorded one. */
  readonly disagree: readonly number[];
}

export interface GroupPage {
  readonly id: string;
  readonly run: string;
  readonly step: string;
  readonly task: Task;
  /** `running`: not sealed yet; its members are those that have begun, without rewards. */
  readonly status: 'sealed' | 'failed' | 'running';
  readonly members: readonly {
    readonly id: string;
    readonly member: number;
    readonly turns: readonly Turn[];
    /** `null` while it is being played. */
    readonly outcome: Outcome | null;
    readonly reward: number | null;
    readonly advantage: number | null;
  }[];
  readonly missing: readonly { readonly member: number; readonly fault: Fault }[];
  /** All scored members have one reward: no gradient. */
  readonly zeroVariance: boolean;
}

/** Two runs on tasks that both were given: `GET /api/compare?a&b&offset&limit`. Tasks are the same by name, difficulty, branch and opening words. */
export interface ComparePage {
  readonly a: string;
  readonly b: string;
  /** Share of the journals that was read when this was answered; absent = all. */
  readonly read?: number;
  readonly heldOut: readonly HeldOutPair[];
  /** Training tasks; those on which the runs are farthest apart first. */
  readonly tasks: {
    readonly total: number;
    /** Of `b` that `a` was not given. */ readonly others: number;
    readonly rows: readonly ComparedTask[];
  };
}

/** One sitting of an evaluation at one difficulty (null: at all), over the tasks that both runs were scored on. */
export interface HeldOutPair {
  /** `after, greedy` */
  readonly sitting: string;
  readonly D: number | null;
  readonly tasks: number;
  /** Shares of solved tasks. */
  readonly a: number;
  readonly b: number;
  /** b less a, paired by task, with its 95 % interval; null for fewer than two tasks. */
  readonly gain: { readonly mean: number; readonly low: number; readonly high: number } | null;
}

export interface ComparedTask {
  readonly step: string;
  readonly D: number;
  readonly branch: Branch;
  readonly query: string;
  readonly a: ComparedGroup;
  readonly b: ComparedGroup;
}
export interface ComparedGroup {
  readonly group: string;
  readonly members: readonly { readonly episode: string | null; readonly member: number; readonly reward: number | null }[];
}

/** What the policy read before one of its turns, and what it then sampled: ids as they were sent, and their text, token by token. */
export interface PromptPage {
  /** Index in the episode's turns. */
  readonly turn: number;
  /** Which of the episode's strips. */
  readonly strip: number;
  readonly ids: readonly number[];
  readonly text: readonly string[];
  /** As many of them stood in the prompt and reply of the turn before; 0 where the chat template wrote everything anew. */
  readonly known: number;
  readonly sampled: { readonly ids: readonly number[]; readonly text: readonly string[] };
}

/** A prompt and what came of it, as the projection of calls has it; the agent's is the policy's. */
export type CallEnd = Projected['end'];

/**
 * All that was asked in an episode (`GET …/episodes/:id/calls`), or while a group's task was written (`GET …/groups/:group/calls`), in order and in columns, without what was said:
 * small enough for tens of thousands.
 */
export interface CallList {
  /** Whether the record holds what this group's simulators were asked. */
  readonly recorded: boolean;
  /** Who plays each role there. */
  readonly players: Readonly<Record<SimulatorRole, 'model' | 'code'>>;
  readonly actors: readonly string[];
  /** `model`, `rules`, `group`, `past`, as in an answer's source; `` where it has none. */
  readonly sources: readonly string[];
  readonly ends: readonly CallEnd[];
  // One entry a prompt, or a question that cost none: an index into the lists above.
  readonly actor: readonly number[];
  readonly source: readonly number[];
  readonly end: readonly number[];
  /** Which prompt for the same question, from 0. */
  readonly attempt: readonly number[];
  /** Index of the event that ended it, in the outline; −1: none did. */
  readonly event: readonly number[];
}

/** One of them. `GET …/calls/:n` */
export interface CallPage extends Pick<Projected, 'actor' | 'tool' | 'ask' | 'attempt' | 'end' | 'complaint' | 'defect' | 'raw' | 'fault'> {
  readonly index: number;
  readonly event: number | null;
  readonly source: string;
  /** Calls made for it; several where it was voted on, none of the policy's. */
  readonly calls: readonly ChatPage[];
  /** No model was asked: somebody of the group had been told by this one. */
  readonly told: ChatPage | null;
}

/** A chat call, word for word. */
export interface ChatPage {
  readonly id: string;
  /** null: the record does not hold what was asked. */
  readonly asked: WordedCall | null;
  /** null: none came. */
  readonly reply: Omit<ChatReply, 'id'> | null;
  /** Paths whose actors it answered: episodes, or the group for its task. Who asked comes first. */
  readonly shared: readonly string[];
}

/** What /api/live sends: `event:` is the kind, `data:` the rest as JSON, `id:` the place in the run's journal to go on from (Last-Event-ID). */
export type LiveEvent =
  /** Without `?run=`: a card that has changed, all of them at first. With it: that run's. */
  | { readonly kind: 'run'; readonly card: RunCard }
  /** A committed step: its row of metrics.jsonl. */
  | { readonly kind: 'step'; readonly row: JsonObject }
  /** A group was sealed: its rows of the episode table. */
  | { readonly kind: 'episode'; readonly rows: readonly EpisodeRow[] }
  /** What the trainer made of a group's tokens was recorded: its strips know more. */
  | { readonly kind: 'signals'; readonly group: string }
  /** Actors of a group (or `run`: the run's own) received events: ask for what you show of it. */
  | { readonly kind: 'events'; readonly group: string }
  /** Too much happened since Last-Event-ID, or the journal was begun anew: fetch again what you show. */
  | { readonly kind: 'reset' };

/** The body of every answer that is no success. */
export interface Refusal {
  readonly error: string;
  /** Of a filter that cannot be read: where. */
  readonly at?: number;
  /** Of what may come with the rest of a journal: the share of it that was read. Ask again. */
  readonly read?: number;
}

/** The body of POST /api/actions/fork; the answer is a ForkState. */
export interface ForkRequest {
  readonly run: string;
  readonly episode: string;
  /** Index in the episode's turns from which it is played anew. */
  readonly turn: number;
  readonly seed?: number;
  readonly version?: number;
  /** `key=value` each: roles and settings of ForkChoices. */
  readonly set?: readonly string[];
}

/** How a fork goes that was asked for: GET /api/forks lists the last ones, newest first; DELETE /api/actions/fork/:id cancels one. */
export interface ForkState {
  readonly id: number;
  readonly request: ForkRequest;
  readonly state: 'playing' | 'done' | 'failed' | 'cancelled';
  /** It is recorded as this run; null before it has begun. The episode keeps its name. */
  readonly run: string | null;
  /** What it said last; of one that failed: why. */
  readonly said: string;
  /** Milliseconds it took so far. */
  readonly ms: number;
}

/** What an episode can be played anew with: GET …/episodes/:id/fork. */
export interface ForkChoices {
  /** As it was. */
  readonly seed: number;
  /** Policy versions that are kept, lowest first. */
  readonly versions: readonly number[];
  /** Whether the same seed surely plays the same again. */
  readonly isDeterministic: boolean;
  readonly roles: readonly {
    readonly role: 'user' | 'tool' | 'judge';
    readonly now: 'procedural' | 'lm';
    /** Why the other cannot play it, by itself; null where it can. */
    readonly refusal: string | null;
  }[];
  readonly settings: readonly { readonly key: string; readonly meaning: string; readonly allowed: string; readonly value: string }[];
}

/** A fork of an episode, as its parent's page names it. */
export interface ForkCard {
  readonly run: string;
  readonly state: RunCard['state'];
  readonly turn: number;
  /** `seed 0 → 9`: what is another in its config. */
  readonly changed: readonly string[];
  /** null until it has ended. */
  readonly end: ForkEnd | null;
}

/** How a fork's one episode ended. */
export interface ForkEnd {
  readonly outcome: string;
  readonly reward: number | null;
  readonly turns: number;
  readonly version: number | null;
}
