/** One optimiser step on one parameter: Muon or AdamW, frozen rows kept. */
import type { Address } from './kernels.ts';
import type { Lane } from './lane.ts';
import { muon } from './muon.ts';
import type { Parameter } from './shape.ts';

export interface UpdateRule {
  readonly kind: 'adamw' | 'muon';
  readonly lr: number;
  /** Of the layers' matrices when kind is muon; lr is then that of all other parameters. */
  readonly muonLr: number;
  readonly beta1: number;
  readonly beta2: number;
  /** Decoupled; never applied to norms. */
  readonly weightDecay: number;
}

/** True where the rule leaves the parameter to AdamW, whose gradients are clipped. */
export const usesAdamW = (rule: UpdateRule, parameter: Parameter): boolean => rule.kind === 'adamw' || parameter.kind !== 'matrix';

/** `step` counts from 1; the first `frozen` floats keep their value. */
export function update(lane: Lane, parameter: Parameter, frozen: number, rule: UpdateRule, step: number, gradientScale: number): void {
  const { kernels, arena, plan } = lane;
  const at = parameter.offset * 4;
  const weights = plan.weights + at;
  const floats = parameter.rows * parameter.cols;
  const weightDecay = parameter.kind === 'norm' ? 0 : rule.weightDecay;
  const mark = arena.mark();
  const kept = arena.take(frozen);
  kernels.copy(frozen, weights, kept);
  if (usesAdamW(rule, parameter)) {
    const corrections = [1 - rule.beta1 ** step, 1 - rule.beta2 ** step] as const;
    const gradients = (plan.gradients[0] as Address) + at;
    kernels.adamw(
      floats,
      weights,
      gradients,
      plan.firstMoment + at,
      plan.secondMoment + at,
      rule.lr,
      rule.beta1,
      rule.beta2,
      weightDecay,
      ...corrections,
      gradientScale,
    );
  } else {
    muon(lane, parameter, rule.muonLr, weightDecay);
  }
  kernels.copy(frozen, kept, weights);
  arena.release(mark);
}
