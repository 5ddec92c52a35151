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

/**
 * scores[0 .. 32) = q . keys, two pages at a time: eight chains hide the latency of a multiply-add. Where the second page is missing, the first
 * is given again. A function of its own, as `mix32` is: inlined into its caller, V8 keeps the chains on the stack.
 */
export function scorePages(size: usize, query: usize, first: usize, second: usize, to: usize): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  const end = query + (size << 2);
  while (query < end) {
    const x = v128.load32_splat(query);
    s0 = fma(x, v128.load(first), s0);
    s1 = fma(x, v128.load(first, 16), s1);
    s2 = fma(x, v128.load(first, 32), s2);
    s3 = fma(x, v128.load(first, 48), s3);
    s4 = fma(x, v128.load(second), s4);
    s5 = fma(x, v128.load(second, 16), s5);
    s6 = fma(x, v128.load(second, 32), s6);
    s7 = fma(x, v128.load(second, 48), s7);
    query += 4;
    first += PAGE << 2;
    second += PAGE << 2;
  }
  v128.store(to, s0);
  v128.store(to, s1, 16);
  v128.store(to, s2, 32);
  v128.store(to, s3, 48);
  v128.store(to, s4, 64);
  v128.store(to, s5, 80);
  v128.store(to, s6, 96);
  v128.store(to, s7, 112);
}

/** scores[0 .. seen) = exp(scale * (scores - max)), zero up to a whole vector; returns the reciprocal of their sum. */
export function weigh(seen: usize, scale: f32, scores: usize): f32 {
  let peak = f32x4.splat(-Infinity);
  for (let j = seen; j < ((seen + 3) & ~3); j++) store<f32>(scores + (j << 2), -Infinity);
  for (let j: usize = 0; j < seen << 2; j += 16) peak = f32x4.pmax(peak, v128.load(scores + j));
  const top = f32x4.splat(largest(peak));
  const factor = f32x4.splat(scale);
  let total = f32x4.splat(0);
  for (let j: usize = 0; j < seen << 2; j += 16) {
    const v = v128.load(scores + j);
    const e = v128.and(exp(f32x4.mul(f32x4.sub(v, top), factor)), f32x4.ne(v, f32x4.splat(-Infinity)));
    v128.store(scores + j, e);
    total = f32x4.add(total, e);
  }
  return <f32>1 / sum(total);
}

/** out[0 .. 32) += sum of weight times value over `count` tokens, a value every `stride` bytes. */
export function mix32(count: usize, weight: usize, value: usize, stride: usize, out: usize): void {
  let o0 = v128.load(out), o1 = v128.load(out, 16), o2 = v128.load(out, 32), o3 = v128.load(out, 48);
  let o4 = v128.load(out, 64), o5 = v128.load(out, 80), o6 = v128.load(out, 96), o7 = v128.load(out, 112);
  const end = weight + (count << 2);
  while (weight < end) {
    const w = v128.load32_splat(weight);
    o0 = fma(w, v128.load(value), o0);
    o1 = fma(w, v128.load(value, 16), o1);
    o2 = fma(w, v128.load(value, 32), o2);
    o3 = fma(w, v128.load(value, 48), o3);
    o4 = fma(w, v128.load(value, 64), o4);
    o5 = fma(w, v128.load(value, 80), o5);
    o6 = fma(w, v128.load(value, 96), o6);
    o7 = fma(w, v128.load(value, 112), o7);
    weight += 4;
    value += stride;
  }
  v128.store(out, o0);
  v128.store(out, o1, 16);
  v128.store(out, o2, 32);
  v128.store(out, o3, 48);
  v128.store(out, o4, 64);
  v128.store(out, o5, 80);
  v128.store(out, o6, 96);
  v128.store(out, o7, 112);
}

/** The same for 8 columns, where the head's size is no multiple of 32. */
export function mix8(count: usize, weight: usize, value: usize, stride: usize, out: usize): void {
  let o0 = v128.load(out), o1 = v128.load(out, 16);
  const end = weight + (count << 2);
  while (weight < end) {
    const w = v128.load32_splat(weight);
    o0 = fma(w, v128.load(value), o0);
    o1 = fma(w, v128.load(value, 16), o1);
    weight += 4;
    value += stride;
  }
  v128.store(out, o0);
  v128.store(out, o1, 16);
}

/** o[rows, heads * size]; query head h reads key-value head h / group. `scores` is scratch for (tokens rounded up to 32) floats. */
export function attendPaged(rows: usize, heads: usize, group: usize, size: usize, q: usize, ldq: usize, positions: usize, tables: usize, layer: usize, scale: f32, scores: usize, o: usize, ldo: usize): void {
  const headBytes = (size * PAGE) << 3;
  for (let i: usize = 0; i < rows; i++) {
    const seen = <usize>load<i32>(positions + (i << 2)) + 1;
    const table = <usize>load<u32>(tables + (i << 2));
    for (let h: usize = 0; h < heads; h++) {
      const place = layer + (h / group) * headBytes;
      const query = q + ((i * ldq + h * size) << 2);
      for (let t: usize = 0; t < seen; t += 2 * PAGE) {
        const second = t + PAGE < seen ? t + PAGE : t;
        scorePages(size, query, pageOf(table, t) + place, pageOf(table, second) + place, scores + (t << 2));
      }
      const inverse = f32x4.splat(weigh(seen, scale, scores));
      const out = o + ((i * ldo + h * size) << 2);
      const row = size << 2;
      memory.fill(out, 0, row);
      for (let t: usize = 0; t < seen; t += PAGE) {
        const values = pageOf(table, t) + place + row * PAGE;
        const count = min(PAGE, seen - t);
        let d: usize = 0;
        for (; d + 128 <= row; d += 128) mix32(count, scores + (t << 2), values + d, row, out + d);
        for (; d < row; d += 32) mix8(count, scores + (t << 2), values + d, row, out + d);
      }
      for (let d: usize = 0; d < row; d += 16) v128.store(out + d, f32x4.mul(v128.load(out + d), inverse));
    }
  }
}
