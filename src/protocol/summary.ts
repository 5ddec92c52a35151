/** The closing line of a run: what it did and what came of it, one versioned object. With `--json` it is the last line of stdout. */
import { z } from 'zod';
import { RunId } from './ids.ts';
import { Difficulty } from './task.ts';

const share = z.number().min(0).max(1);
/** Two-sided 95 %. */
const interval = z.tuple([z.number(), z.number()]);

/** Success on held-out tasks of one difficulty. */
export const LevelResult = z.strictObject({
  D: Difficulty,
  n: z.int().min(0),
  /** Share solved at temperature 0; null = not measured. */
  greedy: share.nullable(),
  /** Mean share solved at temperature 1; null = not measured. */
  sampled: share.nullable(),
  /** Of `greedy` where measured, else of `sampled`. */
  ci: interval,
  /** k → share of tasks that at least one (all) of k sampled attempts solves, unbiased; where attempts were sampled. */
  passAtK: z.record(z.string(), share).optional(),
  passHatK: z.record(z.string(), share).optional(),
});
export type LevelResult = z.infer<typeof LevelResult>;

/** The same tasks before and after, paired. `D` null = pooled over D ≥ 25. */
export const Gain = z.strictObject({ D: Difficulty.nullable(), n: z.int().min(0), gain: z.number(), ci: interval });
export type Gain = z.infer<typeof Gain>;

/**
 * Of a role that a language model played, over the run (protocol/health.ts says what is counted). `asks`: questions; `calls`: prompts; `malformed`: replies that could not be read;
 * `inconsistent`: replies that contradicted the world; `defects`: all refused replies by what was wrong with them.
 */
const SimulatorTally = z.strictObject({
  asks: z.int().optional(),
  calls: z.int(),
  malformed: z.int(),
  repaired: z.int(),
  masked: z.int(),
  inconsistent: z.int().optional(),
  spared: z.int().optional(),
  defects: z.record(z.string(), z.int()).optional(),
  promptTokens: z.int().optional(),
  replyTokens: z.int().optional(),
});

export const RunSummary = z.strictObject({
  v: z.literal(1),
  run: RunId,
  /** Why it ended. */
  ended: z.enum(['done', 'budget', 'interrupted', 'paused', 'fault']),
  detail: z.string(),
  /** Steps committed, by this run in all. */
  steps: z.int().min(0),
  /** Of this process. */
  seconds: z.number().min(0),
  /** Versions published, the base included. */
  policyVersions: z.int().min(1),
  /** D after the last step. */
  difficulty: Difficulty,
  episodes: z.int().min(0),
  sampledTokens: z.int().min(0),
  heldOut: z
    .strictObject({ before: z.array(LevelResult).optional(), after: z.array(LevelResult).optional(), gains: z.array(Gain).optional() })
    .optional(),
  /** Mean |Δ log-prob| between sampler and trainer over the tokens of the last step that trained (what the policy moved since they were sampled included, where rollouts lag), and the largest of any canary. */
  sampler: z.strictObject({ meanAbsLogprobGap: z.number(), maxCanaryGap: z.number().optional() }).optional(),
  simulators: z
    .strictObject({ task: SimulatorTally, user: SimulatorTally, tool: SimulatorTally, judge: SimulatorTally })
    .partial()
    .optional(),
  /** Mean fidelity of the audited episodes, and how many were refused for it. */
  fidelity: z.strictObject({ mean: share, episodes: z.int(), refused: z.int() }).optional(),
  /** Agreement of the judge with canary episodes of known verdict, over the run. */
  judge: z
    .strictObject({
      agreement: share,
      ci: interval,
      episodes: z.int(),
      alarms: z.int(),
      /** Canaries without a readable verdict. */
      unread: z.int().optional(),
      /** The model alone, over the questions that rules had left to it; `lenient`: share of what is not met that it called met, `severe` the reverse; `lengthBias`: error rate where agents said more minus where less; `positionBias`: where they stood later minus where earlier, side by side. */
      model: z
        .strictObject({
          agreement: share,
          ci: interval,
          questions: z.int(),
          lenient: share.optional(),
          severe: share.optional(),
          lengthBias: z.number().optional(),
          positionBias: z.number().optional(),
        })
        .optional(),
    })
    .optional(),
  /** Episodes lost, by reason; empty = none. */
  faults: z.record(z.string(), z.int().min(1)),
  /** Folder of the run, and the model directory that answers now. */
  dir: z.string(),
  model: z.string(),
});
export type RunSummary = z.infer<typeof RunSummary>;
