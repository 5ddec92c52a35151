/** The vLLM stage: what only a real server can show. It uses the server of TROUPE_VLLM_URL, else starts one with the Python of TROUPE_PYTHON or of `npm run python`, else says so and skips. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default mergeConfig(
  { ...base, test: { ...base.test, include: [], exclude: [] } },
  defineConfig({
    test: {
      include: ['test/stages/vllm/**/*.test.ts'],
      globalSetup: ['test/support/vllm-server.ts'],
      testTimeout: 180_000,
      hookTimeout: 180_000,
      maxWorkers: 1,
    },
  }),
);
