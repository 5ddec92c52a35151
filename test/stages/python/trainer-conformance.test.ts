/** The torch trainer does what every trainer must, with an adapter and without. */
import { afterAll, describe } from 'vitest';
import { describeTrainer } from '../../support/trainer-conformance.ts';
import { lora, python, sharedTorch } from '../../support/torch.ts';

const kinds = {
  'torch, every weight': { adapter: 'none', writes: { kind: 'full', file: 'model.safetensors' }, learningRate: 0.003 },
  'torch, LoRA': { adapter: lora, writes: { kind: 'lora', file: 'adapter_model.safetensors' }, learningRate: 0.003 },
} as const;

describe.skipIf(python === undefined)('with PyTorch', () => {
  for (const [name, { adapter, writes, learningRate }] of Object.entries(kinds)) {
    const shared = sharedTorch({ adapter });
    afterAll(() => shared.end());
    describeTrainer(name, async () => ({
      trainer: await shared.take(),
      vocabulary: 448,
      tolerance: 1e-5,
      writes,
      learningRate,
      // The trainer is handed on; one that a test closed is not.
      release: () => Promise.resolve(),
    }));
  }
});
