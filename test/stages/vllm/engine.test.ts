/** The vLLM engine over a real server: the conformance suite, and each field of the contract by its effect, since a server ignores what it does not know. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/actors/clock.ts';
import { CancelledFault, EngineFault } from '../../../src/errors.ts';
import { createVllmEngine, type VllmEngine, type VllmOptions } from '../../../src/gpu/engines/vllm.ts';
import { lacking, probeServer } from '../../../src/gpu/engines/vllm/capabilities.ts';
import { openHttp } from '../../../src/gpu/engines/vllm/http.ts';
import { type Load, readLoad } from '../../../src/gpu/engines/vllm/load.ts';
import type { CallId, GroupId, PolicyVersion } from '../../../src/protocol/ids.ts';
import type { ChatRequest, TokenRequest, TokenSample } from '../../../src/protocol/inference.ts';
import type { Weights } from '../../../src/protocol/policy.ts';
import { describeEngine } from '../../support/engine-conformance.ts';
import { writeAdapter } from '../../support/peft-adapter.ts';
import { model } from '../../support/vllm-server.ts';

const url = inject('vllmUrl');
const absent = inject('vllmAbsent');
const STOP = 3;
const base: Weights = { version: 0 as PolicyVersion, kind: 'full', dir: model, sha256: '' };
const never = new AbortController().signal;
const scratch = mkdtempSync(join(tmpdir(), 'troupe-vllm-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let serial = 0;
/** No two tests use one name or path: what one loaded must not answer for another. */
const adapter = (version: number, seed: number, scale = 0.05): Weights =>
  writeAdapter({ model, dir: join(scratch, `adapter-${serial++}`), version, seed, scale });
const engineOf = (change: Partial<VllmOptions> = {}): VllmEngine =>
  createVllmEngine({
    url,
    clock: systemClock,
    weights: base,
    adapterPrefix: `v-${process.pid}-${serial++}`,
    contextLength: 1024,
    concurrency: 64,
    connections: 128,
    ...change,
  });
/** Any ids are a prompt; long ones fill several blocks of the prefix cache (128 tokens on a CPU). */
const promptOf = (seed: number, length = 12): Int32Array<ArrayBuffer> =>
  Int32Array.from({ length }, (_, i) => 8 + ((seed * 131 + i * 37 + ((i * i) % 29)) % 440));
const ask = (change: Partial<TokenRequest> = {}): TokenRequest => ({
  id: `call-${serial++}` as CallId,
  role: 'policy',
  version: null,
  ids: promptOf(1),
  n: 1,
  seed: 7,
  stop: [STOP],
  maxTokens: 8,
  temperature: 1,
  priority: 0,
  group: 's00001.t000' as GroupId,
  deadlineMs: 60_000,
  ...change,
});
const talk = (change: Partial<ChatRequest> = {}): ChatRequest => ({
  id: `chat-${serial++}` as CallId,
  role: 'user',
  messages: [{ role: 'user', content: 'find a book' }],
  seed: 3,
  maxTokens: 12,
  temperature: 1,
  priority: 0,
  group: 's00001.t000' as GroupId,
  deadlineMs: 60_000,
  ...change,
});

