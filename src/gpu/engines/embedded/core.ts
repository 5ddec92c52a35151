/** The embedded engine's compute core: one Qwen3 model in shared memory, trained and sampled by threads of SIMD kernels. Every call blocks. */
import type { Crew } from './crew.ts';
import { inlineCrew, threadedCrew } from './crew.ts';
import type { Sample } from './decode.ts';
import type { Scores } from './forward.ts';
import type { Address } from './kernels.ts';
import { compileKernels } from './kernels.ts';
import { checkRows } from './packed-rows.ts';
import type { PackedRows, Span } from './packed-rows.ts';
import { PagePool } from './pages.ts';
import { ACCUMULATORS, allocateMemory, fillAngles, planMemory, viewsOf } from './plan.ts';
import type { SampleRequest } from './sampler.ts';
import { sample } from './sampler.ts';
import type { ModelShape, Parameter } from './shape.ts';
import { matricesOf, parametersOf } from './shape.ts';
import { usesAdamW } from './update.ts';
import type { UpdateRule } from './update.ts';

export interface CoreOptions {
  readonly shape: ModelShape;
  /** Kernel threads; 1 computes in the caller's thread. */
  readonly threads: number;
  /** Plain SIMD, so that results are the same bits on every machine. On one machine they never depend on threads, batch or cache. */
  readonly deterministic: boolean;
  /** Room for the activations of one shard, per thread. */
  readonly arenaMB?: number;
  /** Room for keys and values of running and retained sequences. */
  readonly cacheMB?: number;
}

/** Targets `from .. to` of all shards' targets in order: those of one shard. */
export interface TargetRange {
  readonly from: number;
  readonly to: number;
}

/** Returns dLoss/dlogprob, one per target of the range. Called once per shard, in no fixed order. */
export type Objective = (targets: TargetRange, logprobs: Float32Array, entropy: Float32Array) => Float32Array;

export interface OptimStep {
  readonly kind: 'adamw' | 'muon';
  readonly lr: number;
  /** Default 0.02. */
  readonly muonLr?: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly weightDecay: number;
  /** Largest norm of the gradients that AdamW sees (Muon is free of their scale); 0 does not clip. */
  readonly clip: number;
}

export interface Frozen {
  readonly name: string;
  readonly rows: number;
}

export interface OptimizerState {
  readonly step: number;
  /** By parameter name: Adam's first moment or Muon's momentum. */
  readonly first: ReadonlyMap<string, Float32Array>;
  readonly second: ReadonlyMap<string, Float32Array>;
}

export interface Core {
  readonly shape: ModelShape;
  readonly variant: 'relaxed' | 'plain';
  /** Copies weights in, by Hugging Face name; every parameter must be there, with its own number of elements. */
  load(tensors: ReadonlyMap<string, Float32Array>): void;
  /** Views of the live weights; write through `load` only. */
  tensors(): Map<string, Float32Array>;
  /** Log-probability and entropy of each target, one entry per shard. */
  forward(shards: readonly PackedRows[]): Scores[];
  /** Adds to the gradients. The sum's rounding depends on the shards and their order, never on threads. If the objective throws, gradients are cleared. */
  forwardBackward(shards: readonly PackedRows[], objective: Objective): void;
  /** Views of the accumulated gradients. */
  gradients(): Map<string, Float32Array>;
  /** Applies and clears the gradients. The norm is that of all gradients before clipping. */
  optimStep(step: OptimStep): { gradNorm: number };
  /** From now on the first `rows` rows keep their value (a norm has one row per element). Replaces earlier freezes. */
  freeze(frozen: readonly Frozen[]): void;
  /** Copies, for a checkpoint. */
  optimizerState(): OptimizerState;
  loadOptimizerState(state: OptimizerState): void;
  /** One list per request, one entry per seed. */
  sample(requests: readonly SampleRequest[]): Sample[][];
  /** Runs `rounds` x 80 floating-point operations on every thread, nothing else: for the bench to time. */
  spin(rounds: number): void;
  close(): void;
}

