/** What the broker needs of whatever samples tokens. Implementations: engines/scripted (reference, tests), engines/embedded, engines/vllm. One conformance suite for all. */
import type { ChatReply, ChatRequest, TokenReply, TokenRequest } from '../protocol/inference.ts';
import type { Weights } from '../protocol/policy.ts';
import type { Pressure } from './admission.ts';

export interface EngineMetrics {
  /** Calls answered since the start. */
  readonly calls: number;
  readonly promptTokens: number;
  /** Prompt tokens answered from retained key-value state. */
  readonly cachedTokens: number;
  readonly sampledTokens: number;
  readonly busySeconds: number;
}

export interface Engine {
  readonly name: string;
  /** Tokens a request may hold, prompt and reply together. */
  readonly contextLength: number;
  /** How many calls it can usefully hold at once: the broker's window starts here. */
  readonly concurrency: number;
  /**
   * The policy's turns: tokens in, tokens out. Log-probs are of the distribution sampled from; at temperature 0, which has none, of temperature 1.
   * Rejects with EngineFault; aborting `signal` rejects with CancelledFault and frees the slot.
   */
  generate(request: TokenRequest, signal: AbortSignal): Promise<TokenReply>;
  /** Absent where the engine cannot play simulators; a config that needs it is then refused at the start. */
  chat?(request: ChatRequest, signal: AbortSignal): Promise<ChatReply>;
  /** Versions it can answer at once. 1: a publication replaces what answered before; more: calls of the older ones go on while a new one is loaded. */
  readonly versions: number;
  /**
   * Makes `weights.version` answer from now on; resolves when it does. With `versions` 1, requests for an older version are refused from then on;
   * otherwise the newest `versions` answer, and an older one is unloaded after its last request, at a later publication.
   */
  publish(weights: Weights): Promise<void>;
  /** A reading of its load, which moves the broker's window; absent where it reports none. */
  pressure?(signal: AbortSignal): Promise<Pressure>;
  /** Gives the accelerator's memory to the trainer until `wake`; only called with nothing in flight. Absent where both need not share. After `wake` every version answers again. */
  sleep?(): Promise<void>;
  wake?(): Promise<void>;
  metrics(): Promise<EngineMetrics>;
  close(): Promise<void>;
}
