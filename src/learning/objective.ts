/** Placeholder replaced by the learning work. */
export interface Objective {
  readonly kind: 'grpo' | 'cispo' | 'imitation';
  readonly clipLow: number;
  readonly clipHigh: number;
  readonly kl: number;
}
export type ObjectiveMetrics = Readonly<Record<string, number>>;
