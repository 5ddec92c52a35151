/** What the broker offers and what it is told: the contract the pool, the policy update and the command line see. */
import type { Bytes } from '../protocol/codec.ts';
import type { Frame } from '../protocol/frame.ts';
import type { GroupEnvelope } from '../protocol/group.ts';
import type { ActorRefFrom } from 'xstate';
import type { brokerMachine } from '../machines/broker.ts';
import type { CallId, GroupId, PolicyVersion, StepId } from '../protocol/ids.ts';
import type { ChatReply, ChatRequest, TokenReply, TokenRequest } from '../protocol/inference.ts';
import type { Weights } from '../protocol/policy.ts';
import type { Seed } from '../random.ts';
import type { Asked, Wait } from './call.ts';
import type { Clock } from './clock.ts';
import type { Engine } from './engine.ts';
import type { SealedGroup } from './handover.ts';

export interface BrokerOptions {
  /** At least one, each with the same model: a lane each. */
  readonly engines: readonly Engine[];
  readonly clock: Clock;
  /** Where `call.asked`, its `call.part`s, `call.reply` and `group.sealed` go. */
  record(frame: Frame): void;
  /** The version that answers at the start, where it is known. */
  readonly version?: PolicyVersion;
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
  /** Between two readings of an engine's load, in ms. Default 500. */
  readonly pollMs?: number;
  /** The engine may hold one attempt this long; then it counts as stalled and the call is asked again. Default 60,000. */
  readonly stallMs?: number;
  /** The first rest of an opened circuit in ms; doubles up to 24 of them. Default 5,000. */
  readonly restMs?: number;
  /** How long publishing, lending and closing wait for what is in flight, and then for the engine, in ms. Default 60,000. */
  readonly patienceMs?: number;
  /** How long a publication that no engine could be reached for waits until one is back and has it, in ms. Default 0: it fails at once. */
  readonly recoveryMs?: number;
  /** Replies of an earlier process of this run. */
  recall?(id: CallId): Bytes | undefined;
  /** The chart of a lane's mode, not started yet, for whoever records it: `lane` counts the engines. Default: a chart that nobody watches. */
  chart?(lane: number): ActorRefFrom<typeof brokerMachine>;
  onMode?(mode: string, lane: string): void;
  /** Nothing ended for `stallMs` while calls were in flight: who waits for what. */
  onStall?(waits: Wait[]): void;
}

/** What one engine holds, and what waits for it. */
export interface Load {
  /** Of the lane; of the broker, that of every lane, or each mode with its count. */
  readonly mode: string;
  readonly waiting: number;
  /** Samples in flight, of so many that may be. */
  readonly inFlight: number;
  readonly limit: number;
  /** Share of the engine's slots that were in use, over the broker's life. */
  readonly occupancy: number;
}

export interface BrokerStatus extends Load {
  /** One per engine. */
  readonly lanes: readonly (Load & { readonly name: string })[];
  /** Open calls by the version that must answer; those that take any are under null. */
  readonly versions: readonly { readonly version: PolicyVersion | null; readonly open: number }[];
  /** Requests sent to the engine, merged ones once. */
  readonly asked: number;
  readonly answered: number;
  /** Calls answered from memory or joined to one in flight. */
  readonly recalled: number;
  /** Calls that rode on another's request. */
  readonly merged: number;
  readonly repeated: number;
  /** Times an engine refused a call for load, or was not there to take it. */
  readonly turnedAway: number;
  readonly faulted: number;
  readonly cancelled: number;
  /** Groups sealed, and results that came after their group was. */
  readonly sealed: number;
  readonly late: number;
}

export interface Broker {
  /** Rejects with EngineFault or CancelledFault. */
  generate(request: TokenRequest, signal: AbortSignal): Promise<TokenReply>;
  /** Absent where no engine can chat. Never for the policy: its turns are tokens in, tokens out. */
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
  /**
   * Hands weights to every engine. One that does not take them serves no more until it has; rejects with EngineFault when no engine took them, at once or,
   * where none could be reached, after `recoveryMs`.
   * Calls of a version that no engine answers any more end with EngineFault.
   */
  publish(weights: Weights): Promise<void>;
  /**
   * Hands the accelerator to the trainer: no call starts, those in flight end, the engines make room. The time of calls that wait stands still.
   * Harmless when it is lent already. Rejects with EngineFault when an engine does not make room; then all serve again.
   */
  suspend(): Promise<void>;
  /** Takes it back: every version answers as before. Harmless when it is not lent. Rejects with EngineFault when no engine woke. */
  resume(): Promise<void>;
  /** The engine of this lane was away and is said to be back: it is probed now. */
  returned(lane: number): void;
  status(): BrokerStatus;
  /** Every open call: who waits for what. */
  waits(): Wait[];
  /** Lets what is in flight end, rejects the rest. The engines stay open: their owner closes them. */
  close(): Promise<void>;
}
