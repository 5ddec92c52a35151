/** The browser stage: the viewer as a person meets it, in a real Chromium. Uses the one of TROUPE_CHROMIUM or of the PATH, else says so and skips; pictures are kept in TROUPE_SCREENSHOTS. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default mergeConfig(
  { ...base, test: { ...base.test, include: [], exclude: [] } },
  defineConfig({
    test: {
      include: ['test/stages/browser/**/*.test.ts'],
      globalSetup: ['test/support/browser-house.ts'],
      testTimeout: 120_000,
      hookTimeout: 120_000,
      maxWorkers: 1,
      // A page comes to what it shows in its own time.
      expect: { poll: { timeout: 30_000 } },
    },
  }),
);
