/** The gated unit: silu(gate) * up, where each row of `gu` holds the gate and then the up projection. */
import { exp, fma } from './simd';

export function swiglu(rows: usize, width: usize, gu: usize, y: usize): void {
  const row = width << 2;
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < rows; i++) {
    for (let j: usize = 0; j < row; j += 16) {
      const g = v128.load(gu + j);
      v128.store(y + j, f32x4.mul(f32x4.div(g, f32x4.add(one, exp(f32x4.neg(g)))), v128.load(gu + row + j)));
    }
    gu += row << 1;
    y += row;
  }
}

/** dgu = from dy; dgu may not overlap gu. */
export function swigluBackward(rows: usize, width: usize, gu: usize, dy: usize, dgu: usize): void {
  const row = width << 2;
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < rows; i++) {
    for (let j: usize = 0; j < row; j += 16) {
      const g = v128.load(gu + j);
      const d = v128.load(dy + j);
      const gate = f32x4.div(one, f32x4.add(one, exp(f32x4.neg(g))));
      const silu = f32x4.mul(g, gate);
      v128.store(dgu + row + j, f32x4.mul(d, silu));
      // d silu / dg = gate + silu * (1 - gate)
      v128.store(dgu + j, f32x4.mul(f32x4.mul(d, v128.load(gu + row + j)), fma(silu, f32x4.sub(one, gate), gate)));
    }
    gu += row << 1;
    dgu += row << 1;
    dy += row;
  }
}
