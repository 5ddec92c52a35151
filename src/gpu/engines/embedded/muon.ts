/**
 * Muon (K. Jordan 2024): momentum, orthogonalised by five Newton-Schulz steps of a quintic, for the 2-D matrices of the layers.
 *   m = mu m + g;  u = g + mu m;  X = u / |u|;  5 x { A = X X^T;  X = a X + (b A + c A A) X };  w -= lr sqrt(max(1, rows / cols)) X
 * The scale of g cancels, so gradients need no clipping here.
 */
import type { Address } from './kernels.ts';
import type { Lane } from './lane.ts';
import type { Parameter } from './shape.ts';

const MOMENTUM = 0.95;
const STEPS = 5;
const [A, B, C] = [3.4445, -4.775, 2.0315] as const;

export function muon(lane: Lane, parameter: Parameter, lr: number, weightDecay: number): void {
  const { kernels, arena, plan } = lane;
  const { rows, cols } = parameter;
  const floats = rows * cols;
  const at = parameter.offset * 4;
  const gradient = (plan.gradients[0] as Address) + at;
  const momentum = plan.firstMoment + at;
  const mark = arena.mark();
  const update = arena.take(floats);
  kernels.blend(floats, 1, gradient, MOMENTUM, momentum);
  kernels.copy(floats, gradient, update);
  kernels.blend(floats, MOMENTUM, momentum, 1, update);
  const wide = rows > cols ? transposed(lane, update, rows, cols) : update;
  const whitened = orthogonalise(lane, wide, Math.min(rows, cols), Math.max(rows, cols));
  const step = rows > cols ? transposed(lane, whitened, cols, rows) : whitened;
  kernels.blend(floats, -lr * Math.sqrt(Math.max(1, rows / cols)), step, 1 - lr * weightDecay, plan.weights + at);
  arena.release(mark);
}

/** x[short, long] is overwritten. */
function orthogonalise(lane: Lane, x: Address, short: number, long: number): Address {
  const { kernels, arena } = lane;
  const floats = short * long;
  const panels = arena.take(floats);
  const square = arena.take(short * short);
  const quartic = arena.take(short * short);
  let from = x;
  let to = arena.take(floats);
  kernels.blend(floats, 0, x, 1 / (Math.sqrt(kernels.squares(floats, x)) + 1e-7), x);
  for (let i = 0; i < STEPS; i++) {
    kernels.pack(long, short, from, 1, long, panels);
    kernels.matmul(short, short, long, from, long, panels, square, short, false);
    kernels.pack(short, short, square, short, 1, panels);
    kernels.matmul(short, short, short, square, short, panels, quartic, short, false);
    kernels.blend(short * short, B, square, C, quartic);
    kernels.pack(short, long, from, long, 1, panels);
    kernels.matmul(short, long, short, quartic, short, panels, to, long, false);
    kernels.blend(floats, A, from, 1, to);
    [from, to] = [to, from];
  }
  return from;
}

function transposed(lane: Lane, x: Address, rows: number, cols: number): Address {
  const at = lane.arena.take(rows * cols);
  const from = lane.arena.view(x, rows * cols);
  const to = lane.arena.view(at, rows * cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) to[j * rows + i] = from[i * cols + j] as number;
  return at;
}
