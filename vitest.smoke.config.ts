/** What must also pass on the newer Node versions, in under three minutes each: numbers, threads, the journal, the command line. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({
    test: {
      include: [
        'test/core*.test.ts',
        'test/codec.test.ts',
        'test/journal.test.ts',
        'test/pool.test.ts',
        'test/cli.test.ts',
        'test/run.test.ts',
        'test/semantics.test.ts',
      ],
    },
  }),
);
