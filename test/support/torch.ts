/** The torch trainer for the Python stage: which interpreter, on which model, and one process handed from test to test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/actors/clock.ts';
import { ConfigFault } from '../../src/errors.ts';
import { findPython } from '../../src/gpu/python.ts';
import { createTorchTrainer, type LoraOptions, type TorchTrainer, type TorchTrainerOptions } from '../../src/gpu/trainers/torch.ts';

export const base = 'models/tiny-base';
export const lora: LoraOptions = {
  rank: 8,
  alpha: 16,
  targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
};

/** Absent where no environment is made; says so once, with the command that makes one. */
export const python = ((): string | undefined => {
  try {
    return findPython('auto', process.env);
  } catch (fault) {
    if (!(fault instanceof ConfigFault)) throw fault;
    console.warn(`SKIPPED: Python stage: ${fault.message}`);
    return undefined;
  }
})();

export const torch = (options: Partial<TorchTrainerOptions> = {}): TorchTrainer =>
  createTorchTrainer({
    python: python ?? '',
    model: base,
    adapter: 'none',
    device: 'cpu',
    dtype: 'float32',
    gradientCheckpointing: false,
    microBatchTokens: 512,
    seed: 7,
    clock: systemClock,
    deadlineMs: 60_000,
    ...options,
  });

/** One trainer for many tests, each of which finds it as it began: a start costs ten seconds. One that a test closed is started anew. */
export function sharedTorch(options: Partial<TorchTrainerOptions>): { take(): Promise<TorchTrainer>; end(): Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-torch-'));
  let present: TorchTrainer | undefined;
  let serial = 0;
  return {
    take: async () => {
      if (present === undefined) {
        const trainer = torch(options);
        present = {
          ...trainer,
          close: () => {
            present = undefined;
            return trainer.close();
          },
        };
        await present.saveState(join(folder, `start-${++serial}`));
      } else await present.loadState(join(folder, `start-${serial}`));
      return present;
    },
    end: async () => {
      await present?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
