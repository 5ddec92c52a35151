/** Many long prompts with seeds at once: more than a server computes in one step. One that splits prompts on a CPU dies of them, so only a server started here is asked. */
import { describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/actors/clock.ts';
import { createVllmEngine } from '../../../src/gpu/engines/vllm.ts';
import type { PolicyVersion } from '../../../src/protocol/ids.ts';
import { call } from '../../support/calls.ts';
import { model } from '../../support/vllm-server.ts';

const url = inject('vllmUrl');
const isOurs = (process.env['TROUPE_VLLM_URL'] ?? '') === '';

describe.skipIf(url === '' || !isOurs)('a server that was started on this CPU', () => {
  it('answers forty prompts of 500 tokens at once', async () => {
    const engine = createVllmEngine({
      url,
      clock: systemClock,
      weights: { version: 0 as PolicyVersion, kind: 'full', dir: model, sha256: '' },
      adapterPrefix: 'long-prompts',
      contextLength: 1024,
      concurrency: 64,
    });
    const prompt = (n: number) => Int32Array.from({ length: 500 }, (_, i) => 8 + ((n * 131 + i * 37 + ((i * i) % 29)) % 440));
    const calls = Array.from({ length: 40 }, (_, n) =>
      engine.generate({ ...call(n), ids: prompt(n), seed: n, stop: [3], maxTokens: 4, deadlineMs: 120_000 }, new AbortController().signal),
    );
    expect((await Promise.allSettled(calls)).map(({ status }) => status)).toEqual(calls.map(() => 'fulfilled'));
    await engine.close();
  });
});
