import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../src/actors/clock.ts';
import { ConfigFault, EngineFault } from '../src/errors.ts';
import { createEmbeddedEngine } from '../src/gpu/engines/embedded.ts';
import type { ModelShape } from '../src/gpu/engines/embedded/shape.ts';
import { vocabularyOf } from '../src/gpu/tokens/vocabulary.ts';
import { createEmbeddedTrainer } from '../src/gpu/trainers/embedded.ts';
import { writeModel } from '../src/gpu/weights.ts';
import type { CallId, GroupId, PolicyVersion } from '../src/protocol/ids.ts';
import type { TokenRequest } from '../src/protocol/inference.ts';
import { seedOf, stream } from '../src/random.ts';
import { describeEngine } from './support/engine-conformance.ts';
import { randomTensors } from './support/tiny-model.ts';
import { batchOf, sample } from './support/trainer-conformance.ts';

const shape: ModelShape = {
  vocab: 64,
  hidden: 16,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  intermediate: 24,
  ropeTheta: 1e4,
  eps: 1e-6,
  tied: true,
  maxPositions: 128,
};

let folder: string;
let model: string;
const write = (name: string, version: number) =>
  writeModel(join(folder, name), version as PolicyVersion, {
    shape,
    vocabulary: vocabularyOf(['amber']),
    tensors: randomTensors(shape, version + 1),
    frozen: [],
  });
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-engine-'));
  model = write('model', 0).dir;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const prompt = (index: number): TokenRequest['ids'] => {
  const draws = stream(seedOf('prompt', index));
  return Int32Array.from({ length: 20 + index }, () => draws.int(64));
};
const engine = (threads = 1, batch = 16) =>
  createEmbeddedEngine({ model, threads, deterministic: true, clock: systemClock, deadlineMs: 20_000, batch });
const never = new AbortController().signal;
const ask = (change: Partial<TokenRequest> = {}): TokenRequest => ({
  id: 'call' as CallId,
  role: 'policy',
  version: null,
  ids: prompt(0),
  n: 1,
  seed: 7,
  stop: [],
  maxTokens: 12,
  temperature: 1,
  priority: 0,
  group: 'g' as GroupId,
  deadlineMs: 20_000,
  ...change,
});

let published = 0;
describeEngine('embedded', () => ({
  engine: engine(),
  prompt,
  stop: [3, 4, 5],
  weights: (version) => ({ ...write(`published-${published++}`, 0), version }),
}));

describe('the embedded engine', () => {
  it('gives the same samples in batches of any size and with any threads', async () => {
    const requests = Array.from({ length: 12 }, (_, i) => ask({ ids: prompt(i % 5), seed: 10 * i, n: 1 + (i % 3) }));
    const results = await Promise.all(
      [
        [1, 1],
        [1, 64],
        [2, 8],
      ].map(async ([threads, batch]) => {
        const own = engine(threads, batch);
        const replies = await Promise.all(requests.map((request) => own.generate(request, never)));
        await own.close();
        return replies.map((reply) => reply.samples);
      }),
    );
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it('agrees with the trainer on the log-prob of every token it samples', async () => {
    const own = engine();
    const trainer = createEmbeddedTrainer({ model, threads: 1, deterministic: true, clock: systemClock, deadlineMs: 20_000 });
    const { samples } = await own.generate(ask({ n: 8, ids: prompt(3) }), never);
    const batch = batchOf(...samples.map(({ ids }) => sample('g', [...prompt(3)], [...ids], 1)));
    const trained = await trainer.logprobs(batch);
    const sampled = samples.flatMap(({ logprobs }) => [...logprobs]);
    expect(trained).toHaveLength(sampled.length);
    trained.forEach((logprob, i) => expect(Math.abs(logprob - (sampled[i] as number))).toBeLessThan(1e-5));
    await Promise.all([own.close(), trainer.close()]);
  });

  it('answers with new weights after publication, and is greedy at temperature 0', async () => {
    const own = engine();
    const before = await own.generate(ask({ temperature: 0 }), never);
    expect((await own.generate(ask({ temperature: 0, seed: 99 }), never)).samples).toEqual(before.samples);
    await own.publish(write('one', 1));
    const after = await own.generate(ask({ temperature: 0 }), never);
    expect(after.version).toBe(1);
    expect(after.samples).not.toEqual(before.samples);
    await own.close();
  });

  it('keeps its weights when a publication is no model, or not the one announced', async () => {
    const own = engine();
    const before = await own.generate(ask(), never);
    const weights = write('two', 2);
    await expect(own.publish({ ...weights, sha256: 'f'.repeat(64) })).rejects.toThrow(/not the file that was published/);
    await expect(own.publish({ ...weights, dir: join(folder, 'absent') })).rejects.toBeInstanceOf(ConfigFault);
    expect(await own.generate(ask(), never)).toEqual(before);
    await own.close();
  });

  it('refuses a directory that holds no model', () => {
    expect(() =>
      createEmbeddedEngine({ model: folder, threads: 1, deterministic: true, clock: systemClock, deadlineMs: 1000, batch: 1 }),
    ).toThrow(ConfigFault);
  });

  it('rejects a call whose token the model does not know, and goes on', async () => {
    const own = engine();
    await expect(own.generate(ask({ ids: Int32Array.of(64) }), never)).rejects.toBeInstanceOf(EngineFault);
    await expect(own.generate(ask(), never)).resolves.toBeDefined();
    await own.close();
  });
});
