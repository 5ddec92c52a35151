/**
 * Attention over a paged key-value cache, one row at a time: the sampler's only attention, for prompts and for decoding alike, so that a
 * row's bits depend on its own tokens and on nothing else. A page holds 16 tokens; per layer and head: keys [size][16], values [16][size].
 */
import { exp, fma, largest, sum } from './simd';

const PAGE: usize = 16;

// @ts-ignore: decorator
@inline
function pageOf(table: usize, token: usize): usize {
  return load<u32>(table + ((token / PAGE) << 2));
}

/** Writes each row's key and value at its position. `tables` holds per row the address of its list of page addresses; `layer` is the layer's byte offset in a page. */
export function remember(rows: usize, heads: usize, size: usize, k: usize, ldk: usize, v: usize, ldv: usize, positions: usize, tables: usize, layer: usize): void {
  for (let i: usize = 0; i < rows; i++) {
    const position = <usize>load<i32>(positions + (i << 2));
    const slot = position % PAGE;
    let at = pageOf(load<u32>(tables + (i << 2)), position) + layer;
    for (let h: usize = 0; h < heads; h++) {
      const key = k + ((i * ldk + h * size) << 2);
      for (let d: usize = 0; d < size; d++) store<f32>(at + ((d * PAGE + slot) << 2), load<f32>(key + (d << 2)));
      memory.copy(at + (((size * PAGE) + slot * size) << 2), v + ((i * ldv + h * size) << 2), size << 2);
      at += (size * PAGE) << 3;
    }
  }
}

/** o[rows, heads * size]; query head h reads key-value head h / group. `scores` is scratch for (tokens rounded up to 16) floats. */
export function attendPaged(rows: usize, heads: usize, group: usize, size: usize, q: usize, ldq: usize, positions: usize, tables: usize, layer: usize, scale: f32, scores: usize, o: usize, ldo: usize): void {
  const headBytes = (size * PAGE) << 3;
  for (let i: usize = 0; i < rows; i++) {
    const seen = <usize>load<i32>(positions + (i << 2)) + 1;
    const table = <usize>load<u32>(tables + (i << 2));
    for (let h: usize = 0; h < heads; h++) {
      const place = layer + (h / group) * headBytes;
      const query = q + ((i * ldq + h * size) << 2);
      let peak = f32x4.splat(-Infinity);
      for (let t: usize = 0; t < seen; t += PAGE) {
        let key = pageOf(table, t) + place;
        let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
        for (let d: usize = 0; d < size << 2; d += 4) {
          const x = v128.load32_splat(query + d);
          s0 = fma(x, v128.load(key), s0);
          s1 = fma(x, v128.load(key, 16), s1);
          s2 = fma(x, v128.load(key, 32), s2);
          s3 = fma(x, v128.load(key, 48), s3);
          key += PAGE << 2;
        }
        const to = scores + (t << 2);
        v128.store(to, s0);
        v128.store(to, s1, 16);
        v128.store(to, s2, 32);
        v128.store(to, s3, 48);
        for (let j = max(t, seen); j < t + PAGE; j++) store<f32>(scores + (j << 2), -Infinity);
        peak = f32x4.max(peak, f32x4.max(f32x4.max(v128.load(to), v128.load(to, 16)), f32x4.max(v128.load(to, 32), v128.load(to, 48))));
      }
      const top = f32x4.splat(largest(peak));
      const factor = f32x4.splat(scale);
      let total = f32x4.splat(0);
      for (let j: usize = 0; j < seen << 2; j += 16) {
        const v = v128.load(scores + j);
        const e = v128.and(exp(f32x4.mul(f32x4.sub(v, top), factor)), f32x4.ne(v, f32x4.splat(-Infinity)));
        v128.store(scores + j, e);
        total = f32x4.add(total, e);
      }
      const inverse = f32x4.splat(<f32>1 / sum(total));
      const out = o + ((i * ldo + h * size) << 2);
      for (let d: usize = 0; d < size; d += 8) {
        let a = f32x4.splat(0), b = a;
        for (let t: usize = 0; t < seen; t += PAGE) {
          let value = pageOf(table, t) + place + ((size * PAGE + d) << 2);
          const end = min(seen, t + PAGE) << 2;
          for (let j = t << 2; j < end; j += 4) {
            const w = v128.load32_splat(scores + j);
            a = fma(w, v128.load(value), a);
            b = fma(w, v128.load(value, 16), b);
            value += size << 2;
          }
        }
        v128.store(out + (d << 2), f32x4.mul(a, inverse));
        v128.store(out + (d << 2), f32x4.mul(b, inverse), 16);
      }
    }
  }
}
