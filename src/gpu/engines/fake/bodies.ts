/** Writes replies as vLLM 0.32 writes them, field by field and in its order. Strings are put together by hand: a bench asks for hundreds of megabytes of them. */
import { emptyChain, type Chain } from './chain.ts';
import type { Sampling } from './request.ts';
import { logprobsOf, type Said } from './speech.ts';
import { textOf, wordOf } from './words.ts';

export type Finish = 'stop' | 'length' | 'abort';

/** One reply of a completion. */
export interface Choice {
  readonly promptIds: ArrayLike<number> & { readonly length: number };
  readonly prompt: Chain;
  readonly weights: number;
  readonly said: Said;
  readonly finish: Finish;
  /** The stop id that ended it, unless the model's own end did. */
  readonly stopReason: number | null;
}

export interface Reply {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly fingerprint: string;
}

export interface Usage {
  readonly prompt: number;
  readonly completion: number;
  readonly cached: number | undefined;
}

/** A chat's usage says how many prompt tokens entered the cache; a completion's leaves it out. */
const usageOf = ({ prompt, completion, cached }: Usage, isChat: boolean): string =>
  `{"prompt_tokens":${prompt},"total_tokens":${prompt + completion},"completion_tokens":${completion},"prompt_tokens_details":${
    cached === undefined
      ? 'null'
      : `{"cached_tokens":${cached},"created_cache_tokens":${isChat ? prompt - cached : 'null'},"multimodal_tokens":null}`
  },"completion_tokens_details":null}`;

const tail = '"kv_transfer_params":null,"ec_transfer_params":null,"metrics":null}';
const opened = ({ id, created, model }: Reply, object: string): string =>
  `{"id":${JSON.stringify(id)},"object":"${object}","created":${created},"model":${JSON.stringify(model)},"choices":[`;
const closed = ({ fingerprint }: Reply, usage: Usage, isChat = false): string =>
  `],"service_tier":null,"system_fingerprint":${JSON.stringify(fingerprint)},"usage":${usageOf(usage, isChat)},`;

/** `choices` in the order prompts × samples. */
export function completionReply(
  reply: Reply,
  choices: readonly Choice[],
  { logprobs, promptLogprobs, tokenIds }: Sampling,
  usage: Usage,
): string {
  let text = opened(reply, 'text_completion');
  let shown: Choice['promptIds'] | undefined;
  let promptText = '';
  choices.forEach((choice, index) => {
    const { said, promptIds, prompt, weights, finish, stopReason } = choice;
    if (tokenIds && promptIds !== shown) {
      shown = promptIds;
      promptText = `[${Array.prototype.join.call(promptIds, ',')}]`;
    }
    const cut = finish === 'stop' ? said.ids.slice(0, -1) : said.ids;
    text += `${index === 0 ? '' : ','}{"index":${index},"text":"${textOf(cut)}","logprobs":`;
    text += logprobs === undefined ? 'null' : logprobsText(prompt, weights, said.ids, logprobs);
    text += `,"finish_reason":"${finish}","stop_reason":${stopReason},"token_ids":${tokenIds ? `[${said.ids.join(',')}]` : 'null'}`;
    text += `,"prompt_logprobs":${promptLogprobs === undefined ? 'null' : promptScores(promptIds, weights)}`;
    text += `,"prompt_token_ids":${tokenIds ? promptText : 'null'},"routed_experts":null}`;
  });
  return text + closed(reply, usage) + tail;
}

/** With `logprobs` alternatives a position, worse ones than the sampled token. */
function logprobsText(prompt: Chain, weights: number, ids: readonly number[], logprobs: number): string {
  const written = logprobsOf(prompt, weights, ids);
  let offsets = '';
  let tokens = '';
  let top = '';
  let offset = 0;
  for (let i = 0; i < ids.length; i++) {
    const comma = i === 0 ? '' : ',';
    const word = wordOf(ids[i] as number);
    offsets += comma + offset;
    offset += word.length;
    tokens += `${comma}"${word}"`;
    top += `${comma}{"${word}":${written[i]}${others(ids[i] as number, written[i] as string, logprobs)}}`;
  }
  return `{"text_offset":[${offsets}],"token_logprobs":[${written.join(',')}],"tokens":[${tokens}],"top_logprobs":[${top}]}`;
}

/** The sampled token is the best of `count`, so `count` − 1 others follow. */
function others(id: number, written: string, count: number): string {
  let text = '';
  for (let k = 1; k < count; k++) text += `,"${wordOf(id + k)}":${Math.fround(Number(written) - k)}`;
  return text;
}

function promptScores(ids: ArrayLike<number>, weights: number): string {
  const written = logprobsOf(emptyChain, weights, ids);
  const entries = written.map((logprob, i) =>
    i === 0 ? 'null' : `{"${ids[i]}":{"logprob":${logprob},"rank":1,"decoded_token":"${wordOf(ids[i] as number)}"}}`,
  );
  return `[${entries.join(',')}]`;
}

/** One reply of a chat: its text beside the ids that stand for it. */
export interface Spoken extends Choice {
  readonly text: string;
}

export function chatReply(
  reply: Reply,
  choices: readonly Spoken[],
  { logprobs, promptLogprobs, tokenIds }: Sampling,
  usage: Usage,
): string {
  const written = choices.map(({ text, prompt, weights, said, finish, stopReason }, index) => {
    const scored = logprobs === undefined ? null : { content: contentLogprobs(prompt, weights, said.ids, logprobs) };
    const message = {
      role: 'assistant',
      content: text,
      refusal: null,
      annotations: null,
      audio: null,
      function_call: null,
      reasoning: null,
    };
    return JSON.stringify({
      index,
      message,
      logprobs: scored,
      finish_reason: finish,
      stop_reason: stopReason,
      token_ids: tokenIds ? said.ids : null,
      routed_experts: null,
    });
  });
  const [first] = choices;
  const ids = tokenIds && first !== undefined ? `[${Array.prototype.join.call(first.promptIds, ',')}]` : 'null';
  const scores = promptLogprobs === undefined || first === undefined ? 'null' : promptScores(first.promptIds, first.weights);
  return `${opened(reply, 'chat.completion')}${written.join(',')}${closed(reply, usage, true)}"prompt_logprobs":${scores},"prompt_token_ids":${ids},"prompt_text":null,${tail}`;
}

function contentLogprobs(prompt: Chain, weights: number, ids: readonly number[], top: number): object[] {
  const written = logprobsOf(prompt, weights, ids);
  return ids.map((id, i) => {
    const entry = (other: number, logprob: number): object => {
      const token = wordOf(other);
      return { token, logprob, bytes: [...Buffer.from(token)] };
    };
    const logprob = Number(written[i]);
    return { ...entry(id, logprob), top_logprobs: Array.from({ length: top }, (_, k) => entry(id + k, Math.fround(logprob - k))) };
  });
}
