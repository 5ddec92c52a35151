/**
 * Causal attention of one query head over one segment, for training. Row i sees keys 0 .. before + i, where `before` keys belong to the
 * prefix. The probabilities stay in P for the way back; what lies above the diagonal of a tile is never computed, only zeroed.
 */
import { TILE, tileColumns, tileRows } from './matmul';
import { exp, fma, largest, sum } from './simd';

/** Keys (or values) of `count` rows -> columns `at ..` of panels [tokens/8][size][8]: the right-hand side of scores. */
export function packKeys(count: usize, at: usize, size: usize, rows: usize, ld: usize, panels: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const token = at + i;
    let to = panels + ((((token >> 3) * size) << 3) + (token & 7) << 2);
    const from = rows + ((i * ld) << 2);
    for (let d: usize = 0; d < size << 2; d += 4) {
      store<f32>(to, load<f32>(from + d));
      to += 32;
    }
  }
}

/** The same rows -> steps `at ..` of panels [size/8][total][8]: the right-hand side of a sum over tokens. */
export function packValues(count: usize, at: usize, total: usize, size: usize, rows: usize, ld: usize, panels: usize): void {
  for (let j: usize = 0; j < size; j += 8) {
    let to = panels + ((j * total + (at << 3)) << 2);
    let from = rows + (j << 2);
    for (let i: usize = 0; i < count; i++) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      to += 32;
      from += ld << 2;
    }
  }
}

/** p[0 .. n) = softmax(scale * p); zero from n to `end`. */
// @ts-ignore: decorator
@inline
function softmax(p: usize, n: usize, end: usize, scale: f32): void {
  const whole = (n >> 2) << 4;
  const last = n << 2;
  let peak = f32x4.splat(-Infinity);
  for (let j: usize = 0; j < whole; j += 16) peak = f32x4.pmax(peak, v128.load(p + j));
  let top = largest(peak);
  for (let j = whole; j < last; j += 4) top = max(top, load<f32>(p + j));
  for (let j = last; j < end << 2; j += 4) store<f32>(p + j, -Infinity);
  const t = f32x4.splat(top);
  const s = f32x4.splat(scale);
  let total = f32x4.splat(0);
  for (let j: usize = 0; j < last; j += 16) {
    const v = v128.load(p + j);
    // exp() clamps at -87, so the padding is masked rather than trusted to underflow.
    const e = v128.and(exp(f32x4.mul(f32x4.sub(v, t), s)), f32x4.ne(v, f32x4.splat(-Infinity)));
    v128.store(p + j, e);
    total = f32x4.add(total, e);
  }
  const inverse = f32x4.splat(<f32>1 / sum(total));
  for (let j: usize = 0; j < last; j += 16) v128.store(p + j, f32x4.mul(v128.load(p + j), inverse));
  for (let j = (last + 15) & ~15; j < end << 2; j += 16) v128.store(p + j, f32x4.splat(0));
}

/** o[rows, size] = softmax(q k^T * scale) v. `ldp` >= keys rounded up to 8, plus 8. */
export function attend(rows: usize, before: usize, size: usize, q: usize, ldq: usize, keys: usize, values: usize, scale: f32, p: usize, ldp: usize, o: usize, ldo: usize): void {
  const total = before + rows;
  for (let i: usize = 0; i < rows; i += TILE) {
    const height = min(TILE, rows - i);
    const seen = before + i + height;
    const edge = (seen + 7) & ~7;
    const strip = p + ((i * ldp) << 2);
    for (let j: usize = 0; j < edge; j += 8) {
      tileRows(height, size, q + ((i * ldq) << 2), ldq << 2, keys + ((j * size) << 2), strip + (j << 2), ldp << 2, false);
    }
    for (let r: usize = 0; r < height; r++) softmax(strip + ((r * ldp) << 2), before + i + r + 1, edge + 8, scale);
    for (let j: usize = 0; j < size; j += 8) {
      tileRows(height, seen, strip, ldp << 2, values + ((j * total) << 2), o + ((i * ldo + j) << 2), ldo << 2, false);
    }
  }
}

/** ds = p * (dp - <p, dp>) * scale in place over dp, for n keys; zero from n to `end`. */
// @ts-ignore: decorator
@inline
function softmaxBackward(p: usize, dp: usize, n: usize, end: usize, scale: f32): void {
  const last = n << 2;
  for (let j = last; j < end << 2; j += 4) store<f32>(dp + j, 0);
  let dot = f32x4.splat(0);
  for (let j: usize = 0; j < last; j += 16) dot = fma(v128.load(p + j), v128.load(dp + j), dot);
  const d = f32x4.splat(sum(dot));
  const s = f32x4.splat(scale);
  for (let j: usize = 0; j < last; j += 16) {
    v128.store(dp + j, f32x4.mul(f32x4.mul(v128.load(p + j), s), f32x4.sub(v128.load(dp + j), d)));
  }
}

/**
 * dq = and dk, dv += (contiguous [before + rows, size]) from do. `keyRows` are the keys as value panels, `valueKeys` the values as key
 * panels, `qRows` and `doRows` the queries and do as value panels of `rows` steps; `ds` is scratch as large as P.
 */
export function attendBackward(rows: usize, before: usize, size: usize, go: usize, ldo: usize, keyRows: usize, valueKeys: usize, qRows: usize, doRows: usize, scale: f32, p: usize, ds: usize, ldp: usize, dq: usize, ldq: usize, dk: usize, dv: usize): void {
  const total = before + rows;
  for (let i: usize = 0; i < rows; i += TILE) {
    const height = min(TILE, rows - i);
    const seen = before + i + height;
    const edge = (seen + 7) & ~7;
    const strip = ds + ((i * ldp) << 2);
    for (let j: usize = 0; j < edge; j += 8) {
      tileRows(height, size, go + ((i * ldo) << 2), ldo << 2, valueKeys + ((j * size) << 2), strip + (j << 2), ldp << 2, false);
    }
    for (let r: usize = 0; r < height; r++) {
      softmaxBackward(p + (((i + r) * ldp) << 2), strip + ((r * ldp) << 2), before + i + r + 1, edge + 8, scale);
    }
    for (let j: usize = 0; j < size; j += 8) {
      tileRows(height, seen, strip, ldp << 2, keyRows + ((j * total) << 2), dq + ((i * ldq + j) << 2), ldq << 2, false);
    }
  }
  for (let t: usize = 0; t < total; t += TILE) {
    const height = min(TILE, total - t);
    const first = t > before ? t - before : 0;
    const depth = rows - first;
    const skip = (first * ldp + t) << 2;
    for (let j: usize = 0; j < size; j += 8) {
      const panel = (j * rows + (first << 3)) << 2;
      const to = (t * size + j) << 2;
      tileColumns(height, depth, ds + skip, ldp << 2, qRows + panel, dk + to, size << 2);
      tileColumns(height, depth, p + skip, ldp << 2, doRows + panel, dv + to, size << 2);
    }
  }
}
