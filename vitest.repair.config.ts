/** The stage of broken simulators: whole runs with a cast that is malformed, contradictory and silent, against the same runs with one that is not. Some two minutes. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/stages/repair/*.test.ts'],
    globalSetup: ['test/support/built.ts'],
    testTimeout: 900_000,
    hookTimeout: 900_000,
    pool: 'forks',
    maxWorkers: 1,
    env: { NO_COLOR: '1' },
  },
});
