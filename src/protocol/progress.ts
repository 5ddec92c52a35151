/** What a run tells whoever watches it, as it goes. Types only. */

/** One per change of phase, and one per sealed group or evaluated task within it. */
export interface Progress {
  readonly phase: 'preparing' | 'drawing' | 'rolling' | 'updating' | 'publishing' | 'evaluating' | 'pausing' | 'halting';
  /** The step under way, from 1, of so many; `steps` null where another budget ends the run. */
  readonly step: number;
  readonly steps: number | null;
  readonly difficulty: number;
  /** Within the phase: groups sealed of the step's, or tasks of an evaluation. */
  readonly done: number;
  readonly of: number;
}

/** One per committed step. */
export interface StepReport {
  readonly step: number;
  readonly steps: number | null;
  /** D after the step's rewards moved it. */
  readonly difficulty: number;
  readonly version: number;
  /** Over scored members; null when there was none. */
  readonly meanReward: number | null;
  /** Share of scored members with reward 1; null when there was none. */
  readonly success: number | null;
  /** Tokens sampled by the policy, and per second of the step. */
  readonly sampledTokens: number;
  readonly tokensPerSecond: number;
  readonly seconds: number;
  /** Estimated seconds to the last step; null where no count ends the run. */
  readonly secondsLeft: number | null;
  /** Members lost in this step, by reason. */
  readonly faults: Readonly<Record<string, number>>;
  /** Groups that taught nothing: all rewards equal, or too few scored. */
  readonly droppedGroups: number;
  readonly metrics: Readonly<Record<string, unknown>>;
}

/** What `startRun` calls; each may be called often and must return at once. */
export interface Watcher {
  progress(progress: Progress): void;
  stepped(report: StepReport): void;
  evaluated(when: 'before' | 'during' | 'after', levels: readonly { readonly D: number; readonly n: number; readonly success: number }[]): void;
  /** Something a person should read: a repaired journal, a retired worker, a pause with its reason. */
  notice(text: string): void;
}
