/**
 * The reference trainer: a bigram policy, one row of logits per token, π(next | last) = softmax(row), with exact gradients in double precision.
 * It knows the contract of trainer.ts to the letter and nothing of transformers; small enough to be read beside the equations.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { boundary, boundarySync, RecordFault, TrainerFault } from '../../errors.ts';
import { type TokenBatch, type TokenSample, sampledTokens } from '../../learning/batch.ts';
import { type Objective, addSums, evaluateObjective, metricsOf, noSums } from '../../learning/objective.ts';
import type { PolicyVersion } from '../../protocol/ids.ts';
import type { Weights } from '../../protocol/policy.ts';
import { decodeSafetensors, encodeSafetensors } from '../safetensors.ts';
import type { OptimStep, Pass, Trainer } from '../trainer.ts';

/** Steps, table, first and second moments, as this machine writes doubles. */
const stateFile = 'state.f64';
const [beta1, beta2, epsilon] = [0.9, 0.95, 1e-8];

/** A directory the scripted trainer wrote: its table as one tensor, [vocabulary, vocabulary]. */
export function readTable(dir: string): Float32Array {
  const table = decodeSafetensors(readFileSync(join(dir, 'model.safetensors'))).get('table');
  if (table === undefined) throw new TrainerFault(`${dir} holds no table`);
  return table.data;
}