describe.skipIf(url === '')(`a real vLLM server${absent === '' ? '' : ` (${absent})`}`, () => {
  let engine: VllmEngine | undefined;
  const start = async (change: Partial<VllmOptions> = {}): Promise<VllmEngine> => {
    engine = engineOf(change);
    await engine.ready();
    return engine;
  };
  const sampleOf = async (of: VllmEngine, change: Partial<TokenRequest> = {}): Promise<TokenSample> =>
    (await of.generate(ask(change), never)).samples[0] as TokenSample;
  const loadOf = async (): Promise<Load> => {
    const http = openHttp({ url, connections: 1, replyBytes: 1e7, clock: systemClock });
    try {
      return readLoad((await http.send({ method: 'GET', path: '/metrics', deadlineMs: 10_000 })).text) as Load;
    } finally {
      await http.close();
    }
  };
  afterEach(async () => {
    await engine?.close();
    engine = undefined;
  });

  describeEngine('vllm', async () => {
    const subject = engineOf();
    await subject.ready();
    return {
      engine: subject,
      prompt: (index) => promptOf(index + 1, 8 + index),
      stop: [STOP],
      weights: (version) => adapter(version, version),
    };
  });

  it('has every capability the policy needs, each found by its effect', async () => {
    const rows = await probeServer(url, { clock: systemClock, contextLength: 1024, versions: 2 });
    expect(lacking(rows, 'policy').map(({ what, found }) => `${what}: ${found}`)).toEqual([]);
    expect(rows.map(({ what }) => what)).toContain('tokens in, tokens out');
  });

  it('is told to be unfit where it lacks room for versions or context', async () => {
    await expect(engineOf({ versions: 9 }).ready()).rejects.toThrow(/adapters at once.*--max-loras 10/s);
    await expect(engineOf({ contextLength: 4096 }).ready()).rejects.toThrow(/holds the context: 1024 tokens.*--max-model-len 4096/s);
    await expect(engineOf({ servedModel: 'other' }).ready()).rejects.toThrow(/--served-model-name other/);
  });

  it('gives greedy samples the log-probs of temperature 1, n equal ones for n', async () => {
    const of = await start();
    const greedy = await of.generate(ask({ temperature: 0, n: 3, stop: [], maxTokens: 4 }), never);
    expect(greedy.samples).toHaveLength(3);
    expect(greedy.samples[1]).toEqual(greedy.samples[0]);
    // Token by token the same ids can be drawn at temperature 1, with the same log-prob.
    const [first] = greedy.samples;
    for (let seed = 0; seed < 64; seed++) {
      const drawn = await sampleOf(of, { seed, stop: [], maxTokens: 1 });
      if (drawn.ids[0] === first?.ids[0]) return expect(drawn.logprobs[0]).toBeCloseTo(first?.logprobs[0] as number, 4);
    }
    throw new Error('64 seeds never drew the most likely token');
  });

  it('keeps frozen roles on the base while the policy has an adapter', async () => {
    const of = await start();
    const before = await sampleOf(of, { role: 'user', stop: [] });
    await of.publish(adapter(1, 11, 0.2));
    const policy = await sampleOf(of, { stop: [] });
    expect(await sampleOf(of, { role: 'user', stop: [] })).toEqual(before);
    expect([...policy.logprobs]).not.toEqual([...before.logprobs]);
    await expect(of.generate(ask({ role: 'judge', version: 1 as PolicyVersion }), never)).rejects.toThrow(/frozen base/);
    const chatted = await of.chat?.(talk(), never);
    expect(chatted).toMatchObject({ model: 'base', text: expect.any(String) as string });
    await expect(of.chat?.(talk({ role: 'policy' }), never)).rejects.toBeInstanceOf(EngineFault);
  });

  it('an adapter of zeros is the base, to rounding', async () => {
    const of = await start();
    const before = await sampleOf(of, { stop: [], maxTokens: 16 });
    await of.publish(adapter(1, 1, 0));
    const after = await sampleOf(of, { stop: [], maxTokens: 16 });
    expect(after.ids).toEqual(before.ids);
    for (const [i, logprob] of after.logprobs.entries()) expect(logprob).toBeCloseTo(before.logprobs[i] as number, 4);
  });

  it('answers two versions at once, and the older no more after the next publication', async () => {
    const of = await start({ versions: 2 });
    await of.publish(adapter(1, 21, 0.2));
    await of.publish(adapter(2, 22, 0.2));
    const [one, two] = await Promise.all([1, 2].map((version) => of.generate(ask({ version: version as PolicyVersion, stop: [] }), never)));
    expect([one?.version, two?.version]).toEqual([1, 2]);
    expect(one?.samples[0]?.logprobs).not.toEqual(two?.samples[0]?.logprobs);
    await expect(of.generate(ask({ version: 0 as PolicyVersion }), never)).rejects.toThrow(/versions 1, 2 answer/);
    await of.publish(adapter(3, 23, 0.2));
    await expect(of.generate(ask({ version: 1 as PolicyVersion }), never)).rejects.toThrow(/versions 2, 3 answer/);
    expect((await of.generate(ask(), never)).version).toBe(3);
  });

  it('loads its adapter again where the server has forgotten it', async () => {
    const of = await start();
    await of.publish(adapter(1, 31, 0.2));
    const before = await sampleOf(of, { stop: [] });
    const http = openHttp({ url, connections: 1, replyBytes: 1e7, clock: systemClock });
    const listed = JSON.parse((await http.send({ method: 'GET', path: '/v1/models', deadlineMs: 10_000 })).text) as {
      data: { id: string }[];
    };
    const name = listed.data.map(({ id }) => id).find((id) => id.startsWith(`v-${process.pid}`));
    await http.send({ method: 'POST', path: '/v1/unload_lora_adapter', body: JSON.stringify({ lora_name: name }), deadlineMs: 10_000 });
    await http.close();
    const after = await Promise.all([1, 2, 3].map(() => sampleOf(of, { stop: [] })));
    for (const sample of after) expect(sample.ids).toEqual(before.ids);
  });

  it('refuses weights that are not what was published', async () => {
    const of = await start();
    const sound = adapter(1, 41);
    await expect(of.publish({ ...sound, sha256: '0'.repeat(64) })).rejects.toThrow(/is not version 1/);
    await expect(of.publish({ ...sound, kind: 'full' })).rejects.toThrow(/adapters only/);
    await expect(of.publish({ ...sound, dir: join(scratch, 'nowhere') })).rejects.toBeInstanceOf(EngineFault);
    expect((await of.generate(ask(), never)).version).toBe(0);
  });

  it('frees the server’s slots when a call is aborted', async () => {
    const of = await start();
    const aborted = new AbortController();
    // More than the server can answer before its load is read.
    const calls = Array.from({ length: 64 }, (_, i) =>
      of.generate(ask({ n: 16, seed: 100 * i, stop: [], maxTokens: 900, deadlineMs: 120_000 }), aborted.signal),
    );
    const ended = Promise.allSettled(calls);
    const polling = performance.now();
    while ((await loadOf()).running === 0 && performance.now() - polling < 60_000) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await loadOf()).running).toBeGreaterThan(0);
    const began = performance.now();
    aborted.abort();
    const refusals = (await ended).flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
    expect(refusals.length).toBeGreaterThan(0);
    for (const reason of refusals) expect(reason).toBeInstanceOf(CancelledFault);
    while ((await loadOf()).running > 0 && performance.now() - began < 20_000) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it('survives seeded prompts that together are longer than one step of the server', async () => {
    const of = await start();
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        of.generate(ask({ ids: promptOf(500 + i, 700 + 13 * i), n: 4, seed: 1000 * i, maxTokens: 4 }), never),
      ),
    );
    expect(replies.map(({ samples }) => samples.length)).toEqual(Array.from({ length: 8 }, () => 4));
  });

  it('gives up at the deadline, as stalled', async () => {
    const of = await start();
    await expect(of.generate(ask({ n: 16, stop: [], maxTokens: 900, deadlineMs: 300 }), never)).rejects.toMatchObject({
      name: 'EngineFault',
      trouble: 'stalled',
    });
  });

  it('tells its load and what its cache spared', async () => {
    const of = await start();
    const long = promptOf(serial, 600);
    await sampleOf(of, { ids: long, maxTokens: 1 });
    await sampleOf(of, { ids: long, maxTokens: 1 });
    expect((await of.metrics()).cachedTokens).toBeGreaterThanOrEqual(512);
    const pressure = await of.pressure?.(never);
    expect(pressure).toMatchObject({ waiting: expect.any(Number) as number, refused: false });
  });

  describe('weights under long prompts', () => {
    // Prompts longer than a block of the prefix cache, which is where stale weights hide.
    const long = promptOf(977, 600);
    const score = (of: VllmEngine, ids: Int32Array<ArrayBuffer>) => sampleOf(of, { ids, stop: [], maxTokens: 6, seed: 5 });

    it('each version answers as on a server that never knew another', async () => {
      const of = await start({ versions: 2 });
      const weights = [adapter(1, 51, 0.2), adapter(2, 52, 0.2)] as const;
      const served: TokenSample[] = [];
      for (const one of weights) {
        await of.publish(one);
        // Twice: the second answer comes from the cache.
        served.push(await score(of, long), await score(of, long));
      }
      await of.close();
      const cold: TokenSample[] = [];
      for (const [index, seed] of [51, 52].entries()) {
        const other = await start();
        await other.publish(adapter(index + 1, seed, 0.2));
        // A prompt that shares no block with any before, and ends alike.
        cold.push(await score(other, long));
        await other.close();
      }
      for (const [i, sample] of served.entries()) {
        const fresh = cold[i >> 1] as TokenSample;
        expect(sample.ids).toEqual(fresh.ids);
        for (const [k, logprob] of sample.logprobs.entries()) expect(logprob).toBeCloseTo(fresh.logprobs[k] as number, 4);
      }
      expect(served[0]?.logprobs).not.toEqual(served[2]?.logprobs);
    });

    it('in-place reloading under one path would have answered from the old weights', async () => {
      const http = openHttp({ url, connections: 1, replyBytes: 1e7, clock: systemClock });
      const name = `v-inplace-${process.pid}`;
      const dir = join(scratch, 'in-place');
      const post = (path: string, body: object) => http.send({ method: 'POST', path, body: JSON.stringify(body), deadlineMs: 60_000 });
      const logprobs = async (of: string, ids: Int32Array<ArrayBuffer>): Promise<number[]> => {
        const reply = await post('/v1/completions', {
          model: of,
          prompt: [...ids],
          max_tokens: 4,
          temperature: 0,
          logprobs: 0,
          ignore_eos: true,
        });
        return (JSON.parse(reply.text) as { choices: { logprobs: { token_logprobs: number[] } }[] }).choices[0]?.logprobs
          .token_logprobs as number[];
      };
      const ids = promptOf(1234, 600);
      writeAdapter({ model, dir, version: 1, seed: 61, scale: 0.2 });
      await post('/v1/load_lora_adapter', { lora_name: name, lora_path: dir });
      await logprobs(name, ids);
      writeAdapter({ model, dir, version: 2, seed: 62, scale: 0.2 });
      await post('/v1/load_lora_adapter', { lora_name: name, lora_path: dir, load_inplace: true });
      const stale = await logprobs(name, ids);
      const fresh = writeAdapter({ model, dir: join(scratch, 'fresh'), version: 2, seed: 62, scale: 0.2 });
      await post('/v1/load_lora_adapter', { lora_name: `${name}-fresh`, lora_path: fresh.dir });
      const right = await logprobs(`${name}-fresh`, ids);
      for (const loaded of [name, `${name}-fresh`]) await post('/v1/unload_lora_adapter', { lora_name: loaded });
      await http.close();
      expect(Math.max(...right.map((logprob, i) => Math.abs(logprob - (stale[i] as number))))).toBeGreaterThan(1e-3);
    });
  });
});
