/** The quickstart stage: the README's first command, run to its end. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default mergeConfig(
  { ...base, test: { ...base.test, include: [], exclude: [] } },
  defineConfig({ test: { include: ['test/stages/quickstart/**/*.test.ts'], testTimeout: 1_100_000, maxWorkers: 1 } }),
);
