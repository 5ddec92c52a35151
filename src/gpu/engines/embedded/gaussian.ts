/** Normal draws and random orthonormal matrices. Knows no model; all chance comes from the stream it is given. */
import type { Stream } from '../../../random.ts';

/** Rows of numbers; small, f64, for building weights once. */
export type Matrix = readonly (readonly number[])[];

/** Standard normal draws by Marsaglia's polar method: only log and sqrt, which round the same on every platform we run on, unlike sin and cos. */
export function gaussian(stream: Stream): () => number {
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    for (;;) {
      const x = 2 * stream.next() - 1;
      const y = 2 * stream.next() - 1;
      const s = x * x + y * y;
      if (s === 0 || s >= 1) continue;
      const scale = Math.sqrt((-2 * Math.log(s)) / s);
      spare = y * scale;
      return x * scale;
    }
  };
}

/** `rows` x `cols` of normal draws with this standard deviation. */
export const gaussianMatrix = (rows: number, cols: number, deviation: number, draw: () => number): Matrix =>
  Array.from({ length: rows }, () => Array.from({ length: cols }, () => draw() * deviation));

/** `count` orthonormal rows of this width, uniformly random: modified Gram-Schmidt over normal draws. `count` ≤ `width`. */
export function orthonormalRows(count: number, width: number, draw: () => number): Matrix {
  if (count > width) throw new RangeError(`${count} orthonormal rows of width ${width}`);
  const rows: number[][] = [];
  while (rows.length < count) {
    const row = Array.from({ length: width }, draw);
    // Twice, so that rounding leaves nothing of the earlier rows.
    for (const earlier of [...rows, ...rows]) {
      const along = dot(earlier, row);
      for (let i = 0; i < width; i++) row[i] = (row[i] as number) - along * (earlier[i] as number);
    }
    const norm = Math.sqrt(dot(row, row));
    if (norm > 1e-6) rows.push(row.map((x) => x / norm));
  }
  return rows;
}

export const transpose = (matrix: Matrix): Matrix => (matrix[0] ?? []).map((_, column) => matrix.map((row) => row[column] as number));

export function multiply(a: Matrix, b: Matrix): Matrix {
  const columns = transpose(b);
  return a.map((row) => columns.map((column) => dot(row, column)));
}

export const scaled = (matrix: Matrix, factor: number): Matrix => matrix.map((row) => row.map((x) => x * factor));

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
