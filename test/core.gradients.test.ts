import { describe, expect, it } from 'vitest';

import { createCore } from '../src/gpu/engines/embedded/core.ts';
import type { ModelShape } from '../src/gpu/engines/embedded/shape.ts';
import { stream } from '../src/random.ts';
import { referenceModel } from './support/reference-model.ts';
import { group, randomTensors, tinyShape } from './support/tiny-model.ts';

const shapes: [string, ModelShape][] = [
  ['tied, grouped queries', tinyShape],
  ['untied, one key head per query head', { ...tinyShape, tied: false, kvHeads: 4, headDim: 8 }],
];

describe.each(shapes)('a %s model', (_name, shape) => {
  const tensors = randomTensors(shape, 1);
  const packed = group(shape, 5, [1, 7, 3], 2);
  const chance = stream(3);
  const coefficients = Float32Array.from(packed.targets.ids, () => chance.next() * 2 - 1);
  const reference = referenceModel(shape, tensors, packed, coefficients);

  it.each([true, false])('agrees with the double-precision reference in scores and every gradient (deterministic: %s)', (deterministic) => {
    const core = createCore({ shape, threads: 1, deterministic, arenaMB: 16, cacheMB: 1 });
    core.load(tensors);
    let logprobs = new Float32Array();
    let entropy = new Float32Array();
    core.forwardBackward([packed], (_targets, l, e) => {
      [logprobs, entropy] = [l.slice(), e.slice()];
      return coefficients;
    });
    reference.logprobs.forEach((value, i) => expect(logprobs[i]).toBeCloseTo(value, 5));
    reference.entropy.forEach((value, i) => expect(entropy[i]).toBeCloseTo(value, 5));
    const errors = [...core.gradients()].map(([name, gradient]) => [name, distance(gradient, reference.gradients.get(name))] as const);
    expect(errors.filter(([, error]) => !(error <= 1e-5))).toEqual([]);
    core.close();
  });

  it('descends the finite difference of its own loss', () => {
    const core = createCore({ shape, threads: 1, deterministic: true, arenaMB: 16, cacheMB: 1 });
    core.load(tensors);
    core.forwardBackward([packed], () => coefficients);
    const loss = (): number => {
      const [scores] = core.forward([packed]);
      return scores?.logprobs.reduce((sum, value, i) => sum + value * (coefficients[i] ?? 0), 0) ?? NaN;
    };
    for (const [name, gradient] of core.gradients()) {
      // Along the gradient itself the difference is largest, so rounding matters least.
      const size = Math.hypot(...gradient);
      const moved = (step: number): number => {
        const shifted = new Map(tensors);
        shifted.set(
          name,
          Float32Array.from(tensors.get(name) ?? [], (w, i) => w + (step * (gradient[i] ?? 0)) / size),
        );
        core.load(shifted);
        return loss();
      };
      const step = 3e-3;
      expect((moved(step) - moved(-step)) / (2 * step) / size, name).toBeCloseTo(1, 1);
    }
    core.close();
  });
});

/** Relative distance in the Euclidean norm. */
function distance(actual: Float32Array, wanted: Float64Array | undefined): number {
  if (actual.length !== wanted?.length) return NaN;
  const difference = Math.hypot(...Array.from(actual, (value, i) => value - (wanted[i] ?? NaN)));
  return difference / Math.hypot(...wanted);
}
