/** The chaos stage: kill storms and SIGKILL at random points, at full size. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default mergeConfig(
  { ...base, test: { ...base.test, include: [], exclude: [] } },
  defineConfig({ test: { include: ['test/stages/chaos/**/*.test.ts'], testTimeout: 600_000, maxWorkers: 1 } }),
);
