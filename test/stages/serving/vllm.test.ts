/** Three lives of runs whose real vLLM server Troupe starts itself, PyTorch training beside it: what starts in a minute is killed and hung, and the run goes on. */
import { resolve } from 'node:path';
import { describeLives } from '../../support/serving-suite.ts';
import { python } from '../../support/torch.ts';

describeLives('a run over a real vLLM server', {
  config: (staleness) => ({
    name: `vllm-${staleness}`,
    seed: 1,
    steps: 2,
    policy: { model: resolve('models/tiny-base') },
    engine: {
      kind: 'vllm',
      // A question under load waits for compilation, some ten seconds on a free machine.
      vllm: { dtype: 'float32', maxSequences: 32, args: ['--enforce-eager'], healthMs: 2_000, answerMs: 20_000 },
    },
    trainer: {
      kind: 'torch',
      adapter: 'lora',
      lora: { rank: 16, alpha: 32 },
      learningRate: 2e-3,
      torch: { device: 'cpu', dtype: 'float32', gradientCheckpointing: false, answerMs: 120_000 },
    },
    curriculum: { mode: 'fixed', start: 60 },
    rollout: {
      tasks: 4,
      group: 4,
      workers: 1,
      maxTokens: 48,
      contextLength: 640,
      staleness,
      deadlines: { turnMs: 600_000, episodeMs: 900_000, groupMs: 900_000, stepMs: 1_800_000 },
    },
    eval: { at: [] },
  }),
  lives: [
    { blows: ['kill server'], phase: 'rolling' },
    { blows: ['hang server'], phase: 'rolling' },
    { blows: ['kill server', 'kill trainer'], phase: 'updating' },
  ],
  seed: 9000,
  longest: { rolling: 1500, updating: 1000, publishing: 500 },
  patience: { runMs: 1_200_000, goneMs: 30_000 },
  repeats: false,
  absent: python === undefined ? 'no Python with vLLM' : undefined,
});
