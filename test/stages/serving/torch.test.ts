/** Seven lives of runs over the fake server with PyTorch as trainer: adapters that the server forgets when it dies, a sidecar that dies or hangs. On one CPU thread its bytes repeat. */
import { resolve } from 'node:path';
import { expect } from 'vitest';
import { systemClock } from '../../../src/actors/clock.ts';
import { launchFake } from '../../../src/gpu/engines/fake.ts';
import { engineOver } from '../../support/fake-house.ts';
import { finalWeights } from '../../support/serving-record.ts';
import { describeLives } from '../../support/serving-suite.ts';
import { python } from '../../support/torch.ts';

describeLives('a run over the fake server with the torch trainer', {
  config: (staleness) => ({
    name: `torch-${staleness}`,
    seed: 2,
    steps: 3,
    policy: { model: resolve('models/tiny-base') },
    engine: { kind: 'fake', scripted: { skill: 0.6 }, fake: { timeScale: 3 }, vllm: { healthMs: 500, answerMs: 1500 } },
    trainer: {
      kind: 'torch',
      adapter: 'lora',
      lora: { rank: 8, alpha: 16 },
      learningRate: 2e-3,
      torch: { device: 'cpu', dtype: 'float32', gradientCheckpointing: false, answerMs: 15_000 },
    },
    curriculum: { mode: 'fixed', start: 40 },
    rollout: { tasks: 4, group: 4, workers: 1, staleness },
    eval: { at: [] },
  }),
  lives: [
    { blows: ['kill trainer'], phase: 'rolling' },
    { blows: ['kill trainer'], phase: 'updating' },
    { blows: ['hang trainer'], phase: 'updating' },
    { blows: ['kill server'], phase: 'publishing' },
    { blows: ['kill server', 'kill trainer'], phase: 'updating' },
    { blows: ['hang server', 'hang trainer'], phase: 'rolling' },
    { blows: ['kill run'], phase: 'publishing' },
  ],
  seed: 8000,
  longest: { rolling: 1000, updating: 800, publishing: 500 },
  patience: { runMs: 200_000, goneMs: 15_000 },
  repeats: true,
  absent: python === undefined ? 'no Python with PyTorch' : undefined,
  ended: async (dir) => {
    const server = await launchFake({ clock: systemClock, timeScale: 0, vocabulary: 448, maxAdapters: 2 });
    try {
      const weights = finalWeights(dir);
      const engine = engineOver(server.url, { probed: false, weights });
      await engine.ready();
      await engine.close();
      expect(weights.kind).toBe('lora');
    } finally {
      await server.close();
    }
  },
});
