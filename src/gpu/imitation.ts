/**
 * The supervised stage: teacher's lessons through any Trainer, step by step, restartable at every checkpoint. It knows what a lesson's tokens are, not what they say;
 * it is deterministic by seed and step count, never by seconds.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CancelledFault, RecordFault } from '../errors.ts';
import { type TokenSample, sampledTokens } from '../learning/batch.ts';
import { cutPool, hardestAt, type ImitationRule, type LessonPlan, planLesson, poolSize, rateAt } from '../learning/imitation.ts';
import { imitation } from '../learning/objective.ts';
import { type PolicyVersion, type StepId, stepId } from '../protocol/ids.ts';
import { SimulatorRole } from '../protocol/outcome.ts';
import type { Weights } from '../protocol/policy.ts';
import type { Seed } from '../random.ts';
import { listCheckpoints, pruneCheckpoints, readCheckpoint, removeLeftovers, writeCheckpoint } from './checkpoint.ts';
import type { Clock } from './clock.ts';
import type { Trainer } from './trainer.ts';

export interface ImitationOptions extends ImitationRule {
  readonly seed: Seed;
  /** Of Muon's matrices and of AdamW's rest. */
  readonly learningRate: number;
  readonly adamLearningRate: number;
  readonly gradClip: number;
  /** Steps between checkpoints and between examinations; 0 = only at the end. */
  readonly saveEvery: number;
  readonly examineEvery: number;
  /** Held-out lessons an examination asks of each level. */
  readonly examination: { readonly levels: readonly number[]; readonly lessons: number };
  /** Folder of the checkpoints: an interrupted run goes on from the newest. */
  readonly checkpoints: string;
}

export interface ImitationPorts {
  readonly trainer: Trainer;
  /** The lesson a plan stands for; a pure function of the plan. */
  lesson(plan: LessonPlan): TokenSample;
  /** The n-th held-out teacher episode at a difficulty, always the same. */
  examinationLesson(difficulty: number, n: number): TokenSample;
  /** The n-th prompt and reply of a role that nobody was taught, always the same. */
  roleLesson?(role: SimulatorRole, difficulty: number, n: number): TokenSample;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** One per level: the share of held-out episodes in which the student gives every teacher token more than even odds, so that it would say it greedily: a lower bound of greedy success. */
export type Examination = readonly {
  readonly difficulty: number;
  readonly exact: number;
  readonly lessons: number;
  /** Of a simulated role's replies; absent: of episodes. */
  readonly role?: SimulatorRole;
}[];

export interface ImitationProgress {
  readonly step: number;
  readonly steps: number;
  /** Nats per trained token: of this batch, and smoothed over some 50. */
  readonly loss: number;
  readonly smoothed: number;
  readonly hardest: number;
  /** Read and trained so far, and per second since this process began. */
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly examination?: Examination;
}

export interface Imitated {
  readonly weights: Weights;
  readonly steps: number;
  readonly tokens: number;
  /** Of the first 50 steps, for comparing runs bit for bit. */
  readonly firstLosses: readonly number[];
  /** sha256 chained over every batch taught, in order: equal hashes mean equal lessons. */
  readonly dataHash: string;
  readonly examination: Examination;
}

/** Where a run stands: which pool its batches come from, and how many of them are used. */
interface Place {
  readonly step: number;
  readonly pool: number;
  /** The step at which the pool was drawn: its mix and difficulty. */
  readonly drawnAt: number;
  readonly used: number;
  readonly tokens: number;
  readonly smoothed: number;
  readonly firstLosses: readonly number[];
  readonly dataHash: string;
}

const start: Place = { step: 0, pool: 0, drawnAt: 0, used: 0, tokens: 0, smoothed: NaN, firstLosses: [], dataHash: '' };
const version = 0 as PolicyVersion;

/** Trains to the last step. Rejects with CancelledFault after a checkpoint when `signal` aborts; called again, it goes on from there. */
export async function imitate(
  options: ImitationOptions,
  ports: ImitationPorts,
  onProgress: (progress: ImitationProgress) => void,
): Promise<Imitated> {
  const { trainer, clock } = ports;
  let place = await resume(options, trainer);
  let examination: Examination | undefined;
  const began = { at: clock.now(), tokens: place.tokens };
  let batches = poolAt(options, ports, place);
  for (let batch = nextBatch(); batch !== undefined;) {
    const { step } = place;
    const learning = trainer.forwardBackward({ samples: batch, denominator: sampledTokens(batch) }, imitation);
    const tokens = place.tokens + batch.reduce((sum, sample) => sum + sample.ids.length, 0);
    place = { ...place, step: step + 1, used: place.used + 1, tokens, dataHash: chained(place.dataHash, batch) };
    // The next batch is written while the trainer's thread computes this one.
    const next = nextBatch();
    const loss = (await learning).metrics['loss'] as number;
    const rate = rateAt(options, step);
    await trainer.optimStep({
      kind: 'muon',
      learningRate: options.adamLearningRate * rate,
      matrixLearningRate: options.learningRate * rate,
      weightDecay: 0,
      clip: options.gradClip,
    });
    place = {
      ...place,
      smoothed: Number.isNaN(place.smoothed) ? loss : 0.98 * place.smoothed + 0.02 * loss,
      firstLosses: step < 50 ? [...place.firstLosses, loss] : place.firstLosses,
    };
    const due = (every: number): boolean => place.step === options.steps || (every > 0 && place.step % every === 0);
    examination = due(options.examineEvery) ? await examine(options, ports) : undefined;
    const seconds = Math.max(1e-3, (clock.now() - began.at) / 1000);
    onProgress({
      step: place.step,
      steps: options.steps,
      loss,
      smoothed: place.smoothed,
      hardest: hardestAt(options, step),
      tokens,
      tokensPerSecond: (tokens - began.tokens) / seconds,
      ...(examination === undefined ? {} : { examination }),
    });
    if (due(options.saveEvery) || ports.signal.aborted) await save(options, trainer, place);
    if (ports.signal.aborted && place.step < options.steps)
      throw new CancelledFault(`imitation stopped after step ${place.step}; it goes on from there`);
    batch = next;
  }
  const last = stepId(place.step);
  const checkpoint = readCheckpoint(options.checkpoints, last) ?? (await save(options, trainer, place));
  const weights = {
    version,
    kind: 'full' as const,
    dir: join(checkpoint.dir, 'weights'),
    sha256: checkpoint.manifest.files.find((file) => file.path === 'weights/model.safetensors')?.sha256 ?? '',
  };
  return {
    weights,
    steps: place.step,
    tokens: place.tokens,
    firstLosses: place.firstLosses,
    dataHash: place.dataHash,
    examination: examination ?? (await examine(options, ports)),
  };

  function nextBatch(): readonly TokenSample[] | undefined {
    if (place.step >= options.steps) return undefined;
    if (place.used >= batches.length) {
      place = { ...place, pool: place.pool + 1, drawnAt: place.step, used: 0 };
      batches = poolAt(options, ports, place);
    }
    return batches[place.used];
  }
}

function chained(before: string, batch: readonly TokenSample[]): string {
  const hash = createHash('sha256').update(before);
  for (const { ids, sampled } of batch) hash.update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength)).update(sampled);
  return hash.digest('hex');
}

