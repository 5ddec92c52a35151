import { describe, expect, it } from 'vitest';

import { createCore } from '../src/gpu/engines/embedded/core.ts';
import type { Core } from '../src/gpu/engines/embedded/core.ts';
import { packSequences } from '../src/gpu/engines/embedded/packed-rows.ts';
import type { SampleRequest } from '../src/gpu/engines/embedded/sampler.ts';
import { seedOf } from '../src/random.ts';
import { group, randomIds, randomTensors, tinyShape as shape } from './support/tiny-model.ts';

const tensors = randomTensors(shape, 1);

function open(options: { threads?: number; deterministic?: boolean; cacheMB?: number } = {}): Core {
  const core = createCore({ shape, threads: 1, deterministic: true, arenaMB: 16, cacheMB: 4, ...options });
  core.load(tensors);
  return core;
}

const request = (prompt: number, n: number, more: Partial<SampleRequest> = {}): SampleRequest => ({
  ids: randomIds(shape, prompt, prompt),
  n,
  seeds: Array.from({ length: n }, (_, i) => seedOf('sample', prompt, i)),
  stop: [7],
  maxTokens: 30,
  temperature: 1,
  ...more,
});

const requests = [request(20, 3), request(1, 1), request(33, 2), request(16, 4), request(47, 1), request(5, 2, { temperature: 0.7 })];

describe('sampling', () => {
  it('gives each sample the log-probabilities of a full forward pass', () => {
    const core = open();
    for (const one of requests.slice(0, 5)) {
      const replies = core.sample([one])[0] ?? [];
      const scores = core.forward([packSequences(replies.map((reply) => [...one.ids, ...reply.ids]))])[0]?.logprobs ?? [];
      let at = 0;
      for (const reply of replies) {
        at += one.ids.length - 1;
        reply.logprobs.forEach((value) => expect(Math.abs(value - (scores[at++] ?? NaN))).toBeLessThan(1e-5));
      }
    }
    core.close();
  });

  it.each([true, false])('does not depend on the batch, on the cache or on its size, bit for bit (deterministic: %s)', (deterministic) => {
    const alone = requests.map((one) => {
      const core = open({ deterministic });
      const reply = core.sample([one])[0];
      core.close();
      return reply;
    });
    const core = open({ deterministic });
    expect(core.sample(requests)).toEqual(alone);
    expect(core.sample(requests.toReversed())).toEqual(alone.toReversed());
    core.close();
    // Room for two of the twelve sequences: several waves, pages thrown out and used again.
    const cramped = open({ deterministic, cacheMB: 0.13 });
    expect(cramped.sample(requests)).toEqual(alone);
    expect(cramped.sample(requests)).toEqual(alone);
    cramped.close();
  });

  it.each([2, 3])('does not depend on threads (%i), bit for bit', (threads) => {
    const single = open();
    const crew = open({ threads });
    expect(crew.sample(requests)).toEqual(single.sample(requests));
    crew.close();
    single.close();
  });

  it('continues a conversation from the cache exactly as from nothing', () => {
    const core = open();
    const [first] = core.sample([request(40, 1)])[0] ?? [];
    const ids = Int32Array.of(...request(40, 1).ids, ...(first?.ids ?? []), 3, 4, 5);
    const next = { ...request(1, 2), ids };
    const reused = core.sample([next]);
    core.load(tensors);
    expect(core.sample([next])).toEqual(reused);
    core.close();
  });

  it('forgets cached keys and values when weights are loaded', () => {
    const core = open();
    core.sample([request(40, 1)]);
    const other = randomTensors(shape, 9);
    core.load(other);
    const fresh = open();
    fresh.load(other);
    expect(core.sample([request(40, 1)])).toEqual(fresh.sample([request(40, 1)]));
    core.close();
    fresh.close();
  });

  it('ends at a stop token, at maxTokens and at the last position', () => {
    const core = open();
    for (const reply of core.sample(requests).flat()) {
      expect(reply.finish).toBe(reply.ids.at(-1) === 7 ? 'stop' : 'length');
      expect(reply.ids.subarray(0, -1)).not.toContain(7);
      if (reply.finish === 'length') expect(reply.ids.length).toBe(30);
    }
    expect(core.sample([request(120, 1, { stop: [] })])[0]?.[0]?.ids.length).toBe(shape.maxPositions - 120);
    core.close();
  });

  it('draws from the model: frequencies of the first token match its probabilities', () => {
    const core = open();
    const ids = randomIds(shape, 9, 9);
    const n = 4000;
    const [replies = []] = core.sample([request(9, n, { maxTokens: 1, stop: [] })]);
    const counts = Array.from({ length: shape.vocab }, () => 0);
    for (const reply of replies) counts[reply.ids[0] ?? -1]! += 1;
    const rows = { ...packSequences([ids]), targets: { rows: new Int32Array(shape.vocab).fill(8), ids: Int32Array.from(counts.keys()) } };
    const p = Array.from(core.forward([rows])[0]?.logprobs ?? [], Math.exp);
    // Chi-squared with 39 degrees of freedom exceeds 80 with probability 1e-4.
    expect(counts.reduce((sum, count, i) => sum + (count - n * p[i]!) ** 2 / (n * p[i]!), 0)).toBeLessThan(80);
    core.close();
  });

  it('takes the most probable token when greedy', () => {
    const core = open();
    const [reply] = core.sample([request(12, 1, { greedy: true, maxTokens: 1 })])[0] ?? [];
    const rows = {
      ...packSequences([request(12, 1).ids]),
      targets: { rows: new Int32Array(shape.vocab).fill(11), ids: Int32Array.from({ length: shape.vocab }, (_, i) => i) },
    };
    const all = core.forward([rows])[0]?.logprobs ?? new Float32Array();
    expect(reply?.ids[0]).toBe(all.indexOf(Math.max(...all)));
    expect(reply?.logprobs[0]).toBeCloseTo(Math.max(...all), 5);
    core.close();
  });
});

describe('log-probabilities', () => {
  it('do not depend on the batch or on threads, bit for bit', () => {
    const sequences = [11, 30, 2, 18].map((length) => [...randomIds(shape, length, length)]);
    const core = open();
    const crew = open({ threads: 2 });
    const together = core.forward([packSequences(sequences)])[0]?.logprobs;
    const alone = crew.forward(sequences.map((sequence) => packSequences([sequence])));
    expect(alone.flatMap((scores) => [...scores.logprobs])).toEqual([...(together ?? [])]);
    core.close();
    crew.close();
  });

  it('agree between the relaxed and the plain build', () => {
    const packed = group(shape, 20, [11, 9], 4);
    const [plain, relaxed] = [open(), open({ deterministic: false })].map((core) => {
      const scores = core.forward([packed])[0]?.logprobs ?? new Float32Array();
      core.close();
      return scores;
    });
    plain?.forEach((value, i) => expect(Math.abs(value - (relaxed?.[i] ?? NaN))).toBeLessThan(1e-4));
  });
});
