/** What the broker offers and what it is told: the contract the pool, the policy update and the command line see. */
import type { Bytes } from '../protocol/codec.ts';
import type { Frame } from '../protocol/frame.ts';
import type { GroupEnvelope } from '../protocol/group.ts';
import type { CallId, GroupId, StepId } from '../protocol/ids.ts';
import type { ChatReply, ChatRequest, TokenReply, TokenRequest } from '../protocol/inference.ts';
import type { Weights } from '../protocol/policy.ts';
import type { Seed } from '../random.ts';
import type { Pressure } from './admission.ts';
import type { Asked, Wait } from './call.ts';
import type { Clock } from './clock.ts';
import type { Engine } from './engine.ts';
import type { SealedGroup } from './handover.ts';

export interface BrokerOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  /** Where `call.reply` and `group.sealed` go. */
  record(frame: Frame): void;
  /** Of the jitter. */
  readonly seed: Seed;
  /** Calls that may be open; one more is refused. Default 32,768. */
  readonly capacity?: number;
  /** Times one call is asked at most, the first time included. Default 3. */
  readonly attempts?: number;
  /** Repeats may be this share of all requests (and ten besides), so that they never become the load. Default 0.1. */
  readonly retryShare?: number;
  /** First pause before a repeat in ms; doubles, with full jitter. Default 100. */
  readonly backoffMs?: number;
  /** The engine may hold one attempt this long; then it counts as stalled and the call is asked again. Default 60,000. */
  readonly stallMs?: number;
  /** The first rest of an opened circuit in ms; doubles up to 24 of them. Default 5,000. */
  readonly restMs?: number;
  /** How long publishing and closing wait for the engine, in ms. Default 60,000. */
  readonly patienceMs?: number;
  /** Replies of an earlier process of this run. */
  recall?(id: CallId): Bytes | undefined;
  onMode?(mode: string): void;
  /** Nothing ended for `stallMs` while calls were in flight: who waits for what. */
  onStall?(waits: Wait[]): void;
}

interface BrokerStatus {
  readonly mode: string;
  readonly waiting: number;
  /** Samples in flight, of so many that may be. */
  readonly inFlight: number;
  readonly limit: number;
  /** Share of the engine's slots that were in use, over the broker's life. */
  readonly occupancy: number;
  /** Requests sent to the engine, merged ones once. */
  readonly asked: number;
  readonly answered: number;
  /** Calls answered from memory or joined to one in flight. */
  readonly recalled: number;
  /** Calls that rode on another's request. */
  readonly merged: number;
  readonly repeated: number;
  readonly faulted: number;
  readonly cancelled: number;
  /** Groups sealed, and results that came after their group was. */
  readonly sealed: number;
  readonly late: number;
}

export interface Broker {
  /** Rejects with EngineFault or CancelledFault. */
  generate(request: TokenRequest, signal: AbortSignal): Promise<TokenReply>;
  /** Absent where the engine cannot chat. */
  chat?(request: ChatRequest, signal: AbortSignal): Promise<ChatReply>;
  /** The same as packed bytes, for askers in other threads: packed once for the journal and the wire. */
  ask(asked: Asked, signal: AbortSignal): Promise<Bytes>;
  /** Gives up every call of the group, and forgets its replies. */
  abandon(group: GroupId): void;
  /** Resolves with the step's sealed groups, in the order of `groups`, when the last is sealed. */
  expect(step: StepId, groups: readonly GroupId[]): Promise<SealedGroup[]>;
  /** Still awaited and not sealed. */
  isAwaited(step: StepId, group: GroupId): boolean;
  /** Records the group and counts it towards its step; false for a late one. */
  seal(envelope: GroupEnvelope, bytes: Bytes): boolean;
  /** Forgets a step that was given up; its promise stays pending. */
  abandonStep(step: StepId): void;
  publish(weights: Weights): Promise<void>;
  /** A reading of the engine's load moves the admission window. */
  feel(pressure: Pressure): void;
  status(): BrokerStatus;
  /** Every open call: who waits for what. */
  waits(): Wait[];
  /** Lets what is in flight end, rejects the rest. The engine stays open: its owner closes it. */
  close(): Promise<void>;
}
