/** What the viewer cannot know from a journal and is given by whoever starts it: time, a model's words, what learning made of rewards, and how to act. */
import type { RolloutGroup } from '../protocol/group.ts';
import type { JsonObject, JsonValue } from '../protocol/json.ts';
import type { ToolTurn } from '../protocol/turn.ts';
import type { ForkChoices, ForkRequest } from './contract.ts';

export interface ViewerClock {
  now(): number;
  /** Returns the way to take it back. */
  after(ms: number, fire: () => void): () => void;
}

export interface ViewerPorts {
  readonly clock: ViewerClock;
  /** Something a person should know once: a journal that cannot be read in places. */
  note(text: string): void;
  /** A run is being written in the folder that is looked at: from now on whoever looks waits rather than whoever runs. Called once. */
  yields?(): void;
  /** The text of each token as the renderer of the run's policy shows it. `config` is the run's own; where its model is not here, the ids stand for themselves. */
  tokenText(config: JsonObject | null): (ids: readonly number[]) => readonly string[];
  /** What an agent reads of a tool's answer. */
  resultText(turn: ToolTurn): string;
  /** One a member, in the order of the group's episodes; null where nothing was learnt from it. */
  advantages(group: RolloutGroup, config: JsonObject | null): readonly (number | null)[];
  /** An evaluation's successes as shares with their intervals, one a level. */
  levels(result: JsonValue): readonly JsonObject[];
  /** How much better the second figures are than the first of the same tasks, with the 95 % interval of the paired differences; at least two. */
  gain(before: readonly number[], after: readonly number[]): { readonly mean: number; readonly low: number; readonly high: number };
  /** Absent where nothing can be acted on. */
  readonly fork?: ForkPort;
}

/** Who listens to a fork that is played. */
export interface ForkWatch {
  /** Aborted: it is to end. */
  readonly signal: AbortSignal;
  /** It is recorded as this run from now on. */
  begun(run: string): void;
  said(text: string): void;
}

export interface ForkPort {
  /** Throws a fault where the episode cannot be played anew at all. */
  choices(run: string, episode: string): ForkChoices;
  /** Resolves when it was played and nothing of it is left running; rejects with a fault that says why it was not. */
  play(request: ForkRequest, watch: ForkWatch): Promise<void>;
}