/** `logits`: row-major [vocabulary, vocabulary]; absent = all 0. */
export function createScriptedTrainer(vocabulary: number, logits?: ArrayLike<number>): Trainer {
  const size = vocabulary * vocabulary;
  if (logits !== undefined && logits.length !== size) throw new RangeError(`${logits.length} logits for ${vocabulary} tokens`);
  const base = Float64Array.from({ length: size }, (_, i) => logits?.[i] ?? 0);
  let state = { table: base.slice(), first: new Float64Array(size), second: new Float64Array(size), steps: 0 };
  let gradient = new Float64Array(size);
  let closed = false;

  const verb = <T>(what: string, fn: () => T): Promise<T> =>
    boundary(TrainerFault, what, () => {
      if (closed) throw new TrainerFault(`${what}: the trainer is closed`);
      return fn();
    });

  const logSoftmax = (table: Float64Array, last: number): Float64Array => {
    if (last < 0 || last >= vocabulary) throw new RangeError(`token ${last} is not in 0 .. ${vocabulary - 1}`);
    const row = table.subarray(last * vocabulary, (last + 1) * vocabulary);
    const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - most), 0)) + most;
    return row.map((logit) => logit - total);
  };

  const score = (table: Float64Array, sample: TokenSample): number[] =>
    sampledAt(sample).map((i) => logSoftmax(table, sample.ids[i - 1] as number)[sample.ids[i] as number] as number);

  const learn = (batch: TokenBatch, objective: Objective): Pass => {
    let sums = noSums;
    let at = 0;
    const tokens = sampledTokens(batch.samples);
    const seen = { logprobs: new Float32Array(tokens), entropy: new Float32Array(tokens) };
    for (const sample of batch.samples) {
      const places = sampledAt(sample);
      const rows = places.map((i) => logSoftmax(state.table, sample.ids[i - 1] as number));
      const logprobs = Float32Array.from(score(state.table, sample));
      const entropy = Float32Array.from(rows, (row) => -row.reduce((sum, logprob) => sum + Math.exp(logprob) * logprob, 0));
      seen.logprobs.set(logprobs, at);
      seen.entropy.set(entropy, at);
      at += places.length;
      const result = evaluateObjective(objective, {
        logprobs,
        behaviour: Float32Array.from(places, (i) => sample.logprobs[i] as number),
        advantages: new Float32Array(places.length).fill(sample.advantage),
        reference: objective.kl > 0 ? Float32Array.from(score(base, sample)) : undefined,
        entropy,
        bounds: Int32Array.of(0, places.length),
        denominator: batch.denominator,
      });
      sums = addSums(sums, result.sums);
      for (const [n, i] of places.entries())
        spread(gradient, rows[n] as Float64Array, sample.ids[i - 1] as number, sample.ids[i] as number, result.gradient[n] as number);
    }
    return { ...seen, metrics: metricsOf(sums) };
  };

  // d log softmax(row)[next] / d row = onehot(next) − softmax(row)
  const spread = (into: Float64Array, row: Float64Array, last: number, next: number, slope: number): void => {
    for (let k = 0; k < vocabulary; k++)
      into[last * vocabulary + k] = (into[last * vocabulary + k] as number) + slope * ((k === next ? 1 : 0) - Math.exp(row[k] as number));
  };

  const adamw = ({ learningRate, weightDecay, clip }: OptimStep): { gradNorm: number } => {
    const gradNorm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
    const scale = clip > 0 && gradNorm > clip ? clip / gradNorm : 1;
    const steps = state.steps + 1;
    for (let i = 0; i < size; i++) {
      const g = (gradient[i] as number) * scale;
      state.first[i] = beta1 * (state.first[i] as number) + (1 - beta1) * g;
      state.second[i] = beta2 * (state.second[i] as number) + (1 - beta2) * g * g;
      const move =
        (state.first[i] as number) / (1 - beta1 ** steps) / (Math.sqrt((state.second[i] as number) / (1 - beta2 ** steps)) + epsilon);
      state.table[i] = (state.table[i] as number) * (1 - learningRate * weightDecay) - learningRate * move;
    }
    state = { ...state, steps };
    gradient = new Float64Array(size);
    return { gradNorm };
  };

  return {
    name: 'scripted',
    forwardBackward: (batch, objective) => verb('forward and backward', () => learn(batch, objective)),
    optimStep: (step) =>
      verb('optimiser step', () => {
        if (step.kind !== 'adamw') throw new TrainerFault(`the scripted trainer has no ${step.kind}`);
        return adamw(step);
      }),
    logprobs: (batch) =>
      verb('log-probs', () => {
        const all = new Float32Array(sampledTokens(batch.samples));
        let at = 0;
        for (const sample of batch.samples) for (const logprob of score(state.table, sample)) all[at++] = logprob;
        return all;
      }),
    saveWeightsForSampler: (dir, version) => verb(`save weights ${dir}`, () => writeTable(dir, version, vocabulary, state.table)),
    saveState: (dir) =>
      verb(`save state ${dir}`, () => {
        const whole = new Float64Array(1 + 3 * size);
        whole[0] = state.steps;
        for (const [part, values] of [state.table, state.first, state.second].entries()) whole.set(values, 1 + part * size);
        writeNew(dir, stateFile, whole);
      }),
    loadState: (dir) =>
      verb(`load state ${dir}`, () => {
        const bytes = readFileSync(join(dir, stateFile));
        if (bytes.length !== 8 * (1 + 3 * size)) throw new TrainerFault(`${dir} holds another vocabulary`);
        const whole = new Float64Array(new Uint8Array(bytes).buffer);
        const part = (n: number): Float64Array<ArrayBuffer> => whole.slice(1 + n * size, 1 + (n + 1) * size);
        state = { table: part(0), first: part(1), second: part(2), steps: whole[0] as number };
        gradient = new Float64Array(size);
      }),
    close: () => {
      closed = true;
      return Promise.resolve();
    },
  };
}

const sampledAt = (sample: TokenSample): number[] => [...sample.sampled.keys()].filter((i) => sample.sampled[i] === 1);

/** Into a directory that must not exist. A file that cannot be written is no fault of the trainer's. */
function writeNew(dir: string, name: string, content: NodeJS.ArrayBufferView): void {
  boundarySync(RecordFault, `write ${join(dir, name)}`, () => {
    if (existsSync(dir)) throw new RecordFault(`${dir} exists`);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, name), content);
  });
}

function writeTable(dir: string, version: PolicyVersion, vocabulary: number, table: Float64Array): Weights {
  const file = encodeSafetensors(new Map([['table', { shape: [vocabulary, vocabulary], data: Float32Array.from(table) }]]));
  writeNew(dir, 'model.safetensors', file);
  return { version, kind: 'full', dir, sha256: createHash('sha256').update(file).digest('hex') };
}
