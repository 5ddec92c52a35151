/** One finished conversation: what was said, the tokens the policy read and sampled, and how it ended. */
import { z } from 'zod';
import { EpisodeId, GroupId, PolicyVersion, TaskId } from './ids.ts';
import { Outcome, Reward } from './outcome.ts';
import { TokenTrace } from './trace.ts';
import { Turn } from './turn.ts';

export const Episode = z.strictObject({
  id: EpisodeId,
  group: GroupId,
  task: TaskId,
  member: z.int().min(0),
  /** 1-based; a higher attempt fences the results of lower ones. */
  attempt: z.int().min(1),
  turns: z.array(Turn),
  /** One trace, or several where the chat template was not append-only and the history had to be split. */
  traces: z.array(TokenTrace),
  outcome: Outcome,
  /** By `rewardOf(outcome)`; null = unscored. */
  reward: Reward.nullable(),
  /** The policy versions that answered its first and its last model call; null when none did. */
  policy: z.strictObject({ start: PolicyVersion, end: PolicyVersion }).nullable(),
  seed: z.int().min(0),
});
export type Episode = z.infer<typeof Episode>;
