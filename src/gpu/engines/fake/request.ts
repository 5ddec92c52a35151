/** Reads the bodies of /v1/completions and /v1/chat/completions with vLLM's own strictness: unknown fields pass, wrong types are 400. Knows fields, not models. */
import { badRequest, invalid, notJson, Refusal, type Finding } from './refusal.ts';
import type { FakeSettings } from './settings.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** What both paths have. */
export interface Sampling {
  readonly model: string | undefined;
  readonly n: number;
  /** Absent: drawn by the server, so that no two replies agree. */
  readonly seed: number | undefined;
  readonly temperature: number;
  readonly maxTokens: number | undefined;
  readonly stopIds: readonly number[];
  readonly allowedIds: readonly number[];
  readonly ignoreEos: boolean;
  readonly priority: number;
  readonly salt: string | undefined;
  /** Alternatives a position beside the sampled token; undefined = no log-probs. */
  readonly logprobs: number | undefined;
  readonly promptLogprobs: number | undefined;
  readonly tokenIds: boolean;
  readonly requestId: string | undefined;
  /** `vllm_xargs.script`, parsed: what to say, sample by sample. */
  readonly script: readonly unknown[] | undefined;
}

export function readJson(text: string): Fields {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw notJson();
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalid([
      {
        type: 'model_attributes_type',
        loc: 'body',
        msg: 'Input should be a valid dictionary or object to extract fields from',
        input: body,
      },
    ]);
  return body as Fields;
}

/** Throws where a field that must be there is not. */
export function requireFields(body: Fields, names: readonly string[]): void {
  const [first, ...rest] = names
    .filter((name) => body[name] === undefined)
    .map((name): Finding => ({ type: 'missing', loc: `body.${name}`, msg: 'Field required', input: body }));
  if (first !== undefined) throw invalid([first, ...rest]);
}

export function readSampling(body: Fields): Sampling {
  const findings: Finding[] = [];
  const integer = (name: string): number | undefined => {
    const value = body[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'boolean') return Number(value);
    if (typeof value === 'number' && Number.isInteger(value)) {
      if (Math.abs(value) < 2 ** 63) return value;
      findings.push({
        type: 'less_than_equal',
        loc: `body.${name}`,
        msg: 'Input should be less than or equal to 9223372036854775807',
        input: value,
      });
    } else if (typeof value === 'string') findings.push(unparsed(`body.${name}`, value));
    else findings.push({ type: 'int_type', loc: `body.${name}`, msg: 'Input should be a valid integer', input: value });
    return undefined;
  };
  const real = (name: string): number | undefined => {
    const value = body[name];
    if (value === undefined || value === null || typeof value === 'number') return value ?? undefined;
    const msg = 'Input should be a valid number, unable to parse string as a number';
    findings.push({ type: 'float_parsing', loc: `body.${name}`, msg, input: value });
    return undefined;
  };
  const text = (name: string): string | undefined => {
    const value = body[name];
    if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
    findings.push({ type: 'string_type', loc: `body.${name}`, msg: 'Input should be a valid string', input: value });
    return undefined;
  };
  const ids = (name: string): readonly number[] => {
    const value = body[name];
    if (!Array.isArray(value)) return [];
    value.forEach((id: unknown, i) => {
      if (!Number.isInteger(id)) findings.push(unparsed(`body.${name}.${i}`, id));
    });
    return value as number[];
  };
  const logprobs = body['logprobs'] === true && 'messages' in body ? (integer('top_logprobs') ?? 0) : integer('logprobs');
  const sampling: Sampling = {
    model: text('model'),
    n: integer('n') ?? 1,
    seed: integer('seed'),
    temperature: real('temperature') ?? 1,
    maxTokens: integer('max_completion_tokens') ?? integer('max_tokens'),
    stopIds: ids('stop_token_ids'),
    allowedIds: ids('allowed_token_ids'),
    ignoreEos: body['ignore_eos'] === true,
    priority: integer('priority') ?? 0,
    salt: text('cache_salt'),
    logprobs: 'messages' in body && body['logprobs'] !== true ? undefined : logprobs,
    promptLogprobs: integer('prompt_logprobs'),
    tokenIds: body['return_token_ids'] === true,
    requestId: text('request_id'),
    script: scriptOf(body['vllm_xargs']),
  };
  const [first, ...rest] = findings;
  if (first !== undefined) throw invalid([first, ...rest]);
  return sampling;
}

