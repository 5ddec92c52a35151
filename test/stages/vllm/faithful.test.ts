/** The fake beside the real server: the same requests to both, and the same answers in every field, type, status and header that we read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/actors/clock.ts';
import { openHouse, type House } from '../../../src/gpu/engines/fake/house.ts';
import { writeAdapter } from '../../support/peft-adapter.ts';
import { model } from '../../support/vllm-server.ts';

const url = inject('vllmUrl');
const absent = inject('vllmAbsent');
/** Others may be using it: nothing that stops it is asked then. */
const isShared = (process.env['TROUPE_VLLM_URL'] ?? '') !== '';
const scratch = mkdtempSync(join(tmpdir(), 'troupe-faithful-'));
const own = `f-${process.pid}`;

interface Row {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** Absent: no body. A text is sent as it is. */
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly allow: string | null;
  readonly text: string;
}

async function ask(to: string, { method = 'POST', path, body, type = 'application/json', headers = {} }: Row): Promise<Answer> {
  const reply = await fetch(to + path, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(120_000),
  });
  return { status: reply.status, type: reply.headers.get('content-type'), allow: reply.headers.get('allow'), text: await reply.text() };
}

/** Names of the fields and types of the values; a list has the shapes of its members, each once. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return [...new Set(value.map((each) => JSON.stringify(shapeOf(each))))].toSorted();
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)]));
}

/** Dictionaries by token have keys of the tokenizer; what counts is how many. */
function withoutWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutWords);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const byToken = name === 'top_logprobs' && Array.isArray(inner);
      if (byToken) return [name, inner.map((each: unknown) => Object.values(each as object).map((logprob) => typeof logprob))];
      if (name === 'prompt_logprobs' && Array.isArray(inner))
        return [name, inner.map((each: unknown) => (each === null ? null : Object.values(each as object)))];
      return [name, withoutWords(inner)];
    }),
  );
}

/** Of a list of models the base: others may have loaded theirs. */
function withoutOthers(value: unknown): unknown {
  const { data } = value as { data?: { id: string }[] };
  return data === undefined ? value : { ...(value as object), data: data.filter(({ id }) => id === 'base') };
}

const complete = (fields: object): Row => ({
  path: '/v1/completions',
  body: { model: 'base', prompt: [20, 21, 22, 23], max_tokens: 4, ...fields },
});
const talk = (fields: object): Row => ({
  path: '/v1/chat/completions',
  body: { model: 'base', messages: [{ role: 'user', content: 'find a book' }], max_tokens: 4, ...fields },
});

/** Answers whose shape is compared. */
const answered: Record<string, Row> = {
  'GET /v1/models': { method: 'GET', path: '/v1/models' },
  'GET /health': { method: 'GET', path: '/health' },
  'GET /ping': { method: 'GET', path: '/ping' },
  'GET /version': { method: 'GET', path: '/version' },
  'GET /load': { method: 'GET', path: '/load' },
  'GET /is_sleeping': { method: 'GET', path: '/is_sleeping' },
  'GET /is_paused': { method: 'GET', path: '/is_paused' },
  'POST /tokenize of a text': { path: '/tokenize', body: { model: 'base', prompt: 'find a book' } },
  'POST /tokenize of messages': { path: '/tokenize', body: { model: 'base', messages: [{ role: 'user', content: 'find a book' }] } },
  'a completion of little': complete({}),
  'a completion with every field we send': complete({
    n: 3,
    seed: 7,
    stop_token_ids: [7],
    ignore_eos: true,
    temperature: 1,
    top_p: 1,
    top_k: -1,
    min_p: 0,
    repetition_penalty: 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    logprobs: 0,
    return_token_ids: true,
    priority: 3,
    stream: false,
    cache_salt: own,
    vllm_xargs: { note: 'x' },
    request_id: `${own}-1`,
  }),
  'a completion with alternatives': complete({ logprobs: 1, ignore_eos: true }),
  'a completion with scored prompt': complete({ prompt_logprobs: 0, logprobs: 0, return_token_ids: true }),
  'two prompts with two samples each': complete({ prompt: [[20, 21], [22]], n: 2, logprobs: 0, return_token_ids: true }),
  'a completion of a text': complete({ prompt: 'find a book', return_token_ids: true }),
  'a completion of an unnamed model': { path: '/v1/completions', body: { prompt: [20], max_tokens: 1 } },
  'a chat': talk({}),
  'a chat with log-probs and ids': talk({
    n: 2,
    logprobs: true,
    top_logprobs: 0,
    return_token_ids: true,
    seed: 3,
    max_completion_tokens: 6,
  }),
  'a chat with every field we send': talk({
    n: 1,
    seed: 3,
    temperature: 1,
    top_p: 1,
    top_k: -1,
    min_p: 0,
    repetition_penalty: 1,
    priority: 2,
    chat_template_kwargs: { enable_thinking: false },
  }),
  'a chat that must choose': talk({ structured_outputs: { choice: ['book', 'find'] } }),
};

