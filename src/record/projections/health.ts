/** How the simulated roles of one group answered, as a row for people and other tools; null where code played them all. */
import type { RolloutGroup } from '../../protocol/group.ts';
import type { JsonObject } from '../../protocol/json.ts';

export const healthRow = ({ step, id, health }: RolloutGroup): JsonObject | null =>
  health === undefined ? null : { v: 1, step, group: id, simulators: health as unknown as JsonObject };
