/** The serving stage: servers, trainers and runs killed and stopped at moments drawn from a seed. What needs the Python of `npm run python` says so and skips without it. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default mergeConfig(
  { ...base, test: { ...base.test, include: [], exclude: [] } },
  defineConfig({ test: { include: ['test/stages/serving/**/*.test.ts'], testTimeout: 2_400_000, hookTimeout: 600_000, maxWorkers: 1 } }),
);
