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

// @ts-ignore: decorator
@inline
function put(c: usize, x: v128, y: v128, add: bool): void {
  if (add) {
    v128.store(c, f32x4.add(v128.load(c), x));
    v128.store(c, f32x4.add(v128.load(c, 16), y), 16);
  } else {
    v128.store(c, x);
    v128.store(c, y, 16);
  }
}

/** C[rows, 8] (+)= A[rows, k] panel, A row-major with a row of `lda` bytes. `rows` <= TILE; `ldc` in bytes. */
export function tileRows(rows: usize, k: usize, a0: usize, lda: usize, b: usize, c: usize, ldc: usize, add: bool): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  // A short tile computes its last row several times and stores it once.
  const a1 = rows > 1 ? a0 + lda : a0;
  const a2 = rows > 2 ? a1 + lda : a1;
  const a3 = rows > 3 ? a2 + lda : a2;
  const a4 = rows > 4 ? a3 + lda : a3;
  const a5 = rows > 5 ? a4 + lda : a4;
  const end = k << 2;
  for (let i: usize = 0; i < end; i += 4) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a0 + i);
    c00 = fma(x, b0, c00);
    c01 = fma(x, b1, c01);
    x = v128.load32_splat(a1 + i);
    c10 = fma(x, b0, c10);
    c11 = fma(x, b1, c11);
    x = v128.load32_splat(a2 + i);
    c20 = fma(x, b0, c20);
    c21 = fma(x, b1, c21);
    x = v128.load32_splat(a3 + i);
    c30 = fma(x, b0, c30);
    c31 = fma(x, b1, c31);
    if (TILE > 4) {
      x = v128.load32_splat(a4 + i);
      c40 = fma(x, b0, c40);
      c41 = fma(x, b1, c41);
      x = v128.load32_splat(a5 + i);
      c50 = fma(x, b0, c50);
      c51 = fma(x, b1, c51);
    }
    b += 32;
  }
  put(c, c00, c01, add);
  if (rows > 1) put((c += ldc), c10, c11, add);
  if (rows > 2) put((c += ldc), c20, c21, add);
  if (rows > 3) put((c += ldc), c30, c31, add);
  if (TILE > 4) {
    if (rows > 4) put((c += ldc), c40, c41, add);
    if (rows > 5) put((c += ldc), c50, c51, add);
  }
}

/** C[rows, 8] += (A^T)[rows, k] panel, where step k of A holds TILE readable floats at `a + k * lda` (bytes). */
export function tileColumns(rows: usize, k: usize, a: usize, lda: usize, b: usize, c: usize, ldc: usize): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
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
  put(c, c00, c01, true);
  if (rows > 1) put((c += ldc), c10, c11, true);
  if (rows > 2) put((c += ldc), c20, c21, true);
  if (rows > 3) put((c += ldc), c30, c31, true);
  if (TILE > 4) {
    if (rows > 4) put((c += ldc), c40, c41, true);
    if (rows > 5) put((c += ldc), c50, c51, true);
  }
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
