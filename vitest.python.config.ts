/** The Python stage: the torch trainer as it is, in the environment that `npm run python` made. Needs no vLLM and no GPU. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default mergeConfig(
  { ...base, test: { ...base.test, include: [], exclude: [] } },
  defineConfig({ test: { include: ['test/stages/python/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 180_000, maxWorkers: 1 } }),
);
