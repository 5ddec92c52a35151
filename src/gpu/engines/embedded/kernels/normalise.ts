/** RMSNorm over rows, and the query/key form of it: normalise each head, then rotate it by its position (RoPE, rotate-half). */
import { fma, sum } from './simd';

// @ts-ignore: decorator
@inline
function inverseRms(width: usize, x: usize, eps: f32): f32 {
  let squares = f32x4.splat(0);
  for (let j: usize = 0; j < width << 2; j += 16) {
    const v = v128.load(x + j);
    squares = fma(v, v, squares);
  }
  return <f32>1 / sqrt<f32>(sum(squares) / <f32>width + eps);
}

/** y[rows, width] = x / rms(x) * weight; the reciprocal rms of each row is kept in `scales` for the way back. */
export function normalise(rows: usize, width: usize, x: usize, weight: usize, eps: f32, y: usize, scales: usize): void {
  const row = width << 2;
  for (let i: usize = 0; i < rows; i++) {
    const scale = inverseRms(width, x, eps);
    store<f32>(scales + (i << 2), scale);
    const s = f32x4.splat(scale);
    for (let j: usize = 0; j < row; j += 16) v128.store(y + j, f32x4.mul(f32x4.mul(v128.load(x + j), s), v128.load(weight + j)));
    x += row;
    y += row;
  }
}

/** dx += and dweight += from dy. */
export function normaliseBackward(rows: usize, width: usize, x: usize, weight: usize, scales: usize, dy: usize, dx: usize, dweight: usize): void {
  const row = width << 2;
  for (let i: usize = 0; i < rows; i++) {
    const scale = load<f32>(scales + (i << 2));
    const s = f32x4.splat(scale);
    let dot = f32x4.splat(0);
    for (let j: usize = 0; j < row; j += 16) {
      const xg = f32x4.mul(v128.load(x + j), v128.load(dy + j));
      dot = fma(xg, v128.load(weight + j), dot);
      v128.store(dweight + j, fma(xg, s, v128.load(dweight + j)));
    }
    const pull = f32x4.splat((-sum(dot) * scale * scale * scale) / <f32>width);
    for (let j: usize = 0; j < row; j += 16) {
      const own = f32x4.mul(f32x4.mul(v128.load(dy + j), v128.load(weight + j)), s);
      v128.store(dx + j, f32x4.add(v128.load(dx + j), fma(v128.load(x + j), pull, own)));
    }
    x += row;
    dy += row;
    dx += row;
  }
}

/** y[rows, heads * size] = rope(norm(x)) head by head. Strides in floats; `cos` and `sin` are [positions, size/2]. */
export function rotate(rows: usize, heads: usize, size: usize, x: usize, ldx: usize, weight: usize, eps: f32, positions: usize, cos: usize, sin: usize, y: usize, ldy: usize): void {
  const half = size << 1;
  for (let i: usize = 0; i < rows; i++) {
    const at = <usize>load<i32>(positions + (i << 2)) * half;
    for (let h: usize = 0; h < heads; h++) {
      const from = x + ((i * ldx + h * size) << 2);
      const to = y + ((i * ldy + h * size) << 2);
      const s = f32x4.splat(inverseRms(size, from, eps));
      for (let j: usize = 0; j < half; j += 16) {
        const a = f32x4.mul(f32x4.mul(v128.load(from + j), s), v128.load(weight + j));
        const b = f32x4.mul(f32x4.mul(v128.load(from + half + j), s), v128.load(weight + half + j));
        const c = v128.load(cos + at + j);
        const n = v128.load(sin + at + j);
        v128.store(to + j, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, n)));
        v128.store(to + half + j, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, n)));
      }
    }
  }
}

/** Turns dy in place into dx (both [rows, heads * size], stride `ldy`); dweight +=. */
export function rotateBackward(rows: usize, heads: usize, size: usize, x: usize, ldx: usize, weight: usize, eps: f32, positions: usize, cos: usize, sin: usize, dy: usize, ldy: usize, dweight: usize): void {
  const half = size << 1;
  const whole = size << 2;
  for (let i: usize = 0; i < rows; i++) {
    const at = <usize>load<i32>(positions + (i << 2)) * half;
    for (let h: usize = 0; h < heads; h++) {
      const from = x + ((i * ldx + h * size) << 2);
      const to = dy + ((i * ldy + h * size) << 2);
      for (let j: usize = 0; j < half; j += 16) {
        const a = v128.load(to + j);
        const b = v128.load(to + half + j);
        const c = v128.load(cos + at + j);
        const n = v128.load(sin + at + j);
        v128.store(to + j, f32x4.add(f32x4.mul(a, c), f32x4.mul(b, n)));
        v128.store(to + half + j, f32x4.sub(f32x4.mul(b, c), f32x4.mul(a, n)));
      }
      const scale = inverseRms(size, from, eps);
      const s = f32x4.splat(scale);
      let dot = f32x4.splat(0);
      for (let j: usize = 0; j < whole; j += 16) {
        const xg = f32x4.mul(v128.load(from + j), v128.load(to + j));
        dot = fma(xg, v128.load(weight + j), dot);
        v128.store(dweight + j, fma(xg, s, v128.load(dweight + j)));
      }
      const pull = f32x4.splat((-sum(dot) * scale * scale * scale) / <f32>size);
      for (let j: usize = 0; j < whole; j += 16) {
        const own = f32x4.mul(f32x4.mul(v128.load(to + j), v128.load(weight + j)), s);
        v128.store(to + j, fma(v128.load(from + j), pull, own));
      }
    }
  }
}
