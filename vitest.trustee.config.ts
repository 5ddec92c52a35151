/** The trustee stage: configs/trustee-tiny.yaml as a user runs it, every role played by a language model on a vLLM server that it starts itself. Needs the environment that `npm run python` made; no GPU. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default mergeConfig(
  { ...base, test: { ...base.test, include: [], exclude: [] } },
  defineConfig({ test: { include: ['test/stages/trustee/**/*.test.ts'], testTimeout: 30_000, hookTimeout: 1_200_000, maxWorkers: 1 } }),
);
