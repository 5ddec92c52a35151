import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulatedClock, systemClock } from '../src/actors/clock.ts';
import { TrainerFault } from '../src/errors.ts';
import { createEmbeddedTrainer } from '../src/gpu/trainers/embedded.ts';
import { createScriptedTrainer } from '../src/gpu/trainers/scripted.ts';
import { readModel, writeModel } from '../src/gpu/weights.ts';
import { vocabularyOf } from '../src/gpu/tokens/vocabulary.ts';
import type { ModelShape } from '../src/gpu/engines/embedded/shape.ts';
import { imitation } from '../src/learning/objective.ts';
import type { PolicyVersion } from '../src/protocol/ids.ts';
import { seedOf, uniform } from '../src/random.ts';
import { randomTensors } from './support/tiny-model.ts';
import { adamw, batchOf, describeTrainer, sample } from './support/trainer-conformance.ts';

const shape: ModelShape = {
  vocab: 64,
  hidden: 16,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  intermediate: 24,
  ropeTheta: 1e4,
  eps: 1e-6,
  tied: true,
  maxPositions: 128,
};

let folder: string;
let model: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-embedded-'));
  model = join(folder, 'model');
  writeModel(model, 0 as PolicyVersion, {
    shape,
    vocabulary: vocabularyOf(['amber', 'arrow']),
    tensors: randomTensors(shape, 1),
    frozen: [],
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const embedded = (threads: number, deterministic = true) =>
  createEmbeddedTrainer({ model, threads, deterministic, clock: systemClock, deadlineMs: 20_000 });

describeTrainer('scripted', () => ({
  trainer: createScriptedTrainer(
    8,
    Array.from({ length: 64 }, (_, i) => uniform(seedOf('table'), i)),
  ),
  vocabulary: 8,
  tolerance: 1e-12,
}));
describeTrainer('embedded', () => ({ trainer: embedded(1), vocabulary: shape.vocab, tolerance: 1e-5 }));

describe('the embedded trainer', () => {
  const batch = batchOf(
    ...Array.from({ length: 24 }, (_, n) => sample(`g${n >> 2}`, [1, 2, n >> 2], [3 + (n % 5), 9, n % 7, 4], n % 2 === 0 ? 1 : -1)),
  );

  it('ends with the same weights whatever the threads', async () => {
    const weights = await Promise.all(
      [1, 2].map(async (threads) => {
        const trainer = embedded(threads);
        const dir = join(folder, `threads-${threads}`);
        const losses: unknown[] = [];
        for (let step = 0; step < 3; step++) {
          losses.push(await trainer.forwardBackward(batch, { kind: 'grpo', clipLow: 0.2, clipHigh: 0.2, kl: 0.01 }));
          await trainer.optimStep(adamw);
        }
        const saved = await trainer.saveWeightsForSampler(dir, 1 as PolicyVersion);
        await trainer.close();
        return { losses, sha256: saved.sha256 };
      }),
    );
    expect(weights[1]).toEqual(weights[0]);
  });

  it('learns with Muon too, and keeps frozen rows as they were', async () => {
    const frozen = join(folder, 'frozen');
    const name = 'model.layers.0.self_attn.q_proj.weight';
    const before = readModel(model);
    writeModel(frozen, 0 as PolicyVersion, { ...before, frozen: [{ name, rows: 3 }] });
    const trainer = createEmbeddedTrainer({ model: frozen, threads: 1, deterministic: true, clock: systemClock, deadlineMs: 20_000 });
    const first = await trainer.forwardBackward(batch, imitation);
    for (let step = 0; step < 10; step++) {
      await trainer.optimStep({ kind: 'muon', learningRate: 0.01, matrixLearningRate: 0.02, weightDecay: 0, clip: 1 });
      await trainer.forwardBackward(batch, imitation);
    }
    const last = await trainer.forwardBackward(batch, imitation);
    expect(last.metrics['loss']).toBeLessThan(0.8 * (first.metrics['loss'] as number));
    const after = readModel((await trainer.saveWeightsForSampler(join(folder, 'frozen-after'), 1 as PolicyVersion)).dir);
    const [was, is] = [before, after].map((one) => one.tensors.get(name) as Float32Array) as [Float32Array, Float32Array];
    expect(is.subarray(0, 3 * 16)).toEqual(was.subarray(0, 3 * 16));
    expect(is.subarray(3 * 16)).not.toEqual(was.subarray(3 * 16));
    await trainer.close();
  });

  it('rejects, and does not hang, when its model is none', async () => {
    const trainer = createEmbeddedTrainer({
      model: join(folder, 'absent'),
      threads: 1,
      deterministic: true,
      clock: systemClock,
      deadlineMs: 20_000,
    });
    await expect(trainer.logprobs(batch)).rejects.toThrow(/config\.json/);
    await expect(trainer.logprobs(batch)).rejects.toBeInstanceOf(TrainerFault);
  });

  it('rejects a verb that misses its deadline, and everything after', async () => {
    const clock = simulatedClock();
    const trainer = createEmbeddedTrainer({ model, threads: 1, deterministic: true, clock, deadlineMs: 1000 });
    const call = expect(trainer.logprobs(batch)).rejects.toThrow(/did not answer logprobs within 1000 ms/);
    // `pack` settles first; then the verb is on its way.
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1000);
    await call;
    await expect(trainer.logprobs(batch)).rejects.toBeInstanceOf(TrainerFault);
  });

  it('rejects what is pending when it is closed', async () => {
    const trainer = embedded(1);
    const call = expect(trainer.logprobs(batch)).rejects.toThrow(/closed/);
    await new Promise((resolve) => setImmediate(resolve));
    await trainer.close();
    await call;
  });
});
