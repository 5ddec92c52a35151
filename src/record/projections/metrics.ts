/** One row of metrics.jsonl a committed step: the figures the step was recorded with. No wall times: equal runs have equal rows. */
import type { FrameOf } from '../../protocol/frame.ts';
import type { JsonObject } from '../../protocol/json.ts';

export const metricsRow = ({ committed, metrics }: FrameOf<'step.committed'>): JsonObject => ({
  v: 1,
  step: committed.step,
  version: committed.version,
  trained: committed.trained,
  ...metrics,
});