/** Refusals; what is compared is the whole body. */
const refused: Record<string, Row> = {
  'a path that is not there': { method: 'GET', path: '/nothing' },
  'a method that is not there': { path: '/health', body: {} },
  'another method that is not there': { method: 'DELETE', path: '/v1/models' },
  'an unknown model': complete({ model: 'nobody' }),
  'a chat with an unknown model': talk({ model: 'nobody' }),
  'a chat without messages': { path: '/v1/chat/completions', body: { model: 'base', max_tokens: 4 } },
  'a chat with no message': talk({ messages: [] }),
  'a chat that asks too much': talk({ max_tokens: 5000 }),
  'no prompt': { path: '/v1/completions', body: { model: 'base', max_tokens: 3 } },
  'an empty prompt': complete({ prompt: [] }),
  'a prompt that fills the context': complete({ prompt: Array.from({ length: 1024 }, () => 20) }),
  'a prompt longer than the context': complete({ prompt: Array.from({ length: 1500 }, () => 20) }),
  'an id out of the vocabulary': complete({ prompt: [99_999] }),
  'more tokens than the context holds': complete({ max_tokens: 3000 }),
  'no tokens': complete({ max_tokens: 0 }),
  'less than no tokens': complete({ max_tokens: -3 }),
  'no samples': complete({ n: 0 }),
  'several greedy samples': complete({ n: 2, temperature: 0 }),
  'a negative temperature': complete({ temperature: -1 }),
  'too many alternatives': complete({ logprobs: 50 }),
  'a number that is a text': complete({ n: 'a' }),
  'a temperature that is a text': complete({ temperature: 'x' }),
  'a model that is a number': complete({ model: 7 }),
  'a stop id that is a text': complete({ stop_token_ids: ['a'] }),
  'an empty salt': complete({ cache_salt: '' }),
  'a list': { path: '/v1/completions', body: [1] },
  'a body of another type': { path: '/v1/completions', body: '{"model":"base","prompt":[20]}', type: 'text/plain' },
  'an adapter without a path': { path: '/v1/load_lora_adapter', body: { lora_name: `${own}-x` } },
  'an adapter without a name': { path: '/v1/load_lora_adapter', body: { lora_path: '/nowhere' } },
  'an adapter without anything': { path: '/v1/load_lora_adapter', body: {} },
  'an adapter of the base’s name': { path: '/v1/load_lora_adapter', body: { lora_name: 'base', lora_path: '/nowhere' } },
  'an adapter that is not there': { path: '/v1/load_lora_adapter', body: { lora_name: `${own}-x`, lora_path: '/nowhere' } },
  'taking off what was never loaded': { path: '/v1/unload_lora_adapter', body: { lora_name: `${own}-x` } },
  'taking off nothing': { path: '/v1/unload_lora_adapter', body: {} },
};

/** Refusals that both word in their own way: status, type, code and param agree. */
const refusedInOtherWords: Record<string, Row> = {
  'half a JSON': { path: '/v1/completions', body: '{"model":"base","prompt":[20' },
  'a negative id': complete({ prompt: [20, -1] }),
  'an id that is a fraction': complete({ prompt: [20, 1.5] }),
};

/** What is forced, so that both must say the very same; `ignore_eos` and stop ids as the runtime sets them. */
const forced: Record<string, object> = {
  'cut at max_tokens': { ignore_eos: true, allowed_token_ids: [20], max_tokens: 5 },
  'ended by a stop id': { ignore_eos: true, allowed_token_ids: [20], stop_token_ids: [20], max_tokens: 5 },
  'ended by the model’s own end': { allowed_token_ids: [3], max_tokens: 5 },
  'ended by the model’s own end, listed': { allowed_token_ids: [3], stop_token_ids: [3], max_tokens: 5 },
  'ended by the model’s own end, listed and ignored': { ignore_eos: true, allowed_token_ids: [3], stop_token_ids: [3], max_tokens: 5 },
  'ended at the last token allowed': { ignore_eos: true, allowed_token_ids: [20], stop_token_ids: [20], max_tokens: 1 },
  'cut by the context': { ignore_eos: true, allowed_token_ids: [20], prompt: Array.from({ length: 1020 }, () => 20), max_tokens: 10 },
  'without a number of tokens': { ignore_eos: true, allowed_token_ids: [20], max_tokens: null },
};

