/** Four-lane arithmetic shared by every kernel. The relaxed and the plain build differ in `fma` and in nothing else. */

// One rounding where the machine has a fused multiply-add and the build may use it, two everywhere else.
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

// @ts-ignore: decorator
@inline
export function sum(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

// @ts-ignore: decorator
@inline
export function largest(v: v128): f32 {
  return max(
    max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  );
}

/** 1.5 * 2^23: adding it rounds to an integer, which then stands in the low bits. */
const ROUNDER: f32 = 12582912.0;

/**
 * e^x to 2 ulp on [-87, 88], clamped outside; exactly 1 at 0. Cody-Waite reduction by ln 2, the degree-5 minimax polynomial of Cephes `expf`,
 * and the exponent added as an integer. `pmin` and `pmax` are one instruction where `min` and `max`, which honour NaN, are several.
 */
// @ts-ignore: decorator
@inline
export function exp(v: v128): v128 {
  const x = f32x4.pmin(f32x4.pmax(v, f32x4.splat(-87.0)), f32x4.splat(88.0));
  const t = fma(x, f32x4.splat(1.44269504), f32x4.splat(ROUNDER));
  const n = f32x4.sub(t, f32x4.splat(ROUNDER));
  let r = fma(n, f32x4.splat(-0.693359375), x);
  r = fma(n, f32x4.splat(2.1219444e-4), r);
  let p = f32x4.splat(1.98756915e-4);
  p = fma(p, r, f32x4.splat(1.3981999507e-3));
  p = fma(p, r, f32x4.splat(8.3334519073e-3));
  p = fma(p, r, f32x4.splat(4.1665795894e-2));
  p = fma(p, r, f32x4.splat(1.6666665459e-1));
  p = fma(p, r, f32x4.splat(5.0000001201e-1));
  p = fma(p, f32x4.mul(r, r), f32x4.add(r, f32x4.splat(1.0)));
  return i32x4.add(p, i32x4.shl(t, 23));
}
