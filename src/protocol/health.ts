/** How well the simulated roles answered: counts, so that they add up over groups and steps. Values only. */
import { z } from 'zod';
import { SimulatorRole } from './outcome.ts';

/**
 * Why an answer was refused. `malformed`: it cannot be read, or does not fit its schema. `inconsistent`: it contradicts the world or what was said before.
 * `leak`: the user told what it was to keep back. `premature`: it ended before it was served. `overreach`: it did the agent's work. `persona`: it fell out of its part.
 * `unsolvable`, `ungrounded`, `duplicate`: a written task. `silent`: no answer in time.
 */
export const Defect = z.enum([
  'malformed',
  'inconsistent',
  'leak',
  'premature',
  'overreach',
  'persona',
  'unsolvable',
  'ungrounded',
  'duplicate',
  'silent',
]);
export type Defect = z.infer<typeof Defect>;

const count = z.int().min(0);

export const Tally = z.strictObject({
  /** Questions put to the role, by whatever they were answered. */
  asks: count,
  /** Prompts a language model answered or failed to; more than asks where some were repaired. */
  calls: count,
  /** Answered by code or from what the group already knows, without a prompt. */
  spared: count,
  /** Refused answers, by what was wrong with them. */
  defects: z.partialRecord(Defect, count),
  /** Questions answered rightly after at least one refused answer. */
  repaired: count,
  /** Questions nobody answered rightly: their episodes are unscored. */
  masked: count,
  promptTokens: count,
  replyTokens: count,
});
export type Tally = z.infer<typeof Tally>;

/** What an audit of a finished episode found, in code, after every single answer had passed its check. */
export const Audit = z.strictObject({
  episodes: count,
  /** Sum of the episodes' fidelity, each in [0, 1]. */
  fidelity: z.number().min(0),
  contradictions: count,
  leaks: count,
  prematureStops: count,
  /** Users that went on when they had been served. */
  overstays: count.default(0),
  overreaches: count,
  /** Episodes refused for too low a fidelity. */
  refused: count,
});
export type Audit = z.infer<typeof Audit>;

export const SimulatorHealth = z.strictObject({
  roles: z.partialRecord(SimulatorRole, Tally),
  /** The same for the tools, by tool. */
  tools: z.record(z.string(), Tally),
  audit: Audit.optional(),
  /** Where the judge is asked several times: its readable votes, and the criteria on which those of one episode were not of one mind. */
  votes: z.strictObject({ cast: count, disputed: count }).optional(),
});
export type SimulatorHealth = z.infer<typeof SimulatorHealth>;