function poolAt(options: ImitationOptions, ports: ImitationPorts, { pool, drawnAt }: Place): TokenSample[][] {
  const lessons = Array.from({ length: poolSize }, (_, n) => ports.lesson(planLesson(options, options.seed, pool * poolSize + n, drawnAt)));
  return cutPool(options, lessons, (lesson) => lesson.ids.length, options.seed, pool);
}

async function examine(options: ImitationOptions, ports: ImitationPorts): Promise<Examination> {
  const { levels, lessons } = options.examination;
  const results: { difficulty: number; exact: number; lessons: number; role?: SimulatorRole }[] = [];
  for (const difficulty of levels)
    results.push({ difficulty, lessons, exact: await exactShare(ports, lessons, (n) => ports.examinationLesson(difficulty, n)) });
  const { roleLesson } = ports;
  if (roleLesson === undefined || (options.mix.roles ?? 0) === 0) return results;
  const difficulty = options.difficulty.to;
  for (const role of answering)
    results.push({ difficulty, lessons, role, exact: await exactShare(ports, lessons, (n) => roleLesson(role, difficulty, n)) });
  return results;
}

/** The roles that have one right answer; a written task has many. */
const answering: readonly SimulatorRole[] = SimulatorRole.exclude(['task']).options;

async function exactShare({ trainer }: ImitationPorts, lessons: number, lesson: (n: number) => TokenSample): Promise<number> {
  const samples = Array.from({ length: lessons }, (_, n) => lesson(n));
  const logprobs = await trainer.logprobs({ samples, denominator: 1 });
  let at = 0;
  const exact = samples.filter((sample) => {
    const count = sampledTokens([sample]);
    at += count;
    return logprobs.subarray(at - count, at).every((logprob) => logprob > -Math.LN2);
  }).length;
  return exact / lessons;
}

async function save({ checkpoints }: ImitationOptions, trainer: Trainer, place: Place) {
  const written = await writeCheckpoint(checkpoints, { step: stepId(place.step), version, groups: [] }, async (dir) => {
    await trainer.saveWeightsForSampler(join(dir, 'weights'), version);
    await trainer.saveState(join(dir, 'state'));
    writeFileSync(join(dir, 'place.json'), `${JSON.stringify(place)}\n`);
  });
  pruneCheckpoints(checkpoints, { last: 2, every: 0 });
  return written;
}

async function resume({ checkpoints }: ImitationOptions, trainer: Trainer): Promise<Place> {
  removeLeftovers(checkpoints, '~' as StepId);
  const newest = listCheckpoints(checkpoints).at(-1);
  if (newest === undefined) return start;
  const checkpoint = readCheckpoint(checkpoints, newest);
  if (checkpoint === null)
    throw new RecordFault(`the checkpoint ${join(checkpoints, newest)} is damaged: remove it to go on from the one before`);
  await trainer.loadState(join(checkpoint.dir, 'state'));
  return JSON.parse(readFileSync(join(checkpoint.dir, 'place.json'), 'utf8')) as Place;
}
