/**
 * Matrix products on register tiles. The right-hand operand is always in panels `[columns/8][k][8]`; the left one is read where it lies.
 * Every element of C is one chain of multiply-adds in ascending k (restarted each BLOCK in `accumulateOuter`), whatever tile it falls into,
 * so a row's result does not depend on which other rows are in the batch.
 */
import { fma } from './simd';

/** Rows per tile: 12 accumulators + 3 operands fill the 16 registers of x64; a separate multiply needs some of them back. */
// @ts-ignore: decorator
@inline
export const TILE: usize = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;

/** Rows of A that pass through a panel of B while it is in the first-level cache. */
const ROWS: usize = TILE * 12;

/** Depth of one pass of `accumulateOuter`: 256 x 8 floats of B are 8 KB. */
const BLOCK: usize = 256;

/** x plus what lies at `c`, where the mask `old` is all ones. */
// @ts-ignore: decorator
@inline
function plus(x: v128, c: usize, old: v128): v128 {
  return f32x4.add(x, v128.and(v128.load(c), old));
}

// @ts-ignore: decorator
@inline
function put(c: usize, x: v128, y: v128): void {
  v128.store(c, x);
  v128.store(c, y, 16);
}

/**
 * C[rows, 8] (=|+=) A[rows, k] panel, A row-major with a row of `lda` bytes; 1 <= rows <= TILE, `ldc` in bytes.
 * Without a branch on either side of the loop, and with pointers rather than indices inside it: V8 spills accumulators otherwise (half speed).
 */
export function tileRows(rows: usize, k: usize, a0: usize, lda: usize, b: usize, c: usize, ldc: usize, add: bool): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  // A short tile computes its last row several times.
  let a1 = rows > 1 ? a0 + lda : a0;
  let a2 = rows > 2 ? a1 + lda : a1;
  let a3 = rows > 3 ? a2 + lda : a2;
  let a4 = rows > 4 ? a3 + lda : a3;
  let a5 = rows > 5 ? a4 + lda : a4;
  const end = b + (k << 5);
  while (b < end) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a0);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a1);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a2);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a3);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    if (TILE > 4) {
      x = v128.load32_splat(a4);
      c40 = fma(x, b0, c40);
      c41 = fma(x, b1, c41);
      x = v128.load32_splat(a5);
      c50 = fma(x, b0, c50);
      c51 = fma(x, b1, c51);
    }
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    a4 += 4;
    a5 += 4;
    b += 32;
  }
  // Rows beyond the last are stored onto it, and before it.
  const p1 = rows > 1 ? c + ldc : c;
  const p2 = rows > 2 ? p1 + ldc : p1;
  const p3 = rows > 3 ? p2 + ldc : p2;
  const p4 = rows > 4 ? p3 + ldc : p3;
  const p5 = rows > 5 ? p4 + ldc : p4;
  const old = i32x4.splat(-i32(add));
  c00 = plus(c00, c, old);
  c01 = plus(c01, c + 16, old);
  c10 = plus(c10, p1, old);
  c11 = plus(c11, p1 + 16, old);
  c20 = plus(c20, p2, old);
  c21 = plus(c21, p2 + 16, old);
  c30 = plus(c30, p3, old);
  c31 = plus(c31, p3 + 16, old);
  if (TILE > 4) {
    c40 = plus(c40, p4, old);
    c41 = plus(c41, p4 + 16, old);
    c50 = plus(c50, p5, old);
    c51 = plus(c51, p5 + 16, old);
    put(p5, c50, c51);
    put(p4, c40, c41);
  }
  put(p3, c30, c31);
  put(p2, c20, c21);
  put(p1, c10, c11);
  put(c, c00, c01);
}

