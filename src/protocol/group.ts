/** The members of one task, sealed once: the unit of hand-over to learning. */
import { z } from 'zod';
import { Episode } from './episode.ts';
import { Fault } from './fault.ts';
import { SimulatorHealth } from './health.ts';
import { GroupId, StepId } from './ids.ts';
import { Task } from './task.ts';

export const RolloutGroup = z.strictObject({
  id: GroupId,
  step: StepId,
  task: Task,
  /** Members that ended, in member order, scored or not. */
  episodes: z.array(Episode),
  /** Members without an episode, each with its reason: a missing member is never silent. */
  missing: z.array(z.strictObject({ member: z.int().min(0), fault: Fault })),
  /** `failed`: fewer than Gmin scored members; it is recorded and not trained on. */
  status: z.enum(['sealed', 'failed']),
  /** How its simulated roles answered; absent where code played them all. */
  health: SimulatorHealth.optional(),
  sealedBy: z.enum(['complete', 'deadline', 'cancel']),
});
export type RolloutGroup = z.infer<typeof RolloutGroup>;

/** What travels in the open beside the group's unread bytes. */
export const GroupEnvelope = z.strictObject({
  step: StepId,
  group: GroupId,
  scored: z.int().min(0),
  status: RolloutGroup.shape.status,
  /** sha256 of the bytes, hex. */
  hash: z.string(),
});
export type GroupEnvelope = z.infer<typeof GroupEnvelope>;
