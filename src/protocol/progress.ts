/** What a run tells whoever watches it, as it goes. Types only; shown by the command line and the viewer, kept by nobody. */
import type { SimulatorHealth } from './health.ts';
import type { LevelResult } from './summary.ts';

export type Phase = 'preparing' | 'evaluating' | 'drawing' | 'rolling' | 'updating' | 'publishing' | 'closing';

export type Progress =
  /** Where the run is now; many a second at most. */
  | {
      readonly kind: 'phase';
      readonly phase: Phase;
      readonly step: number;
      readonly steps: number;
      readonly done: number;
      readonly of: number;
    }
  | {
      readonly kind: 'step';
      /** 1-based count of committed steps, of so many. */
      readonly step: number;
      readonly steps: number;
      /** D before and after the step. */
      readonly difficulty: number;
      readonly nextDifficulty: number;
      /** Over the scored members; null = none was. */
      readonly meanReward: number | null;
      readonly success: number | null;
      readonly sampledTokens: number;
      readonly tokensPerSecond: number;
      /** Seconds until the last step or the budget's end, estimated. */
      readonly eta: number;
      /** Lost episodes of this step by reason. */
      readonly faults: Readonly<Record<string, number>>;
      /** Groups that gave no gradient, of all. */
      readonly dropped: number;
      readonly groups: number;
      /** Mean |Δ log-prob| between sampler and trainer over the step's trained tokens; null = nothing trained. */
      readonly gap?: number | null;
      /** Largest one on the canary's tokens at the new version; null = they have nothing to agree on. */
      readonly canaryGap?: number | null;
      /** How the simulated roles answered; absent where code plays them all. */
      readonly simulators?: SimulatorHealth;
      /** Versions the step's rollouts lagged behind, mean; null where they cannot. */
      readonly lag?: number | null;
    }
  | {
      readonly kind: 'evaluation';
      readonly when: 'before' | 'after' | 'during';
      readonly step: number;
      readonly levels: readonly LevelResult[];
    }
  /** Something a person should know once: a repaired tail, tools that were refused, a pause. */
  | { readonly kind: 'note'; readonly text: string };
