/** One open model call as the broker books it, and the line it gets in a dump of who waits for what. */
import type { Bytes } from '../protocol/codec.ts';
import type { TroupeFault } from '../errors.ts';
import type { CallId, GroupId, PolicyVersion } from '../protocol/ids.ts';
import type { ChatRequest, Role, TokenRequest } from '../protocol/inference.ts';
import { roleClass, type Rank } from './queue.ts';

export type Asked = { readonly kind: 'tokens'; readonly request: TokenRequest } | { readonly kind: 'chat'; readonly request: ChatRequest };

interface Waiter {
  resolve(bytes: Bytes): void;
  reject(fault: TroupeFault): void;
}

export interface Call {
  readonly id: CallId;
  readonly group: GroupId;
  readonly asked: Asked;
  readonly request: Asked['request'];
  readonly rank: Rank;
  readonly waiters: Set<Waiter>;
  /** waiting for a slot → asked of the engine → (resting before a repeat → waiting)* → ended. */
  state: 'waiting' | 'asked' | 'resting' | 'ended';
  /** Which lane it waits at, or was last asked at. */
  lane: number;
  /** Times it was asked, and times of these that the engine was too busy to take it. */
  attempt: number;
  turnedAway: number;
  readonly since: number;
  askedAt: number;
  /** On the broker's clock, unless it is held. */
  due: number;
  /** What is left of its time, while that stands still. */
  held: number | undefined;
  /** Takes the deadline back. */
  disarm?: () => void;
  /** Takes the end of a rest back. */
  rouse?: () => void;
  /** The request to the engine it is part of. */
  batch: Batch | undefined;
}

/** Calls that share one request to the engine. */
export interface Batch {
  readonly calls: readonly Call[];
  readonly samples: number;
  readonly askedAt: number;
  readonly abort: AbortController;
  /** Takes the bound on the engine's silence back. */
  disarm(): void;
  /** Where its dispatch keeps it. */
  slot: number;
  /** Answered, faulted or given up: whatever comes later is a no-op. */
  ended: boolean;
}

/** `step` and `group`: how many came before. */
export function callOf(asked: Asked, age: { readonly step: number; readonly group: number }, arrival: number, now: number): Call {
  const { request } = asked;
  return {
    id: request.id,
    group: request.group,
    asked,
    request,
    rank: [age.step, roleClass[request.role], request.priority, age.group, arrival],
    waiters: new Set(),
    state: 'waiting',
    lane: -1,
    attempt: 0,
    turnedAway: 0,
    since: now,
    askedAt: now,
    due: now + request.deadlineMs,
    held: undefined,
    batch: undefined,
  };
}

/** The version that must answer; null = the newest, or the frozen base. */
export const versionOf = ({ asked }: Call): PolicyVersion | null => (asked.kind === 'tokens' ? asked.request.version : null);

/** Nobody else waits for the request it is part of. */
export const isLastOfBatch = (call: Call): boolean =>
  call.batch === undefined || call.batch.calls.every((other) => other === call || other.state === 'ended');

export const samplesOf = ({ asked }: Call): number => (asked.kind === 'tokens' ? asked.request.n : 1);

/**
 * answer: the engine has it; slot: the lane's window is full; pause: before a repeat; circuit: the lane's engine fails; publication: new weights are on their way;
 * loan: the trainer has the accelerator; start, close: the lane is not there yet, or not any more.
 */
export type WaitsFor = 'answer' | 'slot' | 'pause' | 'circuit' | 'publication' | 'loan' | 'start' | 'close';

/** A line of the dump. */
export interface Wait {
  readonly call: CallId;
  readonly group: GroupId;
  readonly role: Role;
  readonly lane: string;
  readonly state: Call['state'];
  readonly waitsFor: WaitsFor;
  readonly attempt: number;
  /** Since it was first asked for, and since the engine was last asked. */
  readonly ageMs: number;
  readonly engineMs: number;
  readonly leftMs: number;
}

/** `lane`: its name, and what calls that wait there wait for. */
export const waitOf = (call: Call, now: number, lane: { readonly name: string; waitsFor(call: Call): WaitsFor }): Wait => ({
  call: call.id,
  group: call.group,
  role: call.request.role,
  lane: lane.name,
  state: call.state,
  waitsFor: call.state === 'asked' ? 'answer' : call.state === 'resting' ? 'pause' : lane.waitsFor(call),
  attempt: call.attempt,
  ageMs: now - call.since,
  engineMs: call.state === 'asked' ? now - call.askedAt : 0,
  leftMs: call.held ?? call.due - now,
});
