/**
 * TokenRequest ⇄ /v1/completions: prompt ids in, sampled ids and their log-probs out. Knows the fields of that one path; the socket and the version's name are given.
 * Every sampling field is sent, since a server fills what is absent from the model's own generation_config.json, and unknown fields are ignored without a word.
 */
import { EngineFault } from '../../../errors.ts';
import type { TokenRequest, TokenSample } from '../../../protocol/inference.ts';
import { isRecord, parsed } from './refusal.ts';

export const COMPLETIONS = '/v1/completions';

/** Fields of TokenRequest that reach the server. */
export type Asked = Pick<TokenRequest, 'ids' | 'n' | 'seed' | 'stop' | 'maxTokens' | 'temperature' | 'priority'>;

export interface Completion {
  /** n, in the order of their seeds. */
  readonly samples: TokenSample[];
  readonly promptTokens: number;
  readonly sampledTokens: number;
  /** Absent where the server does not say. */
  readonly cachedTokens?: number;
}

/** Greedy samples are all equal, and vLLM refuses more than one. */
const sentSamples = ({ n, temperature }: Asked): number => (temperature === 0 ? 1 : n);

/** `extra`: fields beside the contract's, for probes and the fake server. */
export function completionBody(asked: Asked, model: string, extra: Readonly<Record<string, unknown>> = {}): string {
  const { ids, seed, stop, maxTokens, temperature, priority } = asked;
  const fields = {
    n: sentSamples(asked),
    // vLLM's sample k of a request has seed + k: the protocol's rule too.
    seed,
    max_tokens: maxTokens,
    // Exactly the request's ids end a sample: not the model's own.
    stop_token_ids: stop,
    ignore_eos: true,
    temperature,
    top_p: 1,
    top_k: -1,
    min_p: 0,
    repetition_penalty: 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    logprobs: 0,
    return_token_ids: true,
    priority,
    stream: false,
    ...extra,
  };
  // An Int32Array joins quicker than it copies into an array.
  return `{"model":${JSON.stringify(model)},"prompt":[${ids.join(',')}],${JSON.stringify(fields).slice(1)}`;
}

/** Throws EngineFault (malformed) with what is wrong. Nothing of the parsed reply is kept. */
export function readCompletion(text: string, asked: Asked, model: string): Completion {
  const body = parsed(text);
  const complain = (what: string): never => {
    throw new EngineFault(`malformed completion: ${what}`, { raw: text, trouble: 'malformed' });
  };
  if (!isRecord(body)) return complain(text.trimStart().startsWith('<') ? 'a web page, not JSON' : 'no JSON object');
  if (body['model'] !== model) return complain(`${quoted(body['model'])} answered, ${quoted(model)} was asked`);
  const choices = body['choices'];
  const sent = sentSamples(asked);
  if (!Array.isArray(choices)) return complain('no list of choices');
  if (choices.length !== sent) return complain(`${choices.length} choices instead of ${sent}`);
  const samples: (TokenSample | undefined)[] = Array.from({ length: sent });
  for (const choice of choices as unknown[]) {
    const index = isRecord(choice) ? choice['index'] : undefined;
    if (!isRecord(choice) || typeof index !== 'number' || !(index in samples)) return complain(`a choice of index ${quoted(index)}`);
    if (samples[index] !== undefined) return complain(`two choices of index ${index}`);
    // It echoes what it read: ids that were cut or changed on the way would be trained upon as others.
    if (!isEcho(choice['prompt_token_ids'], asked.ids)) return complain(`choice ${index}: another prompt was read than was sent`);
    const sample = readChoice(choice);
    if (typeof sample === 'string') return complain(`choice ${index}: ${sample}`);
    if (sample.ids.length > asked.maxTokens)
      return complain(`choice ${index}: ${sample.ids.length} tokens where ${asked.maxTokens} were allowed`);
    samples[index] = sample;
  }
  const [first] = samples as TokenSample[];
  const all =
    sent === asked.n
      ? (samples as TokenSample[])
      : Array.from({ length: asked.n }, () => ({
          ...(first as TokenSample),
          ids: (first as TokenSample).ids.slice(),
          logprobs: (first as TokenSample).logprobs.slice(),
        }));
  return { samples: all, ...readUsage(body['usage'], asked, samples as TokenSample[]) };
}

/** A complaint, or the sample. */
function readChoice(choice: Record<string, unknown>): TokenSample | string {
  const finish = choice['finish_reason'];
  if (finish !== 'stop' && finish !== 'length') return `an end called ${quoted(finish)}`;
  const ids = choice['token_ids'];
  if (!Array.isArray(ids)) return 'no token_ids';
  if (ids.length === 0) return 'no token';
  const given = choice['logprobs'];
  const logprobs = isRecord(given) ? given['token_logprobs'] : undefined;
  if (!Array.isArray(logprobs)) return 'no log-probs';
  if (logprobs.length !== ids.length) return `${ids.length} ids with ${logprobs.length} log-probs`;
  const sample: TokenSample = { ids: new Int32Array(ids.length), logprobs: new Float32Array(ids.length), finish };
  for (let i = 0; i < ids.length; i++) {
    const id: unknown = ids[i];
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > MAX_ID) return `a token id of ${quoted(id)}`;
    const logprob: unknown = logprobs[i];
    // Written so that NaN fails too; vLLM writes −inf as −9999, which no sampled token has.
    if (typeof logprob !== 'number' || !(logprob <= ROUNDING && logprob > -9999)) return `a log-prob of ${quoted(logprob)}`;
    sample.ids[i] = id;
    sample.logprobs[i] = Math.min(0, logprob);
  }
  return sample;
}

/** True where nothing is echoed, too. */
function isEcho(echoed: unknown, ids: Int32Array): boolean {
  if (!Array.isArray(echoed)) return echoed === undefined || echoed === null;
  if (echoed.length !== ids.length) return false;
  for (let i = 0; i < ids.length; i++) if (echoed[i] !== ids[i]) return false;
  return true;
}

const MAX_ID = 2 ** 31 - 1;
/** A sum of rounded exponentials can be a little below its largest term: such a log-prob is 0. */
const ROUNDING = 1e-5;

/** Only counted, never acted upon: what is missing or absurd is taken from what we know ourselves. */
function readUsage(usage: unknown, { ids }: Asked, samples: readonly TokenSample[]): Omit<Completion, 'samples'> {
  const details = isRecord(usage) ? usage['prompt_tokens_details'] : undefined;
  const cached = isRecord(details) ? details['cached_tokens'] : undefined;
  return {
    promptTokens: ids.length,
    sampledTokens: samples.reduce((sum, sample) => sum + sample.ids.length, 0),
    ...(typeof cached === 'number' && cached >= 0 && Number.isFinite(cached) ? { cachedTokens: cached } : {}),
  };
}

const quoted = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 80);
