/** How an episode ended. Only `scored`, `policyFault` and truncation by the policy carry a reward (learning/reward.ts); every other end is unscored, never 0. */
import { z } from 'zod';
import { Fault } from './fault.ts';
import { CriterionName } from './task.ts';

export const Reward = z.union([z.literal(-1), z.literal(0), z.literal(1)]);
export type Reward = z.infer<typeof Reward>;

export const Verdict = z.strictObject({
  reward: Reward,
  /** Code gates, decided before any criterion: unknown tool, schema, hallucinated value, … */
  gates: z.array(z.strictObject({ name: z.string(), passed: z.boolean(), detail: z.string().optional() })),
  criteria: z.array(z.strictObject({ name: CriterionName, required: z.boolean(), met: z.boolean(), evidence: z.string().optional() })),
});
export type Verdict = z.infer<typeof Verdict>;

export const SimulatorRole = z.enum(['task', 'user', 'tool', 'judge']);
export type SimulatorRole = z.infer<typeof SimulatorRole>;

export const Outcome = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('scored'), verdict: Verdict }),
  /** The policy wrote something unreadable and the episode could not go on. */
  z.strictObject({ kind: z.literal('policyFault'), reason: z.string() }),
  z.strictObject({ kind: z.literal('simulatorFault'), role: SimulatorRole, fault: Fault }),
  z.strictObject({ kind: z.literal('judgeFault'), fault: Fault }),
  z.strictObject({ kind: z.literal('infraFault'), fault: Fault }),
  /** `policy`: it ran out of turns or context by its own doing. `budget`: we cut it (deadline, cancel). */
  z.strictObject({ kind: z.literal('truncated'), by: z.enum(['policy', 'budget']), reason: z.string() }),
]);
export type Outcome = z.infer<typeof Outcome>;
