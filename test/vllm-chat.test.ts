import { describe, expect, test } from 'vitest';
import { CancelledFault, EngineFault } from '../src/errors.ts';
import { createChat } from '../src/gpu/engines/vllm/chat.ts';
import type { Http, HttpReply } from '../src/gpu/engines/vllm/http.ts';
import type { CallId, GroupId } from '../src/protocol/ids.ts';
import type { ChatRequest } from '../src/protocol/inference.ts';

const request: ChatRequest = {
  id: 'call' as CallId,
  role: 'judge',
  messages: [{ role: 'user', content: 'Was it served?' }],
  seed: 7,
  maxTokens: 20,
  temperature: 1,
  priority: 3,
  group: 's00001.t000' as GroupId,
  deadlineMs: 1000,
};
const completion = {
  model: 'base',
  choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 12, completion_tokens: 2 },
};

type Sent = Parameters<Http['send']>[0];

/** A server that answers every exchange alike, and what it was sent. */
function answering(answer: () => Promise<HttpReply>) {
  const sent: Sent[] = [];
  const http: Http = {
    url: 'http://server',
    send: (exchange) => {
      sent.push(exchange);
      return answer();
    },
    close: () => Promise.resolve(),
  };
  return { sent, http };
}
const said = (status: number, text: string) => answering(() => Promise.resolve({ status, text }));
const failing = (fault: Error) => answering(() => Promise.reject(fault));

describe.each([
  { server: 'a vLLM server', extended: true },
  { server: 'a server of another make', extended: false },
])('a chat with $server', ({ extended }) => {
  const ask = ({ http }: { http: Http }, signal = new AbortController().signal) =>
    createChat({ http, model: 'base', dialect: () => ({ extended, priorities: extended }) })(request, signal);

  test('is one exchange under the call’s own deadline and signal', async () => {
    const server = said(200, JSON.stringify(completion));
    const { signal } = new AbortController();
    const end = await ask(server, signal);
    expect(end).toEqual({
      reply: { id: 'call', text: 'yes', finish: 'stop', model: 'base', usage: { prompt: 12, reply: 2 } },
      promptTokens: 12,
      sampledTokens: 2,
    });
    expect(server.sent).toHaveLength(1);
    expect(server.sent[0]).toMatchObject({ method: 'POST', path: '/v1/chat/completions', deadlineMs: 1000, signal });
  });

  test.each([
    undefined,
    null,
    { prompt_tokens: 12 },
    { prompt_tokens: -1, completion_tokens: 2 },
    { prompt_tokens: '12', completion_tokens: 1e99 },
  ])('says nothing of tokens where the server counts none: %j', async (usage) => {
    const { reply } = await ask(said(200, JSON.stringify({ ...completion, usage })));
    expect(reply).toEqual({ id: 'call', text: 'yes', finish: 'stop', model: 'base' });
  });

  test('sends what any server knows, and fields of vLLM’s own to vLLM alone', async () => {
    const server = said(200, JSON.stringify(completion));
    await ask(server);
    const body = JSON.parse(server.sent[0]?.body ?? '') as Record<string, unknown>;
    expect(body).toMatchObject({ model: 'base', messages: request.messages, n: 1, seed: 7, max_tokens: 20, temperature: 1 });
    expect('chat_template_kwargs' in body).toBe(extended);
    expect('priority' in body).toBe(extended);
  });

  test('keeps the trouble of a refusal, with the server’s words', async () => {
    const end = ask(said(503, JSON.stringify({ error: { message: 'the queue is full' } })));
    await expect(end).rejects.toMatchObject({ name: 'EngineFault', trouble: 'overloaded' });
    await expect(end).rejects.toThrow('the queue is full');
  });

  test.each(['<html>', '{"model":"ba', ''])('calls %j malformed', async (text) => {
    await expect(ask(said(200, text))).rejects.toMatchObject({ name: 'EngineFault', trouble: 'malformed' });
  });

  test.each([
    ['another model', { ...completion, model: 'other' }],
    ['no choice', { ...completion, choices: [] }],
    ['no text', { ...completion, choices: [{ ...completion.choices[0], message: {} }] }],
    ['an end of another kind', { ...completion, choices: [{ ...completion.choices[0], finish_reason: 'tool_calls' }] }],
  ])('calls a reply with %s malformed', async (_, body) => {
    await expect(ask(said(200, JSON.stringify(body)))).rejects.toMatchObject({ name: 'EngineFault', trouble: 'malformed' });
  });

  test('ends with the fault of the exchange, and asks once only', async () => {
    const stalled = failing(new EngineFault('no reply within 1000 ms', { trouble: 'stalled' }));
    await expect(ask(stalled)).rejects.toMatchObject({ name: 'EngineFault', trouble: 'stalled' });
    expect(stalled.sent).toHaveLength(1);
    await expect(ask(failing(new CancelledFault('cancelled')))).rejects.toBeInstanceOf(CancelledFault);
  });
});
