/**
 * What the trainer made of the tokens it trained of one trace: ONE array of fixed-size records, so that the two figures can never slip against each other.
 * A record is two floats, one record a sampled token, in their order: its log-prob (nats) and the entropy (nats) of the distribution it came from, both at temperature 1.
 */
import { z } from 'zod';
import { sampledLength, type TokenTrace } from './trace.ts';

export const TokenSignals = z
  .instanceof(Float32Array)
  .refine((floats) => floats.length % 2 === 0, 'signals are whole records of two floats');
export type TokenSignals = z.infer<typeof TokenSignals>;

const FLOATS = 2;

export interface TokenSignal {
  readonly logprob: number;
  readonly entropy: number;
}

/** Throws RangeError where there are more of one than of the other. */
export function tokenSignals(logprobs: Float32Array, entropy: Float32Array): TokenSignals {
  if (logprobs.length !== entropy.length) throw new RangeError(`${logprobs.length} log-probs with ${entropy.length} entropies`);
  const signals = new Float32Array(FLOATS * logprobs.length);
  for (let i = 0; i < logprobs.length; i++) {
    signals[FLOATS * i] = logprobs[i] as number;
    signals[FLOATS * i + 1] = entropy[i] as number;
  }
  return signals;
}

/** Records: sampled tokens. */
export const signalsLength = (signals: TokenSignals): number => signals.length / FLOATS;

/** Signals of another number of tokens are some other trace's. */
export const areSignalsOf = (signals: TokenSignals, trace: TokenTrace): boolean => signalsLength(signals) === sampledLength(trace);

/** `index` counts sampled tokens. */
export const signalAt = (signals: TokenSignals, index: number): TokenSignal => ({
  logprob: signals[FLOATS * index] as number,
  entropy: signals[FLOATS * index + 1] as number,
});
