/** The closing line of a run, versioned: what a script reads with `--json`. */
import { z } from 'zod';
import { SimulatorRole } from './outcome.ts';

/** Success at one difficulty on held-out tasks. */
export const LevelResult = z.strictObject({
  D: z.number(),
  /** Tasks. */
  n: z.int().min(0),
  /** Share of tasks solved (reward 1) greedily; null where no greedy attempt was made. */
  greedy: z.number().nullable(),
  /** Share of sampled attempts that solved their task; null where none was made. */
  sampled: z.number().nullable(),
  /** Wilson 95 % interval of `greedy`, or of `sampled` where there is no greedy. */
  ci: z.tuple([z.number(), z.number()]),
  /** k → share of tasks that at least one (all) of k sampled attempts solves. */
  passAtK: z.record(z.string(), z.number()).optional(),
  passHatK: z.record(z.string(), z.number()).optional(),
  /** Attempts without a verdict: simulator, judge or infrastructure failed. They count as neither success nor failure. */
  unscored: z.int().min(0),
});
export type LevelResult = z.infer<typeof LevelResult>;

/** A paired difference over the same tasks with its 95 % interval. */
export const Gain = z.strictObject({ mean: z.number(), low: z.number(), high: z.number(), n: z.int() });
export type Gain = z.infer<typeof Gain>;

export const HeldOut = z.strictObject({
  before: z.array(LevelResult),
  after: z.array(LevelResult),
  /** Per level, greedy. */
  gains: z.array(Gain.extend({ D: z.number() })),
  /** Over all tasks with D ≥ 25. */
  pooled: Gain.nullable(),
});
export type HeldOut = z.infer<typeof HeldOut>;

export const RunSummary = z.strictObject({
  v: z.literal(1),
  run: z.string(),
  /** The folder of the run. */
  dir: z.string(),
  ending: z.enum(['done', 'budget', 'interrupted', 'fault']),
  /** Steps committed, over all processes of this run. */
  steps: z.int().min(0),
  /** Wall time of this process. */
  seconds: z.number().min(0),
  policyVersions: z.int().min(1),
  difficulty: z.number(),
  heldOut: HeldOut.optional(),
  /** Mean |Δ log-prob| between sampler and trainer over the last trained step. */
  sampler: z.strictObject({ meanAbsLogprobGap: z.number() }).optional(),
  simulators: z
    .partialRecord(
      SimulatorRole,
      z.strictObject({ calls: z.int(), malformed: z.int(), repaired: z.int(), masked: z.int() }),
    )
    .optional(),
  /** Members that were lost, by reason. */
  faults: z.record(z.string(), z.int()),
});
export type RunSummary = z.infer<typeof RunSummary>;
