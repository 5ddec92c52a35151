/** From logits to log-probabilities, to their gradient, and to a sampled token. Logarithms are taken in f64. */
import { exp, largest, sum } from './simd';

/** Exponentials of (logits - max) * inverse temperature, in place; returns their sum. `width` is a multiple of 4. */
// @ts-ignore: decorator
@inline
function exponentials(width: usize, logits: usize, top: f32, inverseTemperature: f32): f32 {
  const t = f32x4.splat(top);
  const s = f32x4.splat(inverseTemperature);
  let total = f32x4.splat(0);
  for (let j: usize = 0; j < width << 2; j += 16) {
    const e = exp(f32x4.mul(f32x4.sub(v128.load(logits + j), t), s));
    v128.store(logits + j, e);
    total = f32x4.add(total, e);
  }
  return sum(total);
}

// @ts-ignore: decorator
@inline
function peak(width: usize, logits: usize): f32 {
  let top = f32x4.splat(-Infinity);
  for (let j: usize = 0; j < width << 2; j += 16) top = f32x4.pmax(top, v128.load(logits + j));
  return largest(top);
}

/** Turns each row of logits into probabilities; keeps the natural log-probability of its target and its entropy. */
export function score(rows: usize, width: usize, logits: usize, targets: usize, logprobs: usize, entropy: usize): void {
  for (let i: usize = 0; i < rows; i++) {
    const top = peak(width, logits);
    const chosen = load<f32>(logits + (<usize>load<i32>(targets + (i << 2)) << 2)) - top;
    const t = f32x4.splat(top);
    const floor = f32x4.splat(-87.0);
    let total = f32x4.splat(0);
    let weighted = f32x4.splat(0);
    for (let j: usize = 0; j < width << 2; j += 16) {
      const l = f32x4.sub(v128.load(logits + j), t);
      const e = exp(l);
      v128.store(logits + j, e);
      total = f32x4.add(total, e);
      weighted = f32x4.add(weighted, f32x4.mul(e, f32x4.pmax(l, floor)));
    }
    const z = sum(total);
    const mean = <f64>sum(weighted) / <f64>z;
    const lse = NativeMath.log(<f64>z);
    store<f32>(logprobs + (i << 2), <f32>(<f64>chosen - lse));
    store<f32>(entropy + (i << 2), <f32>(lse - mean));
    const inverse = f32x4.splat(<f32>1 / z);
    for (let j: usize = 0; j < width << 2; j += 16) v128.store(logits + j, f32x4.mul(v128.load(logits + j), inverse));
    logits += width << 2;
  }
}

/** Turns probabilities in place into dLoss/dlogits, given dLoss/dlogprob of each row's target: d * (onehot - p). */
export function scoreBackward(rows: usize, width: usize, p: usize, targets: usize, dlogprobs: usize): void {
  for (let i: usize = 0; i < rows; i++) {
    const d = load<f32>(dlogprobs + (i << 2));
    const minus = f32x4.splat(-d);
    for (let j: usize = 0; j < width << 2; j += 16) v128.store(p + j, f32x4.mul(v128.load(p + j), minus));
    const target = p + (<usize>load<i32>(targets + (i << 2)) << 2);
    store<f32>(target, load<f32>(target) + d);
    p += width << 2;
  }
}

/** Draws one token by inversion of the cumulative distribution; writes its log-probability under the tempered distribution. Logits are overwritten. */
export function draw(width: usize, logits: usize, inverseTemperature: f32, uniform: f64, logprob: usize): usize {
  const top = peak(width, logits);
  const total = exponentials(width, logits, top, inverseTemperature);
  let left = uniform * <f64>total;
  let token: usize = 0;
  for (; token < width; token++) {
    left -= <f64>load<f32>(logits + (token << 2));
    if (left < 0) break;
  }
  // The f32 total may exceed the f64 sum by a rounding: then the most probable token, whose exponential is exactly 1.
  if (token == width) for (token = 0; load<f32>(logits + (token << 2)) < 1; token++) {}
  store<f32>(logprob, <f32>NativeMath.log(<f64>load<f32>(logits + (token << 2)) / <f64>total));
  return token;
}

/** The most probable token, the smallest id at a tie; its log-probability at temperature 1. Logits are overwritten. */
export function drawGreedy(width: usize, logits: usize, logprob: usize): usize {
  const top = peak(width, logits);
  let token: usize = 0;
  while (load<f32>(logits + (token << 2)) != top && token + 1 < width) token++;
  store<f32>(logprob, <f32>-NativeMath.log(<f64>exponentials(width, logits, top, 1)));
  return token;
}
