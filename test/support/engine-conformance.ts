/** What every Engine must do, whatever stands behind it. `describeEngine` runs it; an implementation brings prompts it understands. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CancelledFault, EngineFault } from '../../src/errors.ts';
import type { Engine } from '../../src/gpu/engine.ts';
import type { CallId, GroupId, PolicyVersion } from '../../src/protocol/ids.ts';
import type { TokenRequest } from '../../src/protocol/inference.ts';
import type { Weights } from '../../src/protocol/policy.ts';

/** One engine under test, and what it takes to speak to it. */
export interface EngineSubject {
  readonly engine: Engine;
  /** A prompt the model can go on from; different indices give different prompts. */
  prompt(index: number): TokenRequest['ids'];
  /** Ids that end a sample. With this prompt and stop, some seed in 0..63 ends by `stop` within `maxTokens` 64. */
  readonly stop: readonly number[];
  /** Weights `publish` accepts; version 0 answers at first. */
  weights(version: PolicyVersion): Promise<Weights> | Weights;
  dispose?(): Promise<void>;
}

const never = new AbortController().signal;

export function describeEngine(name: string, make: () => Promise<EngineSubject> | EngineSubject): void {
  describe(`engine ${name}`, () => {
    let subject: EngineSubject;
    let serial = 0;

    beforeEach(async () => {
      subject = await make();
      serial = 0;
    });
    afterEach(async () => {
      await subject.engine.close();
      await subject.dispose?.();
    });

    const ask = (change: Partial<TokenRequest> = {}): TokenRequest => ({
      id: `call-${serial++}` as CallId,
      role: 'policy',
      version: null,
      ids: subject.prompt(0),
      n: 1,
      seed: 7,
      stop: [...subject.stop],
      maxTokens: 8,
      temperature: 1,
      priority: 0,
      group: 's00001.t000' as GroupId,
      deadlineMs: 20_000,
      ...change,
    });
    const samplesOf = async (change: Partial<TokenRequest>) =>
      (await subject.engine.generate(ask(change), never)).samples.map((sample) => ({ ...sample, ids: [...sample.ids] }));

    it('answers under the id it was asked, with the version that answers', async () => {
      const request = ask();
      const reply = await subject.engine.generate(request, never);
      expect(reply.id).toBe(request.id);
      expect(reply.version).toBe(0);
    });

    it('gives n samples, each with one finite log-prob ≤ 0 an id', async () => {
      const reply = await subject.engine.generate(ask({ n: 5 }), never);
      expect(reply.samples).toHaveLength(5);
      for (const { ids, logprobs } of reply.samples) {
        expect(ids).toBeInstanceOf(Int32Array);
        expect(logprobs).toBeInstanceOf(Float32Array);
        expect(ids.length).toBeGreaterThan(0);
        expect(logprobs.length).toBe(ids.length);
        expect([...logprobs].every((logprob) => Number.isFinite(logprob) && logprob <= 0)).toBe(true);
      }
    });

    it('says `stop` exactly when the last id is a stop id, and has no stop id before it', async () => {
      const finishes = new Set<string>();
      for (const { ids, finish } of await samplesOf({ n: 64, seed: 0, maxTokens: 64 })) {
        finishes.add(finish);
        expect(subject.stop.includes(ids.at(-1) as number)).toBe(finish === 'stop');
        expect(ids.slice(0, -1).some((id) => subject.stop.includes(id))).toBe(false);
      }
      expect(finishes).toContain('stop');
    });

    it('gives log-probs of temperature 1 at temperature 0 too, so that a greedy token can be compared with what a trainer computes', async () => {
      const first = async (seed: number, temperature: number) => {
        const reply = await subject.engine.generate(ask({ seed, temperature, maxTokens: 1, stop: [] }), never);
        const [said] = reply.samples;
        return { id: said?.ids[0], logprob: said?.logprobs[0] as number };
      };
      const seeds = Array.from({ length: 64 }, (_, seed) => seed);
      const [greedy, sampled] = await Promise.all([0, 1].map((temperature) => Promise.all(seeds.map((seed) => first(seed, temperature)))));
      const equal = seeds.flatMap((seed) => (greedy?.[seed]?.id === sampled?.[seed]?.id ? [seed] : []));
      expect(equal.length).toBeGreaterThan(0);
      for (const seed of equal) expect(greedy?.[seed]?.logprob).toBeCloseTo(sampled?.[seed]?.logprob as number, 3);
    });

    it('says `length` when maxTokens cut the sample', async () => {
      for (const { ids, finish } of await samplesOf({ n: 4, maxTokens: 3, stop: [] })) {
        expect(ids).toHaveLength(3);
        expect(finish).toBe('length');
      }
    });

    it('gives equal samples for equal seeds, and sample k of a request is the first of seed + k', async () => {
      const together = await samplesOf({ n: 4, seed: 100 });
      const apart = await Promise.all([100, 101, 102, 103].map(async (seed) => (await samplesOf({ seed }))[0]));
      expect(together).toEqual(apart);
      expect(await samplesOf({ n: 4, seed: 100 })).toEqual(together);
    });

    it('gives different samples for different seeds', async () => {
      const texts = (await samplesOf({ n: 16, seed: 0, maxTokens: 64 })).map(({ ids }) => ids.join());
      expect(new Set(texts).size).toBeGreaterThan(1);
    });

    it('gives the same sample alone and among others', async () => {
      const alone = await samplesOf({ ids: subject.prompt(1), seed: 5 });
      const [, among] = await Promise.all([0, 1, 2, 3].map((index) => samplesOf({ ids: subject.prompt(index), seed: 4 + index })));
      expect(among).toEqual(alone);
    });

    it('rejects an aborted call with CancelledFault and goes on answering', async () => {
      const aborted = new AbortController();
      const call = subject.engine.generate(ask({ n: 8, maxTokens: 64 }), aborted.signal);
      aborted.abort();
      // One that had answered by then has kept its word too.
      const end = await call.then(
        () => 'answered',
        (fault: unknown) => fault,
      );
      if (end !== 'answered') expect(end).toBeInstanceOf(CancelledFault);
      const before = AbortSignal.abort();
      await expect(subject.engine.generate(ask(), before)).rejects.toBeInstanceOf(CancelledFault);
      await expect(subject.engine.generate(ask(), never)).resolves.toBeDefined();
    });

    it('holds more calls than its concurrency, and answers each', async () => {
      const count = Math.min(subject.engine.concurrency, 64) + 8;
      const replies = await Promise.all(
        Array.from({ length: count }, (_, index) => subject.engine.generate(ask({ seed: index, maxTokens: 2 }), never)),
      );
      expect(new Set(replies.map((reply) => reply.id)).size).toBe(count);
    });

    it('refuses a prompt that fills its context', async () => {
      const ids = new Int32Array(subject.engine.contextLength).fill(subject.prompt(0)[0] ?? 0);
      await expect(subject.engine.generate(ask({ ids }), never)).rejects.toBeInstanceOf(EngineFault);
    });

    it('answers with the published version, and refuses the one before', async () => {
      await subject.engine.publish(await subject.weights(1 as PolicyVersion));
      expect((await subject.engine.generate(ask(), never)).version).toBe(1);
      expect((await subject.engine.generate(ask({ version: 1 as PolicyVersion }), never)).version).toBe(1);
      await expect(subject.engine.generate(ask({ version: 0 as PolicyVersion }), never)).rejects.toBeInstanceOf(EngineFault);
    });

    it('counts calls and tokens', async () => {
      await subject.engine.generate(ask({ n: 2, maxTokens: 3, stop: [] }), never);
      const metrics = await subject.engine.metrics();
      expect(metrics.calls).toBe(1);
      expect(metrics.sampledTokens).toBe(6);
      expect(metrics.promptTokens).toBeGreaterThanOrEqual(subject.prompt(0).length);
    });

    it('rejects what is pending when it closes, and what comes after', async () => {
      const pending = subject.engine.generate(ask({ n: 8, maxTokens: 64 }), never).then(
        () => 'answered',
        (fault: unknown) => fault,
      );
      await subject.engine.close();
      // An engine quick enough to answer before it closes has kept its word too; silence is the failure.
      const end = await pending;
      if (end !== 'answered') expect(end).toBeInstanceOf(EngineFault);
      await expect(subject.engine.generate(ask(), never)).rejects.toBeInstanceOf(EngineFault);
    });
  });
}
