/** Small configs of whole runs, and the model they start from. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config.ts';

/** Our own base policy, so that what is sampled is sometimes right; a copy, which a test may change. */
export const baseModel = (dir: string): void => cpSync('models/tiny-base', dir, { recursive: true });

/** Three steps without a model: the oracle's turns, four of five right. */
export const scriptedRun = (root: string): ConfigInput => ({
  name: 'scripted',
  seed: 1,
  steps: 3,
  policy: { model: join(root, 'model') },
  engine: { kind: 'scripted', deterministic: true, scripted: { skill: 0.8 } },
  trainer: { kind: 'scripted', learningRate: 0.01 },
  rollout: { tasks: 4, group: 4, workers: 1 },
  eval: { tasks: 2, levels: [5, 50] },
});

/** The same, but a transformer learns from what the script says: rewards differ whatever the weights, so every step trains. */
export const taughtRun = (root: string): ConfigInput => ({
  ...scriptedRun(root),
  name: 'taught',
  steps: 2,
  trainer: { threads: 1, learningRate: 1e-4, kl: 0 },
});

/** Two steps of our own transformer, sampled and trained. */
export const trainedRun = (root: string): ConfigInput => ({
  name: 'trained',
  seed: 1,
  steps: 2,
  policy: { model: join(root, 'model') },
  engine: { deterministic: true, threads: 1 },
  trainer: { threads: 1, learningRate: 1e-3, kl: 0.001 },
  curriculum: { start: 60 },
  rollout: { tasks: 4, group: 4, workers: 1, maxTokens: 32, contextLength: 512 },
  eval: { tasks: 2, levels: [5, 50] },
});
