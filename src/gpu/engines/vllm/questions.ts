/** The questions of the probe, one per field or flag: what is sent, and by which effect a server shows that it understood. Knows no server; asks through what it is given. */
import { EngineFault } from '../../../errors.ts';
import type { Clock } from '../../clock.ts';
import { CHAT, chatBody } from './chat.ts';
import { type Asked, COMPLETIONS, type Completion, completionBody, readCompletion } from './completion.ts';
import type { Http } from './http.ts';
import { readLoad } from './load.ts';
import { isRecord, isSuccess, parsed, refusalOf, wordsOf } from './refusal.ts';

/** One field or flag. */
export interface Capability {
  readonly what: string;
  /** Whose calls cannot be made without it. */
  readonly needed: 'policy' | 'simulators' | 'both' | 'optional';
  readonly ok: boolean;
  /** What the server did. */
  readonly found: string;
  /** Flag, version or setting that provides it. */
  readonly fix: string;
}

export interface ProbeOptions {
  readonly clock: Clock;
  /** Name of the frozen base. Default `base`. */
  readonly servedModel?: string;
  /** Tokens prompt and reply must be able to hold together. Default: whatever the server has. */
  readonly contextLength?: number;
  /** Versions that are to answer at once; one more adapter must fit. Default 1. */
  readonly versions?: number;
  /** Whether the policy is an adapter; false: the base is asked as it is. Default true. */
  readonly adapters?: boolean;
  /** Any token ids the model knows: a prompt, and an id to stop at. Default 1 … 4. */
  readonly prompt?: readonly number[];
  /** Whether the server must be able to sleep. */
  readonly sleeps?: boolean;
  /** Milliseconds one question may take; the first one with log-probs compiles for some ten seconds on a CPU. Default 120,000. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** Rows that decide how a server is spoken to. */
export const VERSION = 'version';
export const PRIORITIES = 'priorities';

export type Row = Pick<Capability, 'ok' | 'found'>;
export type Question = Omit<Capability, 'ok' | 'found'> & { ask(): Promise<Row> };

export function questionsOf(http: Http, options: ProbeOptions): Question[] {
  const {
    servedModel = 'base',
    contextLength = 0,
    versions = 1,
    adapters = true,
    prompt = [1, 2, 3, 4],
    sleeps = false,
    deadlineMs = 120_000,
    signal,
  } = options;
  const [mark = 1] = prompt;
  const get = (path: string) => http.send({ method: 'GET', path, deadlineMs, signal });
  const post = (path: string, body: string) => http.send({ method: 'POST', path, body, deadlineMs, signal });
  const asked = (change: Partial<Asked> = {}): Asked => ({
    ids: Int32Array.from(prompt),
    n: 1,
    seed: 11,
    stop: [],
    maxTokens: 8,
    temperature: 1,
    priority: 0,
    ...change,
  });
  const complete = async (change: Partial<Asked> = {}, extra: Readonly<Record<string, unknown>> = {}): Promise<Completion> => {
    const request = asked(change);
    const reply = await post(COMPLETIONS, completionBody(request, servedModel, extra));
    if (!isSuccess(reply)) throw refusalOf(reply, `POST ${COMPLETIONS}`);
    return readCompletion(reply.text, request, servedModel);
  };
  const one = async (change: Partial<Asked> = {}, extra: Readonly<Record<string, unknown>> = {}) => {
    const [sample] = (await complete(change, extra)).samples;
    if (sample === undefined) throw new EngineFault('no sample');
    return sample;
  };
  const chat = async (change: Partial<Parameters<typeof chatBody>[0]> = {}): Promise<string> => {
    const body = {
      messages: [{ role: 'user', content: 'Answer.' } as const],
      seed: 1,
      maxTokens: 64,
      temperature: 1,
      priority: 0,
      ...change,
    };
    const reply = await post(CHAT, JSON.stringify(chatBody(body, servedModel, { extended: isVllm, priorities: false })));
    if (!isSuccess(reply)) throw refusalOf(reply, `POST ${CHAT}`);
    const read = parsed(reply.text);
    const [choice] = isRecord(read) && Array.isArray(read['choices']) ? (read['choices'] as unknown[]) : [];
    const message = isRecord(choice) ? choice['message'] : undefined;
    const text = isRecord(message) ? message['content'] : undefined;
    if (typeof text !== 'string') throw new EngineFault('a chat reply without text');
    return text;
  };
  /** How far sampled log-probs are from the model's own, of temperature 1 and the whole vocabulary: those it gives a prompt. */
  const gapOf = async (temperature: number, extra: Readonly<Record<string, unknown>> = {}): Promise<number> => {
    const { ids, logprobs } = await one({ temperature }, extra);
    const request = asked({ ids: Int32Array.from([...prompt, ...ids]), maxTokens: 1 });
    const reply = await post(COMPLETIONS, completionBody(request, servedModel, { prompt_logprobs: 0 }));
    if (!isSuccess(reply)) throw refusalOf(reply, `POST ${COMPLETIONS}`);
    const scored = promptLogprobs(reply.text).slice(-ids.length);
    if (scored.length !== ids.length) throw new EngineFault(`${scored.length} scores for ${ids.length} tokens`);
    return Math.max(...scored.map((score, i) => Math.abs(score - (logprobs[i] as number))));
  };
  let isVllm = false;

  return [
    {
      what: 'serves the base model',
      needed: 'both',
      fix: `Start it with --served-model-name ${servedModel}, or set engine.vllm.servedModel to its name.`,
      ask: async () => {
        const reply = await get('/v1/models');
        if (!isSuccess(reply)) throw refusalOf(reply, 'GET /v1/models');
        const card = cardsOf(reply.text).find(({ id }) => id === servedModel);
        const names = cardsOf(reply.text).map(({ id }) => String(id));
        return card === undefined
          ? { ok: false, found: `it serves ${names.slice(0, 8).join(', ') || 'nothing'}, not ${servedModel}` }
          : { ok: true, found: servedModel };
      },
    },
    {
      what: VERSION,
      needed: 'optional',
      fix: 'vLLM 0.31 or newer: older ones answer from a stale cache when an adapter’s name is used twice.',
      ask: async () => {
        const reply = await get('/version');
        const body = isSuccess(reply) ? parsed(reply.text) : undefined;
        const version = isRecord(body) ? body['version'] : undefined;
        if (typeof version !== 'string') return { ok: false, found: 'no vLLM: it names no version' };
        isVllm = true;
        const [major = 0, minor = 0] = version.split('.').map(Number);
        return { ok: major > 0 || minor >= 31 || Number.isNaN(minor), found: `vLLM ${version.slice(0, 40)}` };
      },
    },
    {
      what: 'holds the context',
      needed: 'both',
      fix: `Start it with --max-model-len ${contextLength}, or lower rollout.contextLength.`,
      ask: async () => {
        const length = cardsOf((await get('/v1/models')).text).find(({ id }) => id === servedModel)?.['max_model_len'];
        if (typeof length !== 'number') return { ok: true, found: 'not stated' };
        return { ok: length >= contextLength, found: `${length} tokens` };
      },
    },
    {
      what: 'tokens in, tokens out',
      needed: 'policy',
      fix: 'Use vLLM 0.10.2 or newer: `return_token_ids` with `logprobs: 0` on /v1/completions.',
      ask: async () => {
        const { ids } = await one();
        return { ok: true, found: `${ids.length} ids with their log-probs` };
      },
    },
    {
      what: 'only our stop ids end a sample',
      needed: 'policy',
      fix: 'Use vLLM: `ignore_eos` and `stop_token_ids` on /v1/completions.',
      ask: async () => {
        const [endless, stopped] = [await one(), await one({ stop: [mark] }, { allowed_token_ids: [mark] })];
        const ok = endless.finish === 'length' && endless.ids.length === 8 && stopped.finish === 'stop' && stopped.ids.join() === `${mark}`;
        return {
          ok,
          found: ok
            ? 'the stop id ends it and is sampled'
            : `ends: ${endless.finish} after ${endless.ids.length}, ${stopped.finish} after ${stopped.ids.length}`,
        };
      },
    },
    {
      what: 'equal seeds, equal tokens',
      needed: 'policy',
      fix: 'Use vLLM: `seed` on /v1/completions, sample k of a request has seed + k.',
      ask: async () => {
        // Hot, so that different seeds can hardly agree by chance.
        const hot = { temperature: 2, maxTokens: 16 };
        const together = (await complete({ ...hot, n: 2, seed: 50 })).samples.map(({ ids }) => ids.join());
        const apart = [await one({ ...hot, seed: 50 }), await one({ ...hot, seed: 51 })].map(({ ids }) => ids.join());
        if (together[0] === together[1]) return { ok: false, found: 'different seeds gave equal tokens' };
        return {
          ok: together.join(';') === apart.join(';'),
          found: together.join(';') === apart.join(';') ? 'sample k is that of seed + k' : 'equal seeds gave different tokens',
        };
      },
    },
    {
      what: 'log-probs of the distribution sampled from',
      needed: 'policy',
      fix: 'Start it with --generation-config vllm and without log-prob or sampling overrides.',
      ask: async () => {
        const gap = await gapOf(1);
        return { ok: gap < GAP, found: `at most ${gap.toExponential(1)} from the scores of the same tokens` };
      },
    },
    {
      what: 'greedy log-probs are of temperature 1',
      needed: 'optional',
      fix: 'vLLM does so; elsewhere the canary compares sampled tokens only.',
      ask: async () => {
        const gap = await gapOf(0);
        return { ok: gap < GAP, found: `at most ${gap.toExponential(1)} from the scores of the same tokens` };
      },
    },
    {
      what: PRIORITIES,
      needed: 'policy',
      fix: 'Start it with --scheduling-policy priority.',
      ask: async () => {
        await one({ priority: 1, maxTokens: 1 });
        return { ok: true, found: 'accepted' };
      },
    },
    {
      what: 'adapters while it runs',
      needed: adapters ? 'policy' : 'optional',
      fix: 'Start it with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=1 in its environment.',
      ask: async () => {
        // An empty body: where the route is, it names what it misses; where it is not, it is not found.
        const reply = await post('/v1/load_lora_adapter', '{}');
        const ok = reply.status === 400 || reply.status === 422;
        return { ok, found: ok ? 'can be loaded' : `${reply.status}: ${wordsOf(reply.text)}` };
      },
    },
    {
      what: 'adapters at once',
      needed: adapters ? 'policy' : 'optional',
      fix: `Start it with --enable-lora --max-loras ${versions + 1}.`,
      ask: async () => {
        const room = readLoad((await get('/metrics')).text)?.adapters;
        if (room === undefined) return { ok: false, found: 'it says of no room for adapters' };
        return { ok: room > versions, found: `${room}` };
      },
    },
    {
      what: 'load',
      needed: 'optional',
      fix: 'Let /metrics be read; without it the broker keeps a fixed window.',
      ask: async () => {
        const load = readLoad((await get('/metrics')).text);
        return load === undefined
          ? { ok: false, found: 'no metrics' }
          : { ok: true, found: `${load.running} running, ${load.waiting} waiting` };
      },
    },
    {
      what: 'sleep',
      needed: sleeps ? 'both' : 'optional',
      fix: 'Start it with --enable-sleep-mode and VLLM_SERVER_DEV_MODE=1 in its environment.',
      ask: async () => {
        const reply = await get('/is_sleeping');
        return { ok: isSuccess(reply), found: isSuccess(reply) ? 'can be asked to' : `${reply.status}: ${wordsOf(reply.text)}` };
      },
    },
    {
      what: 'chat',
      needed: 'simulators',
      fix: 'Serve a model with a chat template.',
      ask: async () => ({ ok: true, found: `${(await chat()).length} characters` }),
    },
    {
      what: 'replies by schema',
      needed: 'simulators',
      fix: 'Use vLLM with a model whose tokens can spell JSON: `response_format` of type json_schema.',
      ask: async () => {
        const word = 'eel';
        const text = await chat({
          schema: { type: 'object', properties: { w: { type: 'string', enum: [word] } }, required: ['w'], additionalProperties: false },
        });
        const read = parsed(text);
        const ok = isRecord(read) && read['w'] === word;
        return { ok, found: ok ? 'constrains' : `answered ${JSON.stringify(text.slice(0, 60))}` };
      },
    },
  ];
}

/** Larger than bfloat16 noise between a prefill and a decode; another temperature or a penalty shows more. What truncates is sent with every request. */
const GAP = 0.3;

function cardsOf(text: string): Record<string, unknown>[] {
  const body = parsed(text);
  return isRecord(body) && Array.isArray(body['data']) ? (body['data'] as unknown[]).filter(isRecord) : [];
}

/** `[null, {"17": {logprob}}, …]`, one per prompt token, of the first choice. */
function promptLogprobs(text: string): number[] {
  const body = parsed(text);
  const [choice] = isRecord(body) && Array.isArray(body['choices']) ? (body['choices'] as unknown[]) : [];
  const list = isRecord(choice) ? choice['prompt_logprobs'] : undefined;
  if (!Array.isArray(list)) throw new EngineFault('no prompt_logprobs');
  return (list as unknown[]).slice(1).map((entry) => {
    const [first] = isRecord(entry) ? Object.values(entry) : [];
    const logprob = isRecord(first) ? first['logprob'] : undefined;
    if (typeof logprob !== 'number') throw new EngineFault('a prompt token without a log-prob');
    return logprob;
  });
}
