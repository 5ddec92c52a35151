import { describe, expect, it } from 'vitest';

import { createCore } from '../src/gpu/engines/embedded/core.ts';
import type { Core, OptimStep } from '../src/gpu/engines/embedded/core.ts';
import type { PackedRows } from '../src/gpu/engines/embedded/packed-rows.ts';
import { group, randomTensors, tinyShape as shape } from './support/tiny-model.ts';

const tensors = randomTensors(shape, 1);
const shards = [2, 3, 4, 5, 6, 7].map((seed) => group(shape, 9, [4, 6, seed], seed));

function open(options: { threads?: number; deterministic?: boolean } = {}): Core {
  const core = createCore({ shape, threads: 1, deterministic: true, arenaMB: 16, cacheMB: 1, ...options });
  core.load(tensors);
  return core;
}

/** Mean negative log-probability. */
function train(core: Core, parts: readonly PackedRows[] = shards): number {
  const count = parts.reduce((sum, rows) => sum + rows.targets.ids.length, 0);
  const losses: number[] = [];
  core.forwardBackward(parts, ({ from }, logprobs) => {
    losses[from] = -logprobs.reduce((a, b) => a + b, 0) / count;
    return new Float32Array(logprobs.length).fill(-1 / count);
  });
  return losses.reduce((a, b) => a + b, 0);
}

const adamw: OptimStep = { kind: 'adamw', lr: 1e-2, beta1: 0.9, beta2: 0.95, weightDecay: 0.01, clip: 1 };
const muon: OptimStep = { ...adamw, kind: 'muon', muonLr: 0.02 };
const snapshot = (views: ReadonlyMap<string, Float32Array>): [string, number[]][] => [...views].map(([name, view]) => [name, [...view]]);

describe.each([
  ['adamw', adamw],
  ['muon', muon],
] as const)('%s', (_name, step) => {
  it('lowers the loss', () => {
    const core = open();
    const before = train(core);
    core.optimStep(step);
    for (let i = 0; i < 30; i++) {
      train(core);
      core.optimStep(step);
    }
    expect(train(core)).toBeLessThan(before - 1.5);
    core.close();
  });

  it('resumes from its saved state bit for bit', () => {
    const first = open();
    for (let i = 0; i < 3; i++) {
      train(first);
      first.optimStep(step);
    }
    const second = open();
    second.load(first.tensors());
    second.loadOptimizerState(first.optimizerState());
    for (const core of [first, second]) {
      train(core);
      core.optimStep(step);
    }
    expect(snapshot(second.tensors())).toEqual(snapshot(first.tensors()));
    first.close();
    second.close();
  });

  it('leaves frozen rows as they are and trains the others', () => {
    const core = open();
    const frozen = [
      { name: 'model.layers.0.self_attn.q_proj.weight', rows: 20 },
      { name: 'model.layers.0.self_attn.q_norm.weight', rows: shape.headDim },
      { name: 'model.layers.1.self_attn.k_norm.weight', rows: 5 },
    ];
    core.freeze(frozen);
    for (let i = 0; i < 2; i++) {
      train(core);
      core.optimStep(step);
    }
    for (const { name, rows } of frozen) {
      const before = tensors.get(name) ?? new Float32Array();
      const after = core.tensors().get(name) ?? new Float32Array();
      const kept = rows * (name.includes('norm') ? 1 : shape.hidden);
      expect([...after.subarray(0, kept)]).toEqual([...before.subarray(0, kept)]);
      expect(after.subarray(kept).every((value, i) => value !== before[kept + i])).toBe(true);
    }
    core.close();
  });

  it.each([2, 3])('computes the same bits with %i threads as with one', (threads) => {
    const cores = [open(), open({ threads })] as const;
    const results = cores.map((core) => {
      for (let i = 0; i < 2; i++) {
        train(core);
        core.optimStep(step);
      }
      train(core);
      const gradients = snapshot(core.gradients());
      const { gradNorm } = core.optimStep(step);
      const weights = snapshot(core.tensors());
      core.close();
      return { gradients, gradNorm, weights };
    });
    expect(results[1]).toEqual(results[0]);
  });
});

