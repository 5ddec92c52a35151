/**
 * ChatRequest ⇄ /v1/chat/completions: how simulators are asked. A server of any other make is asked by the `openai` client, whose quirks of that interface are known;
 * vLLM by a plain POST, since the client costs ten times as much a call (65 µs of the processor for 6, and 50 kB of garbage). Either way over our own HTTP, so that one
 * deadline, one byte bound and one abort cover these calls too; nothing is ever repeated here, since that is the broker's to decide.
 */
import OpenAI from 'openai';
import { asFault, EngineFault, TroupeFault } from '../../../errors.ts';
import type { ChatReply, ChatRequest } from '../../../protocol/inference.ts';
import type { Http } from './http.ts';
import { isRecord, isSuccess, parsed, refusalOf } from './refusal.ts';

export const CHAT = '/v1/chat/completions';

export interface ChatEnd {
  readonly reply: ChatReply;
  readonly promptTokens: number;
  readonly sampledTokens: number;
}

export interface ChatOptions {
  readonly http: Http;
  /** Name of the frozen base. */
  readonly model: string;
  readonly dialect: () => Dialect;
}

/** What a server takes beside the common fields: others refuse those they do not know. */
export interface Dialect {
  /** vLLM's own sampling and template fields. */
  readonly extended: boolean;
  /** Priorities other than 0. */
  readonly priorities: boolean;
}

/** Asks the frozen base, whatever the role. Rejects with EngineFault or CancelledFault. */
export type Chat = (request: ChatRequest, signal: AbortSignal) => Promise<ChatEnd>;

/** Names the exchange a call of the client belongs to; it never leaves this process. */
const CALL = 'x-troupe-call';

interface Exchange {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** What really went wrong: the client wraps it, and drops it where it looks like a timeout. */
  fault?: TroupeFault;
}

export function createChat({ http, model, dialect }: ChatOptions): Chat {
  let client: Ask | undefined;
  return async (request, signal) => {
    const spoken = dialect();
    const body = chatBody(request, model, spoken);
    const ask = spoken.extended ? plainly(http) : (client ??= byClient(http));
    return readChat(await ask(body, { deadlineMs: request.deadlineMs, signal }), request, model);
  };
}

/** The reply's body, parsed and not looked at. */
type Ask = (body: object, exchange: Exchange) => Promise<unknown>;

const notJson = (raw?: string, cause?: unknown): EngineFault =>
  new EngineFault('malformed chat reply: not JSON', { raw, cause, trouble: 'malformed' });

const plainly =
  (http: Http): Ask =>
  async (body, exchange) => {
    const reply = await http.send({ method: 'POST', path: CHAT, body: JSON.stringify(body), ...exchange });
    if (!isSuccess(reply)) throw refusalOf(reply, `POST ${CHAT}`);
    const completion = parsed(reply.text);
    if (completion === undefined) throw notJson(reply.text);
    return completion;
  };

function byClient(http: Http): Ask {
  const exchanges = new Map<string, Exchange>();
  let serial = 0;

  const send = async (_: unknown, init?: RequestInit): Promise<Response> => {
    const exchange = exchanges.get(new Headers(init?.headers).get(CALL) ?? '');
    if (exchange === undefined || typeof init?.body !== 'string') throw new EngineFault('a chat call that nobody made');
    try {
      const reply = await http.send({
        method: 'POST',
        path: CHAT,
        body: init.body,
        deadlineMs: exchange.deadlineMs,
        signal: exchange.signal,
      });
      if (!isSuccess(reply)) throw refusalOf(reply, `POST ${CHAT}`);
      // The client parses a body by its content type only.
      return new Response(reply.text, { status: 200, headers: { 'content-type': 'application/json' } });
    } catch (error) {
      exchange.fault = asFault(EngineFault, `POST ${CHAT}`, error);
      throw exchange.fault;
    }
  };
  const client = new OpenAI({
    apiKey: 'none',
    baseURL: `${http.url}/v1`,
    maxRetries: 0,
    timeout: 2 ** 31 - 1,
    fetch: send,
    // Else the client reads OPENAI_ORG_ID and its like from the environment.
    organization: null,
    project: null,
  });

  return async (body, { deadlineMs, signal }) => {
    const call = String(serial++);
    const exchange: Exchange = { deadlineMs, signal };
    exchanges.set(call, exchange);
    try {
      const asked = body as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming;
      return await client.chat.completions.create(asked, { headers: { [CALL]: call } });
    } catch (error) {
      if (error instanceof TroupeFault) throw error;
      // What the client itself rejects is a body it could not parse.
      throw exchange.fault ?? notJson(undefined, error);
    } finally {
      exchanges.delete(call);
    }
  };
}

export function chatBody(
  request: Omit<ChatRequest, 'id' | 'role' | 'group' | 'deadlineMs'>,
  model: string,
  { extended, priorities }: Dialect,
): object {
  const { messages, schema, seed, maxTokens, temperature, priority } = request;
  return {
    model,
    messages,
    n: 1,
    seed,
    max_tokens: maxTokens,
    temperature,
    top_p: 1,
    ...(schema === undefined ? {} : { response_format: { type: 'json_schema', json_schema: { name: 'reply', schema, strict: true } } }),
    ...(extended && priorities ? { priority } : {}),
    // A simulator that thinks aloud would fill its few tokens before it answers.
    ...(extended ? { top_k: -1, min_p: 0, repetition_penalty: 1, chat_template_kwargs: { enable_thinking: false } } : {}),
  };
}

/** Throws EngineFault (malformed) with what is wrong. */
function readChat(completion: unknown, { id }: ChatRequest, model: string): ChatEnd {
  const complain = (what: string): never => {
    throw new EngineFault(`malformed chat reply: ${what}`, { raw: JSON.stringify(completion)?.slice(0, 2000), trouble: 'malformed' });
  };
  if (!isRecord(completion)) return complain('no JSON object');
  if (completion['model'] !== model) return complain(`${JSON.stringify(completion['model'])} answered, ${JSON.stringify(model)} was asked`);
  const choices = completion['choices'];
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  if (!Array.isArray(choices) || choices.length !== 1 || !isRecord(choice)) return complain('not one choice');
  const finish = choice['finish_reason'];
  if (finish !== 'stop' && finish !== 'length') return complain(`an end called ${JSON.stringify(finish)}`);
  const text = isRecord(choice['message']) ? choice['message']['content'] : undefined;
  if (typeof text !== 'string') return complain('no text');
  const usage = usageOf(completion['usage']);
  return {
    reply: { id, text, finish, model, ...(usage === undefined ? {} : { usage }) },
    promptTokens: usage?.prompt ?? 0,
    sampledTokens: usage?.reply ?? 0,
  };
}

/** Undefined where the server does not count, or counts strangely: no reply is refused for it. */
function usageOf(usage: unknown): ChatReply['usage'] {
  if (!isRecord(usage)) return undefined;
  const prompt = usage['prompt_tokens'];
  const reply = usage['completion_tokens'];
  return isCount(prompt) && isCount(reply) ? { prompt, reply } : undefined;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
