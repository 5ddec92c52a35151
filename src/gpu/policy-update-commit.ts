/**
 * What a step leaves behind for good: its checkpoint, what the run must remember beside the weights, and the record that chains it to the step before.
 * Knows files and hashes; not how the step was trained.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PackedStep } from '../learning/batch.ts';
import { type Census, type LossBound, pauseReason } from '../learning/census.ts';
import { lossAlarm, lossTrend } from '../learning/loss-trend.ts';
import { advance, type CurriculumRule, type CurriculumState } from '../learning/curriculum.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import type { SimulatorHealth } from '../protocol/health.ts';
import type { PolicyVersion, StepId } from '../protocol/ids.ts';
import { canonical, type JsonObject } from '../protocol/json.ts';
import type { StepCommitted, Weights } from '../protocol/policy.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { type Learnt, stepMetrics } from './policy-update-metrics.ts';
import type { Trainer } from './trainer.ts';

/** Where a run stands after a step: with the run's config and seed it determines everything that follows. */
export interface Standing {
  /** Null before the first step. */
  readonly committed: StepCommitted | null;
  readonly weights: Weights;
  /** After the step's rewards moved it; `drawn` is the task cursor. */
  readonly curriculum: CurriculumState;
  /** Of the last steps, oldest first: what the loss bound looks at. */
  readonly history: readonly Census[];
  /** Steps that changed the weights. */
  readonly updates: number;
}

export interface StepRequest {
  readonly step: StepId;
  /** In id order. */
  readonly groups: readonly RolloutGroup[];
  /** D as it is now; `drawn` as it was after this step's tasks were drawn, whatever was drawn ahead since. */
  readonly curriculum: CurriculumState;
  /** How the step's tasks were written, where a language model wrote them. */
  readonly writing?: SimulatorHealth;
}

export interface StepResult {
  readonly standing: Standing;
  /** Figures for people and metrics.jsonl; no times. */
  readonly metrics: JsonObject;
  /** Why the run must pause (too many lost episodes), or null. */
  readonly pause: string | null;
  /** What a person should look at (losses that are uneven over lengths), or null. */
  readonly alarm: string | null;
}

/** What the checkpoint holds beside weights and optimiser. */
interface Remembered {
  readonly curriculum: CurriculumState;
  readonly history: readonly Census[];
  readonly updates: number;
  readonly metrics: JsonObject;
  readonly pause: string | null;
  readonly alarm?: string | null;
  /** Of the version that answers after this step. */
  readonly sha256: string;
  /** Absent in checkpoints from before there were adapters: full. */
  readonly kind?: Weights['kind'];
}

const genesis = '0'.repeat(64);

/** sha256 over the previous chain value and the record without `chain`, hex: equal chains mean equal histories. */
export const chainOf = (previous: string | null, committed: Omit<StepCommitted, 'chain'>): string =>
  createHash('sha256')
    .update(previous ?? genesis)
    .update(canonical({ ...committed }))
    .digest('hex');

/** The standing a committed step left: null unless its checkpoint verifies and is the one that was committed. Loads nothing into a trainer. */
export function standingAfter(checkpoints: string, committed: StepCommitted): Standing | null {
  const checkpoint = readCheckpoint(checkpoints, committed.step);
  return checkpoint === null || checkpoint.hash !== committed.checkpoint ? null : stored(checkpoint, committed).standing;
}

/** What a trainer must load to go on after `standing`. */
export const trainerState = (checkpoints: string, committed: StepCommitted): string => join(checkpoints, committed.step, 'state');

/** What saving needs of the run's rule. */
export interface SaveRule {
  readonly checkpoints: string;
  readonly curriculum: CurriculumRule;
  readonly losses: LossBound;
  readonly staleness: number;
}

/** A step that trained nothing keeps the version and its weights, and still is a checkpoint of its own: the curriculum moved. */
export function saveStep(
  trainer: Trainer,
  rule: SaveRule,
  standing: Standing,
  request: StepRequest,
  packed: PackedStep,
  learnt: Learnt | undefined,
  canaryGap: number | null,
): Promise<Checkpoint> {
  const { rewards, census, rollouts } = packed;
  const version = (standing.weights.version + (rollouts > 0 ? 1 : 0)) as PolicyVersion;
  const curriculum = advance(rule.curriculum, request.curriculum, rewards);
  const history = [...standing.history, census].slice(-Math.max(1, rule.losses.steps));
  return writeCheckpoint(
    rule.checkpoints,
    { step: request.step, version, groups: request.groups.map((group) => group.id) },
    async (dir) => {
      const weights = await trainer.saveWeightsForSampler(join(dir, 'weights'), version);
      await trainer.saveState(join(dir, 'state'));
      const metrics = stepMetrics({
        packed,
        groups: request.groups,
        learnt,
        before: request.curriculum,
        after: curriculum,
        version,
        trainedVersion: standing.weights.version,
        lags: rule.staleness > 0,
        canaryGap,
        lossTrend: lossTrend(history),
        writing: request.writing,
      });
      const remembered: Remembered = {
        curriculum,
        history,
        updates: standing.updates + (rollouts > 0 ? 1 : 0),
        metrics,
        pause: pauseReason(history, rule.losses),
        alarm: lossAlarm(history, standing.history),
        sha256: weights.sha256,
        kind: weights.kind,
      };
      writeFileSync(join(dir, 'run.json'), `${JSON.stringify(remembered, null, 1)}\n`);
    },
  );
}

export function stored(checkpoint: Checkpoint, committed: StepCommitted): StepResult {
  const { metrics, pause, alarm = null, curriculum, history, updates } = rememberedIn(checkpoint);
  return { standing: { committed, weights: weightsIn(checkpoint), curriculum, history, updates }, metrics, pause, alarm };
}

/** What answers after the checkpoint's step. */
export function weightsIn(checkpoint: Checkpoint): Weights {
  const { sha256, kind = 'full' } = rememberedIn(checkpoint);
  return { version: checkpoint.manifest.version, kind, dir: join(checkpoint.dir, 'weights'), sha256 };
}

const rememberedIn = ({ dir }: Checkpoint): Remembered => JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8')) as Remembered;

/** Only the last committed step can be asked for again by a coordinator that died; its record is in the standing. */
export function storedResult(checkpoints: string, { committed }: Standing, step: StepId): StepResult | null {
  if (committed === null || committed.step !== step) return null;
  const checkpoint = readCheckpoint(checkpoints, step);
  return checkpoint === null ? null : stored(checkpoint, committed);
}
