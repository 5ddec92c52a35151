/** The figures of one step, for people, metrics.jsonl and the live view. Counts and means only: no times, nothing that two equal runs could differ in. */
import type { PackedStep } from '../learning/batch.ts';
import { sampledTokens } from '../learning/batch.ts';
import { lostMembers } from '../learning/census.ts';
import type { CurriculumState } from '../learning/curriculum.ts';
import { addHealth } from '../learning/health.ts';
import type { LossTrend } from '../learning/loss-trend.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import type { SimulatorHealth } from '../protocol/health.ts';
import type { PolicyVersion } from '../protocol/ids.ts';
import type { JsonObject } from '../protocol/json.ts';
import { sampledLength } from '../protocol/trace.ts';
import type { Pass } from './trainer.ts';

/** Of the step's first pass over its samples: the on-policy one, whose ratios say what sampler and trainer disagree by. */
export interface Learnt {
  readonly seen: Pass;
  readonly gradNorm: number;
  readonly learningRate: number;
}

export interface StepFigures {
  readonly packed: PackedStep;
  readonly groups: readonly RolloutGroup[];
  readonly learnt: Learnt | undefined;
  readonly before: CurriculumState;
  readonly after: CurriculumState;
  readonly version: PolicyVersion;
  /** The version that was trained: the step's rollouts may be older. */
  readonly trainedVersion: PolicyVersion;
  /** Whether rollouts may lag behind it at all: else nothing is said of lags. */
  readonly lags: boolean;
  /** Largest |Δ log-prob| of the canary on the version that was trained; null = not measured. */
  readonly canaryGap: number | null;
  /** Over the window of the loss bound; null = too few losses to say. */
  readonly lossTrend: LossTrend | null;
  /** How the step's tasks were written; absent where code wrote them. */
  readonly writing?: SimulatorHealth | undefined;
}

/**
 * Keys are stable: they are columns of metrics.jsonl. `null` where there is nothing to average. Where language models play roles, `simulators` holds what protocol/health.ts
 * describes: counts by role and by tool (`asks`, `calls`, `spared`, `defects` by kind, `repaired`, `masked`, tokens) and the audit; learning/health.ts makes rates of them.
 * `lossTrend`: t and p of learning/loss-trend.ts.
 */
export function stepMetrics(figures: StepFigures): JsonObject {
  const { packed, groups, learnt, before, after, version, canaryGap } = figures;
  const { rewards, census, rollouts, batch } = packed;
  const groupsTrained = new Set(batch.samples.map((sample) => sample.group)).size;
  return {
    version,
    difficulty: before.difficulty,
    nextDifficulty: after.difficulty,
    meanReward: mean(rewards),
    success: mean(rewards.map((reward) => (reward === 1 ? 1 : 0))),
    scored: rewards.length,
    members: census.members,
    lost: lostMembers(census),
    fates: { ...census.fates },
    deciles: census.deciles.map((decile) => ({ ...decile })),
    groups: groups.length,
    groupsTrained,
    rollouts,
    samples: batch.samples.length,
    trainedTokens: sampledTokens(batch.samples),
    sampledTokens: groups
      .flatMap((group) => group.episodes.flatMap((episode) => episode.traces.map(sampledLength)))
      .reduce((sum, length) => sum + length, 0),
    turns: mean(groups.flatMap((group) => group.episodes.map((episode) => episode.turns.length))),
    ...(learnt === undefined ? {} : { ...learnt.seen.metrics, gradNorm: learnt.gradNorm, learningRate: learnt.learningRate }),
    ...(figures.lossTrend === null ? {} : { lossTrend: { ...figures.lossTrend } }),
    ...simulatorMetrics(figures),
    ...(canaryGap === null ? {} : { canaryGap }),
    ...(figures.lags ? lagMetrics(figures) : {}),
  };
}

function simulatorMetrics({ groups, writing }: StepFigures): JsonObject {
  const parts = [...groups.flatMap(({ health }) => health ?? []), ...(writing === undefined ? [] : [writing])];
  return parts.length === 0 ? {} : { simulators: addHealth(parts) as unknown as JsonObject };
}

/** How many versions each episode's first token lies behind the version it trained: the mean, and episodes by lag. */
function lagMetrics({ groups, trainedVersion }: StepFigures): JsonObject {
  const lags = groups.flatMap(({ episodes }) => episodes.flatMap(({ policy }) => (policy === null ? [] : [trainedVersion - policy.start])));
  const counts: Record<string, number> = {};
  for (const lag of lags) counts[lag] = (counts[lag] ?? 0) + 1;
  return { lag: mean(lags), lags: counts };
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