/** C[rows, 8] += (A^T)[rows, k] panel, where step k of A holds TILE readable floats at `a + k * lda` (bytes). */
export function tileColumns(rows: usize, k: usize, a: usize, lda: usize, b: usize, c: usize, ldc: usize): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  const add = true;
  const end = b + (k << 5);
  while (b < end) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    if (TILE > 4) {
      x = v128.load32_splat(a, 16);
      c40 = fma(x, b0, c40);
      c41 = fma(x, b1, c41);
      x = v128.load32_splat(a, 20);
      c50 = fma(x, b0, c50);
      c51 = fma(x, b1, c51);
    }
    a += lda;
    b += 32;
  }
  // Rows beyond the last are stored onto it, and before it.
  const p1 = rows > 1 ? c + ldc : c;
  const p2 = rows > 2 ? p1 + ldc : p1;
  const p3 = rows > 3 ? p2 + ldc : p2;
  const p4 = rows > 4 ? p3 + ldc : p3;
  const p5 = rows > 5 ? p4 + ldc : p4;
  const old = i32x4.splat(-i32(add));
  c00 = plus(c00, c, old);
  c01 = plus(c01, c + 16, old);
  c10 = plus(c10, p1, old);
  c11 = plus(c11, p1 + 16, old);
  c20 = plus(c20, p2, old);
  c21 = plus(c21, p2 + 16, old);
  c30 = plus(c30, p3, old);
  c31 = plus(c31, p3 + 16, old);
  if (TILE > 4) {
    c40 = plus(c40, p4, old);
    c41 = plus(c41, p4 + 16, old);
    c50 = plus(c50, p5, old);
    c51 = plus(c51, p5 + 16, old);
    put(p5, c50, c51);
    put(p4, c40, c41);
  }
  put(p3, c30, c31);
  put(p2, c20, c21);
  put(p1, c10, c11);
  put(c, c00, c01);
}

/** B[k, n] -> panels, n a multiple of 8; `ks` and `ns` are B's strides in floats, one of them 1. */
export function pack(k: usize, n: usize, b: usize, ks: usize, ns: usize, panels: usize): void {
  for (let j: usize = 0; j < n; j += 8) {
    let from = b + ((j * ns) << 2);
    if (ns == 1) {
      for (let i: usize = 0; i < k; i++) {
        v128.store(panels, v128.load(from));
        v128.store(panels, v128.load(from, 16), 16);
        from += ks << 2;
        panels += 32;
      }
    } else {
      for (let lane: usize = 0; lane < 8; lane++) {
        const to = panels + (lane << 2);
        for (let i: usize = 0; i < k; i++) store<f32>(to + (i << 5), load<f32>(from + ((i * ks) << 2)));
        from += ns << 2;
      }
      panels += k << 5;
    }
  }
}

/** C[m, n] (=|+=) A[m, k] B, with B in panels, n a multiple of 8, and leading dimensions in floats. */
export function matmul(m: usize, n: usize, k: usize, a: usize, lda: usize, panels: usize, c: usize, ldc: usize, add: bool): void {
  lda <<= 2;
  ldc <<= 2;
  for (let top: usize = 0; top < m; top += ROWS) {
    const bottom = min(m, top + ROWS);
    for (let j: usize = 0; j < n; j += 8) {
      const panel = panels + ((j * k) << 2);
      for (let i = top; i < bottom; i += TILE) {
        tileRows(min(TILE, bottom - i), k, a + i * lda, lda, panel, c + i * ldc + (j << 2), ldc, add);
      }
    }
  }
}

/** C[m, n] += A^T B with A[k, m] and B[k, n] row-major, n a multiple of 8, strides in floats; `scratch` holds 256 * (n + 8) floats. */
export function accumulateOuter(m: usize, n: usize, k: usize, a: usize, lda: usize, b: usize, ldb: usize, c: usize, ldc: usize, scratch: usize): void {
  const strip = scratch + ((BLOCK * n) << 2);
  for (let top: usize = 0; top < k; top += BLOCK) {
    const depth = min(BLOCK, k - top);
    pack(depth, n, b + ((top * ldb) << 2), ldb, 1, scratch);
    for (let i: usize = 0; i < m; i += TILE) {
      const rows = min(TILE, m - i);
      let from = a + ((top * lda + i) << 2);
      let to = strip;
      for (let s: usize = 0; s < depth; s++) {
        // A short last strip reads on into the next row (or the slack behind the matrix); those lanes are never stored.
        v128.store(to, v128.load(from));
        if (TILE > 4) store<u64>(to, load<u64>(from, 16), 16);
        from += lda << 2;
        to += TILE << 2;
      }
      const row = c + ((i * ldc) << 2);
      for (let j: usize = 0; j < n; j += 8) {
        tileColumns(rows, depth, strip, TILE << 2, scratch + ((j * depth) << 2), row + (j << 2), ldc << 2);
      }
    }
  }
}
