/** The jobs a lane can do. A job may ask its giver a question in the middle and wait for the answer: the objective runs there. */
import { backward } from './backward.ts';
import type { Continuation, Prefill, Sample } from './decode.ts';
import { decode, prefill } from './decode.ts';
import type { Scores } from './forward.ts';
import { forward } from './forward.ts';
import type { Address } from './kernels.ts';
import type { Lane } from './lane.ts';
import { packMatrix } from './lane.ts';
import type { PackedRows, Span } from './packed-rows.ts';
import type { Matrix, Parameter } from './shape.ts';
import type { UpdateRule } from './update.ts';
import { update } from './update.ts';

export interface Shard {
  readonly index: number;
  readonly rows: PackedRows;
}

export type Job =
  | { readonly kind: 'pack'; readonly matrices: readonly Matrix[] }
  | { readonly kind: 'score'; readonly rows: PackedRows }
  | { readonly kind: 'train'; readonly shards: readonly Shard[]; readonly accumulator: number }
  | { readonly kind: 'reduce'; readonly span: Span; readonly accumulators: number }
  | { readonly kind: 'squares'; readonly spans: readonly Span[] }
  | {
      readonly kind: 'update';
      readonly tensors: readonly { readonly parameter: Parameter; readonly frozen: number }[];
      readonly rule: UpdateRule;
      readonly step: number;
      readonly gradientScale: number;
    }
  | { readonly kind: 'prefill'; readonly prompts: readonly Prefill[] }
  | { readonly kind: 'decode'; readonly items: readonly Continuation[] }
  | { readonly kind: 'peak'; readonly rounds: number };

/** A shard's scores; the answer is dLoss/dlogprob of each target. */
export interface Question {
  readonly shard: number;
  readonly scores: Scores;
}
export type Answer = Float32Array;

/** What each kind of job returns. */
export interface Results {
  readonly pack: undefined;
  readonly score: Scores;
  readonly train: undefined;
  readonly reduce: undefined;
  readonly squares: number[];
  readonly update: undefined;
  readonly prefill: Float32Array[];
  readonly decode: Sample[];
  readonly peak: number;
}
export type Result = Results[Job['kind']];

export function* perform(lane: Lane, job: Job): Generator<Question, Result, Answer> {
  const { kernels, arena, plan } = lane;
  switch (job.kind) {
    case 'pack':
      for (const matrix of job.matrices) packMatrix(lane, matrix);
      return undefined;
    case 'score': {
      const mark = arena.mark();
      const { scores } = forward(lane, job.rows);
      arena.release(mark);
      return scores;
    }
    case 'train':
      yield* train(lane, job.shards, plan.gradients[job.accumulator] as Address);
      return undefined;
    case 'reduce':
      reduce(lane, job.span, job.accumulators);
      return undefined;
    case 'squares':
      return job.spans.map((span) => kernels.squares(span.length, (plan.gradients[0] as Address) + span.start * 4));
    case 'update':
      for (const { parameter, frozen } of job.tensors) update(lane, parameter, frozen, job.rule, job.step, job.gradientScale);
      return undefined;
    case 'prefill':
      return prefill(lane, job.prompts);
    case 'decode':
      return decode(lane, job.items);
    case 'peak':
      return kernels.peakRate(job.rounds);
    default:
      return job satisfies never;
  }
}

function* train(lane: Lane, shards: readonly Shard[], gradients: Address): Generator<Question, void, Answer> {
  for (const { index, rows } of shards) {
    const mark = lane.arena.mark();
    const { trace, scores } = forward(lane, rows);
    const dlogprobs = yield { shard: index, scores };
    backward(lane, trace, dlogprobs, gradients);
    lane.arena.release(mark);
  }
}

/** Adds a stretch of the other accumulators to the first, in their order, and clears it there. */
function reduce(lane: Lane, span: Span, accumulators: number): void {
  const { kernels, plan } = lane;
  const [first, ...others] = plan.gradients.slice(0, accumulators).map((address) => address + span.start * 4);
  for (const other of others) {
    kernels.add(span.length, other, first as Address);
    kernels.clear(span.length, other);
  }
}
