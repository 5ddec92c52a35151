/**
 * The token trace of an episode: ONE array of fixed-size records, so that ids, log-probs, flags and versions can never slip against each other.
 * A record is four 32-bit words: id (int), log-prob (float bits, nats, temperature 1; 0 where not sampled), flags, policy version.
 */
import { z } from 'zod';

export const TokenTrace = z.instanceof(Int32Array).refine((words) => words.length % 4 === 0, 'a trace is whole records of four words');
export type TokenTrace = Int32Array;

const WORDS = 4;

/** Sampled by the policy (trained), read from the prompt or environment (never trained), and, beside `sampled`, the stop token. */
export const flag = { sampled: 1, prompt: 2, stop: 4 } as const;

export interface TokenRecord {
  readonly id: number;
  readonly logprob: number;
  readonly flags: number;
  readonly policyVersion: number;
}

export const traceLength = (trace: TokenTrace): number => trace.length / WORDS;

export function recordAt(trace: TokenTrace, index: number): TokenRecord {
  const at = index * WORDS;
  const logprob = new Float32Array(trace.buffer, trace.byteOffset + (at + 1) * 4, 1)[0] as number;
  return { id: trace[at] as number, logprob, flags: trace[at + 2] as number, policyVersion: trace[at + 3] as number };
}

export const isSampled = (trace: TokenTrace, index: number): boolean => ((trace[index * WORDS + 2] as number) & flag.sampled) !== 0;

/** Records the policy sampled. */
export const sampledLength = (trace: TokenTrace): number => sampledBefore(trace, traceLength(trace));

/** Of the first `end` records, those the policy sampled. */
export function sampledBefore(trace: TokenTrace, end: number): number {
  let count = 0;
  // Word by word: whoever lists a run counts millions of records.
  for (let at = 2; at < end * WORDS; at += WORDS) if (((trace[at] as number) & flag.sampled) !== 0) count++;
  return count;
}

/** Every id of the trace, in order: what the policy is sent as its next prompt. */
export function traceIds(trace: TokenTrace): Int32Array {
  const ids = new Int32Array(trace.length / WORDS);
  for (let i = 0; i < ids.length; i++) ids[i] = trace[i * WORDS] as number;
  return ids;
}

/** A new trace: `trace` followed by tokens the policy only read. */
export function appendPrompt(trace: TokenTrace, ids: Int32Array, policyVersion: number): TokenTrace {
  const grown = grow(trace, ids.length);
  for (let i = 0; i < ids.length; i++) {
    const at = trace.length + i * WORDS;
    grown[at] = ids[i] as number;
    grown[at + 2] = flag.prompt;
    grown[at + 3] = policyVersion;
  }
  return grown;
}

/** A new trace: `trace` followed by tokens the policy sampled; `stopped` marks the last one as the sampled stop token. */
export function appendSampled(
  trace: TokenTrace,
  ids: Int32Array,
  logprobs: Float32Array,
  stopped: boolean,
  policyVersion: number,
): TokenTrace {
  if (ids.length !== logprobs.length) throw new RangeError(`${ids.length} ids with ${logprobs.length} log-probs`);
  const grown = grow(trace, ids.length);
  const floats = new Float32Array(grown.buffer);
  for (let i = 0; i < ids.length; i++) {
    const at = trace.length + i * WORDS;
    grown[at] = ids[i] as number;
    floats[at + 1] = logprobs[i] as number;
    grown[at + 2] = stopped && i === ids.length - 1 ? flag.sampled | flag.stop : flag.sampled;
    grown[at + 3] = policyVersion;
  }
  return grown;
}

function grow(trace: TokenTrace, records: number): TokenTrace {
  const grown = new Int32Array(trace.length + records * WORDS);
  grown.set(trace);
  return grown;
}