describe.skipIf(url === '')(`the fake, beside a real vLLM server${absent === '' ? '' : ` (${absent})`}`, () => {
  let house: House;
  const both = async (row: Row): Promise<readonly [Answer, Answer]> => [await ask(house.url, row), await ask(url, row)];

  beforeAll(async () => {
    const { text } = await ask(url, complete({}));
    const { usage } = JSON.parse(text) as { usage: { prompt_tokens_details: unknown } };
    const { data } = JSON.parse((await ask(url, { method: 'GET', path: '/v1/models' })).text) as { data: { max_model_len: number }[] };
    house = await openHouse({
      clock: systemClock,
      timeScale: 0,
      stopChance: 0,
      contextLength: data[0]?.max_model_len ?? 0,
      vocabulary: 448,
      eos: 3,
      maxRank: 16,
      usageDetails: usage.prompt_tokens_details !== null,
    });
  });
  afterAll(async () => {
    await house.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  it.each(Object.entries(answered))('answers in the same shape: %s', async (_, row) => {
    const [fake, real] = await both(row);
    expect({ ...fake, text: '' }).toEqual({ ...real, text: '' });
    const read = (text: string): unknown => (text === '' ? '' : shapeOf(withoutWords(withoutOthers(JSON.parse(text)))));
    expect(real.status).toBe(200);
    expect(read(fake.text)).toEqual(read(real.text));
  });

  it.each(Object.entries(refused))('refuses in the same words: %s', async (_, row) => {
    const [fake, real] = await both(row);
    expect(real.status).toBeGreaterThanOrEqual(400);
    expect({ ...fake, text: JSON.parse(fake.text) as unknown }).toEqual({
      ...real,
      // Whatever adapters others have loaded there.
      text: JSON.parse(real.text.replace(/Valid aliases: base[^.]*\./, 'Valid aliases: base.')) as unknown,
    });
  });

  it.each(Object.entries(refusedInOtherWords))('refuses alike: %s', async (_, row) => {
    const [fake, real] = await both(row);
    const read = ({ status, text }: Answer): unknown => {
      const { error } = JSON.parse(text) as { error: { type: string; code: number; param: string } };
      return { status, type: error.type, code: error.code, param: error.param.replace(/\d+$/, 'N') };
    };
    expect(read(fake)).toEqual(read(real));
  });

  it.each(Object.entries(forced))('ends alike: %s', async (_, fields) => {
    const [fake, real] = await both(complete({ logprobs: 0, return_token_ids: true, ...fields }));
    const read = ({ text }: Answer): unknown => {
      const body = JSON.parse(text) as {
        usage: Record<string, unknown>;
        choices: {
          finish_reason: string;
          stop_reason: unknown;
          token_ids: number[];
          logprobs: { token_logprobs: number[]; tokens: string[] };
        }[];
      };
      const { prompt_tokens_details: _details, ...usage } = body.usage;
      const [choice] = body.choices;
      const { finish_reason, stop_reason, token_ids, logprobs } = choice as NonNullable<typeof choice>;
      return { usage, finish_reason, stop_reason, token_ids, logprobs: logprobs.token_logprobs.length, tokens: logprobs.tokens.length };
    };
    expect(read(fake)).toEqual(read(real));
  });

  it('samples by seed alike: sample k of a request is the first of seed + k', async () => {
    for (const to of [house.url, url]) {
      const idsOf = async (fields: object): Promise<string[]> => {
        const { text } = await ask(to, complete({ ignore_eos: true, temperature: 2, max_tokens: 8, return_token_ids: true, ...fields }));
        return (JSON.parse(text) as { choices: { token_ids: number[] }[] }).choices.map(({ token_ids }) => token_ids.join());
      };
      const together = await idsOf({ n: 2, seed: 90 });
      expect(together).toEqual([...(await idsOf({ seed: 90 })), ...(await idsOf({ seed: 91 }))]);
      expect(together[0]).not.toBe(together[1]);
    }
  });

  it('names a reply after the request’s id, that of the header first', async () => {
    const row = complete({ request_id: `${own}-body` });
    const ids = await Promise.all([house.url, url].map(async (to) => (JSON.parse((await ask(to, row)).text) as { id: string }).id));
    expect(ids).toEqual([`cmpl-${own}-body`, `cmpl-${own}-body`]);
    const headed = { ...complete({ request_id: `${own}-body2` }), headers: { 'x-request-id': `${own}-head` } };
    const named = await Promise.all([house.url, url].map(async (to) => (JSON.parse((await ask(to, headed)).text) as { id: string }).id));
    expect(named).toEqual([`cmpl-${own}-head`, `cmpl-${own}-head`]);
  });

  it('loads, lists, asks, refuses and takes off adapters alike', async () => {
    const sound = writeAdapter({ model, dir: join(scratch, 'sound'), version: 1, seed: 1, scale: 0.05 });
    const tooLarge = writeAdapter({ model, dir: join(scratch, 'large'), version: 2, seed: 2, scale: 0.05 });
    const config = join(tooLarge.dir, 'adapter_config.json');
    writeFileSync(
      config,
      JSON.stringify({ peft_type: 'LORA', task_type: 'CAUSAL_LM', r: 32, lora_alpha: 32, target_modules: ['q_proj'], bias: 'none' }),
    );
    const name = `${own}-a`;
    const load = { path: '/v1/load_lora_adapter', body: { lora_name: name, lora_path: sound.dir } };
    const unload = { path: '/v1/unload_lora_adapter', body: { lora_name: name } };
    const steps: Record<string, Row> = {
      load,
      again: load,
      'too large': { path: '/v1/load_lora_adapter', body: { lora_name: `${name}-large`, lora_path: tooLarge.dir } },
      list: { method: 'GET', path: '/v1/models' },
      ask: complete({ model: name, logprobs: 0, return_token_ids: true }),
      unload,
      'unload again': unload,
      'ask in vain': complete({ model: name }),
    };
    for (const [step, row] of Object.entries(steps)) {
      const [fake, real] = await both(row);
      const read = ({ status, type, text }: Answer): unknown => {
        if (status === 200 && text.startsWith('{')) {
          const body = JSON.parse(text) as { data?: { id: string; max_model_len: unknown; parent: unknown; root: unknown }[] };
          const card = body.data?.find(({ id }) => id === name);
          return body.data === undefined ? shapeOf(withoutWords(body)) : [card?.parent, card?.root, card?.max_model_len, shapeOf(card)];
        }
        return { status, type, text: text.replace(/Valid aliases: base[^.]*\./, 'Valid aliases: base.') };
      };
      expect([step, read(fake)]).toEqual([step, read(real)]);
    }
  });

  it('tells its load in metrics that the real server has too, with the same labels', async () => {
    const lines = async (to: string): Promise<Map<string, Set<string>>> => {
      const found = new Map<string, Set<string>>();
      for (const [, name = '', labels = ''] of (await ask(to, { method: 'GET', path: '/metrics' })).text.matchAll(
        /^(vllm:\w+)\{(.*)\} /gm,
      )) {
        const keys = [...labels.matchAll(/(\w+)="/g)].map(([, key]) => key as string).toSorted((a, b) => a.localeCompare(b));
        const reason = /(?:reason|state|finished_reason)="(\w+)"/.exec(labels)?.[1] ?? '';
        found.set(name, (found.get(name) ?? new Set()).add(name === 'vllm:cache_config_info' ? '' : `${keys.join()} ${reason}`));
      }
      return found;
    };
    const [fake, real] = [await lines(house.url), await lines(url)];
    expect(fake.size).toBeGreaterThan(12);
    for (const [name, labels] of fake) expect([name, [...labels].filter((each) => !real.get(name)?.has(each))]).toEqual([name, []]);
  });

  it.skipIf(isShared)('sleeps, wakes, pauses and resumes alike', async () => {
    const steps: Row[] = [
      { path: '/pause?mode=keep' },
      { method: 'GET', path: '/is_paused' },
      { path: '/resume' },
      { method: 'GET', path: '/is_paused' },
      { path: '/reset_prefix_cache' },
      { path: '/sleep?level=1&mode=wait' },
      { method: 'GET', path: '/is_sleeping' },
      { path: '/wake_up' },
      { method: 'GET', path: '/is_sleeping' },
    ];
    for (const row of steps) {
      const [fake, real] = await both(row);
      expect([row.path, fake]).toEqual([row.path, real]);
    }
  });
});
