/** One AdamW update (Loshchilov & Hutter 2019, algorithm 2; eps 1e-8 outside the root), element by element. */
import { fma } from './simd';

/** `gradientScale` clips; `c1` and `c2` are the bias corrections 1 - beta^t. */
export function adamw(
  n: usize,
  weights: usize,
  gradients: usize,
  first: usize,
  second: usize,
  lr: f32,
  beta1: f32,
  beta2: f32,
  decay: f32,
  c1: f32,
  c2: f32,
  gradientScale: f32,
): void {
  const scale = f32x4.splat(gradientScale);
  const b1 = f32x4.splat(beta1),
    b2 = f32x4.splat(beta2);
  const r1 = f32x4.splat(1 - beta1),
    r2 = f32x4.splat(1 - beta2);
  const step = f32x4.splat(lr / c1),
    correct = f32x4.splat(1 / c2);
  const eps = f32x4.splat(1e-8),
    keep = f32x4.splat(1 - lr * decay);
  for (let j: usize = 0; j < n << 2; j += 16) {
    const g = f32x4.mul(v128.load(gradients + j), scale);
    const m = fma(v128.load(first + j), b1, f32x4.mul(g, r1));
    const v = fma(v128.load(second + j), b2, f32x4.mul(f32x4.mul(g, g), r2));
    v128.store(first + j, m);
    v128.store(second + j, v);
    const change = f32x4.div(f32x4.mul(m, step), f32x4.add(f32x4.sqrt(f32x4.mul(v, correct)), eps));
    v128.store(weights + j, f32x4.sub(f32x4.mul(v128.load(weights + j), keep), change));
  }
}

/** Multiply-adds on ten independent registers, 80 floating-point operations a round: the ceiling the bench measures against. */
export function peakRate(rounds: usize): f32 {
  const x = f32x4.splat(0.999),
    y = f32x4.splat(0.001);
  let a = f32x4.splat(1),
    b = a,
    c = a,
    d = a,
    e = a,
    f = a,
    g = a,
    h = a,
    i = a,
    j = a;
  while (rounds--) {
    a = fma(a, x, y);
    b = fma(b, x, y);
    c = fma(c, x, y);
    d = fma(d, x, y);
    e = fma(e, x, y);
    f = fma(f, x, y);
    g = fma(g, x, y);
    h = fma(h, x, y);
    i = fma(i, x, y);
    j = fma(j, x, y);
  }
  a = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)));
  return f32x4.extract_lane(f32x4.add(a, f32x4.add(i, j)), 0);
}
