/** The default suite: everything that needs nothing but Node. Slow stages have configs of their own: chaos, quickstart, smoke (other Node versions). */
import { defineConfig } from 'vitest/config';

const report = process.env['TROUPE_REPORT'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/stages/**'],
    // Thread tests and CLI tests run what is built; it must be there and fresh.
    globalSetup: ['test/support/built.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    env: { NO_COLOR: '1' },
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
  },
});
