/** One thread's means of computing: kernels, a private arena and the addresses of the model. Knows no jobs. */
import { Arena } from './arena.ts';
import type { Address, Kernels } from './kernels.ts';
import { instantiateKernels } from './kernels.ts';
import type { Plan } from './plan.ts';
import type { Matrix, ModelShape, ParameterTable } from './shape.ts';
import { parametersOf, qkvWidth } from './shape.ts';

export interface LaneSeed {
  readonly index: number;
  readonly plan: Plan;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
}

export interface Lane {
  readonly kernels: Kernels;
  readonly arena: Arena;
  readonly plan: Plan;
  readonly shape: ModelShape;
  readonly table: ParameterTable;
  readonly widths: Widths;
}

/** Floats per row of the activations. */
export interface Widths {
  readonly queries: number;
  readonly keys: number;
  /** Queries and keys, normalised and rotated. */
  readonly rotated: number;
  readonly qkv: number;
}

export function openLane(seed: LaneSeed): Lane {
  const { shape } = seed.plan;
  const stretch = seed.plan.lanes[seed.index];
  if (!stretch) throw new RangeError(`no memory is planned for lane ${seed.index}`);
  const queries = shape.heads * shape.headDim;
  const keys = shape.kvHeads * shape.headDim;
  return {
    kernels: instantiateKernels(seed.module, seed.memory),
    arena: new Arena(seed.memory.buffer, stretch.start, stretch.end),
    plan: seed.plan,
    shape,
    table: parametersOf(shape),
    widths: { queries, keys, rotated: queries + keys, qkv: qkvWidth(shape) },
  };
}

/** Packs one matrix for both directions; due after its weights changed. */
export function packMatrix(lane: Lane, matrix: Matrix): void {
  const { weights, forwardPanels, backwardPanels } = lane.plan;
  const at = matrix.offset * 4;
  lane.kernels.pack(matrix.in, matrix.out, weights + at, 1, matrix.in, forwardPanels + at);
  lane.kernels.pack(matrix.out, matrix.in, weights + at, matrix.in, 1, backwardPanels + at);
}

/** y[rows, out] (=|+=) x[rows, in] W^T, where W is the matrix at `offset`. */
export function project(lane: Lane, rows: number, out: number, width: number, x: Address, offset: number, y: Address, add: boolean): void {
  lane.kernels.matmul(rows, out, width, x, width, lane.plan.forwardPanels + offset * 4, y, out, add);
}

/** dx[rows, in] (=|+=) dy[rows, out] W, and dW += dy^T x into `gradients`. */
export function projectBackward(
  lane: Lane,
  rows: number,
  out: number,
  width: number,
  x: Address,
  dy: Address,
  offset: number,
  gradients: Address,
  dx: Address,
): void {
  const { kernels, arena, plan } = lane;
  kernels.matmul(rows, width, out, dy, out, plan.backwardPanels + offset * 4, dx, width, false);
  const mark = arena.mark();
  const scratch = arena.take(256 * (width + 8));
  kernels.accumulateOuter(out, width, rows, dy, out, x, width, gradients + offset * 4, width, scratch);
  arena.release(mark);
}
