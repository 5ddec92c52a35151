/** Does a reply answer its request? Engines are not trusted: what passes here may become a training sample. Knows shapes and the contract, not meaning. */
import { EngineFault } from '../errors.ts';
import { ChatReply, type ChatRequest, type TokenReply, type TokenRequest, type TokenSample } from '../protocol/inference.ts';

/** Returns the reply, or throws EngineFault with what is wrong. */
export function checkedTokens(reply: TokenReply, request: TokenRequest): TokenReply {
  const complaint = complaintOf(reply, request);
  if (complaint !== undefined) throw new EngineFault(`malformed reply: ${complaint}`, { raw: preview(reply), trouble: 'malformed' });
  return reply;
}

export function checkedChat(reply: ChatReply, request: ChatRequest): ChatReply {
  const read = ChatReply.safeParse(reply);
  if (!read.success) throw new EngineFault('malformed reply: not a chat reply', { raw: preview(reply), trouble: 'malformed' });
  if (read.data.id !== request.id)
    throw new EngineFault(`malformed reply: it answers ${read.data.id}`, { raw: preview(reply), trouble: 'malformed' });
  return read.data;
}

function complaintOf(reply: TokenReply, request: TokenRequest): string | undefined {
  if (reply === null || typeof reply !== 'object') return 'not an object';
  if (reply.id !== request.id) return `it answers ${String(reply.id)}`;
  if (!Number.isInteger(reply.version) || reply.version < 0) return 'no version';
  if (request.version !== null && reply.version !== request.version)
    return `version ${reply.version} answered, ${request.version} was asked`;
  if (!Array.isArray(reply.samples) || reply.samples.length !== request.n)
    return `${reply.samples?.length ?? 'no'} samples instead of ${request.n}`;
  for (const sample of reply.samples) {
    const complaint = sampleComplaint(sample, request);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

function sampleComplaint({ ids, logprobs, finish }: TokenSample, request: TokenRequest): string | undefined {
  if (!(ids instanceof Int32Array) || !(logprobs instanceof Float32Array)) return 'ids or log-probs of another type';
  if (ids.length === 0) return 'a sample without a token';
  if (ids.length !== logprobs.length) return `${ids.length} ids with ${logprobs.length} log-probs`;
  if (ids.length > request.maxTokens) return `${ids.length} tokens where ${request.maxTokens} were allowed`;
  for (let i = 0; i < ids.length; i++) {
    const logprob = logprobs[i] as number;
    // Written so that NaN fails too.
    if (!(logprob <= 0 && logprob > -Infinity)) return `a log-prob of ${logprob}`;
    if ((ids[i] as number) < 0) return `a token id of ${ids[i]}`;
  }
  if (finish !== 'stop' && finish !== 'length') return `an end called ${String(finish)}`;
  if (finish === 'stop' && !request.stop.includes(ids.at(-1) as number)) return 'an end by `stop` without a stop token';
  return undefined;
}

function preview(reply: unknown): string {
  try {
    return (
      JSON.stringify(reply, (_, value: unknown) => (ArrayBuffer.isView(value) ? Array.from(value as Int32Array) : value)) ?? String(reply)
    );
  } catch {
    return 'unprintable';
  }
}