/** The checks vLLM makes once the types are right; `promptTokens` undefined while it is not known. */
export function checkRanges(sampling: Sampling, { contextLength }: FakeSettings): void {
  const { n, temperature, maxTokens, logprobs, salt } = sampling;
  if (maxTokens !== undefined && maxTokens > contextLength)
    throw ranged(
      `max_tokens=${maxTokens} cannot be greater than max_model_len=${contextLength}. Please request fewer output tokens.`,
      'max_tokens',
      maxTokens,
    );
  if (maxTokens !== undefined && maxTokens < 1) throw ranged(`max_tokens must be at least 1, got ${maxTokens}.`, 'max_tokens', maxTokens);
  if (n < 1) throw badRequest(`n must be at least 1, got ${n}.`);
  if (temperature < 0) throw ranged(`temperature must be non-negative, got ${real(temperature)}.`, 'temperature', real(temperature));
  if (temperature === 0 && n > 1) throw badRequest(`n must be 1 when using greedy sampling, got ${n}.`);
  if (logprobs !== undefined && (logprobs > 20 || logprobs < 0))
    throw ranged(`Requested sample logprobs of ${logprobs}, which is greater than max allowed: 20`, 'logprobs', logprobs);
  if (salt === '') throw badRequest("Parameter 'cache_salt' must be a non-empty string if provided. (parameter=cache_salt)", 'cache_salt');
}

/** A prompt must leave room for one token. */
export function checkLength(promptTokens: number, { contextLength }: FakeSettings): void {
  if (promptTokens === contextLength) throw ranged('max_tokens must be at least 1, got 0.', 'max_tokens', 0);
  if (promptTokens > contextLength)
    throw ranged(
      `This model's maximum context length is ${contextLength} tokens. However, your prompt contains ${promptTokens} input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt.`,
      'input_tokens',
      promptTokens,
    );
}

/** Token-id prompts, one or several. */
export function readPrompts(body: Fields, { vocabulary }: FakeSettings): readonly (readonly number[] | string)[] {
  const { prompt } = body;
  if (prompt === undefined || prompt === null)
    throw badRequest('Either prompt or prompt_embeds must be provided and non-empty. (parameter=prompt)', 'prompt');
  if (typeof prompt === 'string') return [prompt];
  if (!Array.isArray(prompt))
    throw invalid([{ type: 'list_type', loc: 'body.prompt', msg: 'Input should be a valid list', input: prompt }]);
  if (prompt.length === 0) throw badRequest('You must pass at least one prompt');
  const prompts = (Array.isArray(prompt[0]) || typeof prompt[0] === 'string' ? prompt : [prompt]) as (readonly number[] | string)[];
  for (const ids of prompts) {
    if (typeof ids === 'string') continue;
    for (let i = 0; i < ids.length; i++) {
      const id: unknown = ids[i];
      if (typeof id !== 'number' || !Number.isInteger(id)) throw invalid([unparsed(`body.prompt.${i}`, id)]);
      if (id < 0)
        throw invalid([
          { type: 'greater_than_equal', loc: `body.prompt.${i}`, msg: 'Input should be greater than or equal to 0', input: id },
        ]);
      if (id >= vocabulary) throw badRequest(`Token id ${id} is out of vocabulary`);
    }
  }
  return prompts;
}

function scriptOf(extra: unknown): readonly unknown[] | undefined {
  const script = typeof extra === 'object' && extra !== null ? (extra as Fields)['script'] : undefined;
  if (typeof script !== 'string') return undefined;
  try {
    const read: unknown = JSON.parse(script);
    if (Array.isArray(read)) return read as unknown[];
  } catch {
    // Said below.
  }
  throw badRequest('vllm_xargs.script is not a JSON array', 'vllm_xargs');
}

const unparsed = (loc: string, input: unknown): Finding => ({
  type: 'int_parsing',
  loc,
  msg: 'Input should be a valid integer, unable to parse string as an integer',
  input,
});

/** As Python writes it. */
const real = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));

const ranged = (message: string, param: string, value: number | string): Refusal =>
  badRequest(`${message} (parameter=${param}, value=${value})`, param);
