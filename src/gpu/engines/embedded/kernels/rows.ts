/** Moving and adding rows and vectors. Lengths are in floats, multiples of 4. */
import { fma, sum } from './simd';

/** y[i] = x[index[i]] */
export function gather(rows: usize, width: usize, index: usize, x: usize, y: usize): void {
  for (let i: usize = 0; i < rows; i++) {
    memory.copy(y + ((i * width) << 2), x + ((<usize>load<i32>(index + (i << 2)) * width) << 2), width << 2);
  }
}

/** y[index[i]] += x[i], in the order of i: an index may occur more than once. */
export function scatterAdd(rows: usize, width: usize, index: usize, x: usize, y: usize): void {
  for (let i: usize = 0; i < rows; i++) add(width, x + ((i * width) << 2), y + ((<usize>load<i32>(index + (i << 2)) * width) << 2));
}

/** Rows of y += rows of x, each with its own stride. */
export function addRows(rows: usize, width: usize, x: usize, ldx: usize, y: usize, ldy: usize): void {
  for (let i: usize = 0; i < rows; i++) add(width, x + ((i * ldx) << 2), y + ((i * ldy) << 2));
}

/** y += x */
export function add(n: usize, x: usize, y: usize): void {
  for (let j: usize = 0; j < n << 2; j += 16) v128.store(y + j, f32x4.add(v128.load(y + j), v128.load(x + j)));
}

/** y = a x + b y */
export function blend(n: usize, a: f32, x: usize, b: f32, y: usize): void {
  const av = f32x4.splat(a);
  const bv = f32x4.splat(b);
  for (let j: usize = 0; j < n << 2; j += 16) v128.store(y + j, fma(av, v128.load(x + j), f32x4.mul(bv, v128.load(y + j))));
}

/** Sum of squares, carried in f64 from every 1,024 elements. */
export function squares(n: usize, x: usize): f64 {
  let total: f64 = 0;
  const end = x + (n << 2);
  while (x < end) {
    const stop = min(end, x + 4096);
    let part = f32x4.splat(0);
    for (; x < stop; x += 16) {
      const v = v128.load(x);
      part = fma(v, v, part);
    }
    total += <f64>sum(part);
  }
  return total;
}

export function copy(n: usize, x: usize, y: usize): void {
  memory.copy(y, x, n << 2);
}

export function clear(n: usize, x: usize): void {
  memory.fill(x, 0, n << 2);
}