export function createCore(options: CoreOptions): Core {
  const { shape, threads } = options;
  const table = parametersOf(shape);
  const matrices = matricesOf(shape, table);
  const plan = planMemory(shape, { lanes: threads, arenaMB: options.arenaMB ?? 384, cacheMB: options.cacheMB ?? 256 });
  const memory = allocateMemory(plan);
  const build = compileKernels(options.deterministic);
  const seeds = Array.from({ length: threads }, (_, index) => ({ index, plan, module: build.module, memory }));
  const [only] = seeds;
  if (!only) throw new RangeError('threads must be at least 1');
  const crew = threads === 1 ? inlineCrew(only) : threadedCrew(seeds);
  const pool = new PagePool(plan.pages.count);
  const { buffer } = memory;
  const views = (region: Address): Map<string, Float32Array> => viewsOf(table, buffer, region);
  const gradientViews = views(plan.gradients[0] as Address);
  let frozenRows = new Map<string, number>();
  let step = 0;
  fillAngles(plan, buffer);

  const weightsChanged = (): void => {
    pool.clear();
    crew.run(deal(crew, matrices).map((share) => ({ kind: 'pack', matrices: share }) as const));
  };

  return {
    shape,
    variant: build.variant,
    tensors: () => views(plan.weights),
    gradients: () => gradientViews,
    load: (tensors) => {
      copyInto(table.list, tensors, views(plan.weights));
      weightsChanged();
    },
    forward: (shards) => {
      for (const rows of shards) checkRows(shape, rows);
      return crew.run(shards.map((rows) => ({ kind: 'score', rows }) as const));
    },
    forwardBackward: (shards, objective) => {
      for (const rows of shards) checkRows(shape, rows);
      try {
        accumulate(crew, table.floats, shards, objective);
      } catch (fault) {
        for (const region of plan.gradients) new Float32Array(buffer, region, table.floats).fill(0);
        throw fault;
      }
    },
    optimStep: (wanted) => {
      const rule: UpdateRule = { ...wanted, muonLr: wanted.muonLr ?? 0.02 };
      const tensors = table.list.map((parameter) => ({ parameter, frozen: frozenFloats(parameter, frozenRows.get(parameter.name) ?? 0) }));
      for (const { parameter, frozen } of tensors) gradientViews.get(parameter.name)?.fill(0, 0, frozen);
      const norms = squaresOf(crew, table.list);
      const total = (of: (p: Parameter) => boolean): number =>
        Math.sqrt(table.list.reduce((sum, p, i) => sum + (of(p) ? (norms[i] as number) : 0), 0));
      const clipped = total((p) => usesAdamW(rule, p));
      const gradientScale = wanted.clip > 0 && clipped > wanted.clip ? wanted.clip / clipped : 1;
      step += 1;
      crew.run(tensors.map((tensor) => ({ kind: 'update', tensors: [tensor], rule, step, gradientScale }) as const));
      for (const view of gradientViews.values()) view.fill(0);
      weightsChanged();
      return { gradNorm: total(() => true) };
    },
    freeze: (frozen) => {
      for (const { name } of frozen) if (!gradientViews.has(name)) throw new RangeError(`there is no parameter ${name}`);
      frozenRows = new Map(frozen.map(({ name, rows }) => [name, rows]));
    },
    optimizerState: () => ({ step, first: copies(views(plan.firstMoment)), second: copies(views(plan.secondMoment)) }),
    loadOptimizerState: (state) => {
      copyInto(table.list, state.first, views(plan.firstMoment));
      copyInto(table.list, state.second, views(plan.secondMoment));
      step = state.step;
    },
    sample: (requests) => sample(crew, plan, buffer, pool, requests),
    spin: (rounds) => {
      crew.run(Array.from({ length: crew.lanes }, () => ({ kind: 'peak', rounds }) as const));
    },
    close: () => crew.close(),
  };
}

/** Shard i goes to accumulator i mod ACCUMULATORS, in order; accumulators are then summed in order. */
function accumulate(crew: Crew, floats: number, shards: readonly PackedRows[], objective: Objective): void {
  const ends: number[] = [];
  for (const rows of shards) ends.push((ends.at(-1) ?? 0) + rows.targets.ids.length);
  const accumulators = Math.min(ACCUMULATORS, shards.length);
  const jobs = Array.from({ length: accumulators }, (_, accumulator) => ({
    kind: 'train' as const,
    accumulator,
    shards: shards.flatMap((rows, index) => (index % ACCUMULATORS === accumulator ? [{ index, rows }] : [])),
  }));
  crew.run(jobs, ({ shard, scores }) => {
    const range = { from: ends[shard - 1] ?? 0, to: ends[shard] as number };
    const dlogprobs = objective(range, scores.logprobs, scores.entropy);
    if (dlogprobs.length !== range.to - range.from) throw new RangeError('the objective must return one number per target');
    return dlogprobs;
  });
  if (accumulators > 1) crew.run(slices(floats, crew.lanes).map((span) => ({ kind: 'reduce', span, accumulators }) as const));
}

function squaresOf(crew: Crew, list: readonly Parameter[]): number[] {
  const spans = list.map((p): Span => ({ start: p.offset, length: p.rows * p.cols }));
  return crew.run([{ kind: 'squares', spans }]).flat();
}

/** Whole vectors of four per slice. */
function slices(floats: number, count: number): Span[] {
  const length = Math.ceil(floats / count / 4) * 4;
  return Array.from({ length: count }, (_, i) => ({ start: i * length, length: Math.max(0, Math.min(length, floats - i * length)) }));
}

const deal = <T>(crew: Crew, items: readonly T[]): T[][] =>
  Array.from({ length: crew.lanes }, (_, lane) => items.filter((_item, i) => i % crew.lanes === lane));

/** Floats that a freeze of `rows` keeps; a norm is one row here, and has one row per element in Hugging Face's layout. */
const frozenFloats = (p: Parameter, rows: number): number => (p.kind === 'norm' ? Math.min(rows, p.cols) : Math.min(rows, p.rows) * p.cols);

const copies = (views: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> =>
  new Map([...views].map(([name, view]) => [name, view.slice()]));

function copyInto(list: readonly Parameter[], from: ReadonlyMap<string, Float32Array>, to: ReadonlyMap<string, Float32Array>): void {
  for (const { name, rows, cols } of list) {
    const tensor = from.get(name);
    if (!tensor) throw new RangeError(`tensor ${name} is missing`);
    if (tensor.length !== rows * cols) throw new RangeError(`tensor ${name} has ${tensor.length} elements, not ${rows} x ${cols}`);
    to.get(name)?.set(tensor);
  }
}