describe('gradients', () => {
  it('add up over calls and clear with the step', () => {
    const core = open();
    train(core, shards.slice(0, 1));
    const once = snapshot(core.gradients());
    train(core, shards.slice(0, 1));
    const [name, first] = once[0] ?? ['', []];
    core
      .gradients()
      .get(name)
      ?.forEach((value, i) => expect(value).toBeCloseTo(2 * (first[i] ?? NaN), 5));
    core.optimStep(adamw);
    expect([...core.gradients().values()].every((view) => view.every((value) => value === 0))).toBe(true);
    core.close();
  });

  it('agree between the relaxed and the plain build', () => {
    const [plain, relaxed] = [open(), open({ deterministic: false })].map((core) => {
      train(core);
      const gradients = new Map(snapshot(core.gradients()));
      core.close();
      return gradients;
    });
    plain?.forEach((values, name) => {
      const size = Math.hypot(...values);
      expect(Math.hypot(...values.map((value, i) => value - (relaxed?.get(name)?.[i] ?? NaN))) / size, name).toBeLessThan(1e-4);
    });
  });
});

describe('the optimiser', () => {
  it('takes the AdamW step of the paper', () => {
    const core = open();
    train(core);
    const gradients = new Map([...core.gradients()].map(([name, view]) => [name, view.slice()]));
    const { gradNorm } = core.optimStep(adamw);
    const norm = Math.hypot(...[...gradients.values()].map((view) => Math.hypot(...view)));
    expect(gradNorm).toBeCloseTo(norm, 5);
    const scale = Math.min(1, 1 / norm);
    for (const [name, view] of core.tensors()) {
      const decay = name.includes('norm') ? 0 : adamw.weightDecay;
      view.forEach((value, i) => {
        const g = (gradients.get(name)?.[i] ?? NaN) * scale;
        const w = tensors.get(name)?.[i] ?? NaN;
        expect(Math.abs(value - (w * (1 - adamw.lr * decay) - (adamw.lr * g) / (Math.abs(g) + 1e-8)))).toBeLessThan(1e-5);
      });
    }
    core.close();
  });

  it('moves a matrix by a nearly orthogonal update under Muon', () => {
    const core = open();
    train(core);
    core.optimStep({ ...muon, weightDecay: 0 });
    const name = 'model.layers.0.mlp.gate_proj.weight';
    const after = core.tensors().get(name) ?? new Float32Array();
    const move = Array.from(
      after,
      (value, i) => (value - (tensors.get(name)?.[i] ?? NaN)) / (0.02 * Math.sqrt(shape.intermediate / shape.hidden)),
    );
    // Its singular values lie in about 0.7 .. 1.2, so its squared Frobenius norm is near its rank.
    expect(move.reduce((sum, x) => sum + x * x, 0) / shape.hidden).toBeGreaterThan(0.5);
    expect(move.reduce((sum, x) => sum + x * x, 0) / shape.hidden).toBeLessThan(1.4);
    core.close();
  });
});

describe('a core', () => {
  it.each([1, 2])('reports a broken objective, clears what was half done and works on (%i threads)', (threads) => {
    const core = open({ threads });
    expect(() => core.forwardBackward(shards, () => new Float32Array(1))).toThrow(/one number per target/);
    expect([...core.gradients().values()].every((view) => view.every((value) => value === 0))).toBe(true);
    train(core);
    const fresh = open();
    train(fresh);
    expect(snapshot(core.gradients())).toEqual(snapshot(fresh.gradients()));
    core.close();
    fresh.close();
  });

  it('refuses rows outside the model before any kernel sees them', () => {
    const core = open();
    const rows = group(shape, 4, [3], 1);
    rows.ids[2] = shape.vocab;
    expect(() => core.forward([rows])).toThrow(/token 40 is not in 0 .. 39/);
    core.close();
  });

  it('says which tensor does not fit', () => {
    const core = open();
    const short = new Map(tensors).set('model.norm.weight', new Float32Array(3));
    expect(() => core.load(short)).toThrow(/model.norm.weight has 3 elements/);
    core.close();
  });

  it.each([1, 2])('says when a shard does not fit, and takes the next (%i threads)', (threads) => {
    const core = createCore({ shape, threads, deterministic: true, arenaMB: 1, cacheMB: 1 });
    core.load(tensors);
    expect(() =>
      core.forward([
        group(
          shape,
          100,
          Array.from({ length: 40 }, () => 20),
          1,
        ),
      ]),
    ).toThrow(/make shards smaller or raise arenaMB/);
    expect(() => core.forward([group(shape, 4, [3], 1)])).not.toThrow();
    core.close();
  });
});
