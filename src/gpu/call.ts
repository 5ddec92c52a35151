/** One open model call as the broker books it, and the line it gets in a dump of who waits for what. */
import type { Bytes } from '../protocol/codec.ts';
import type { TroupeFault } from '../errors.ts';
import type { CallId, GroupId } from '../protocol/ids.ts';
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
  /** Times it was asked. */
  attempt: number;
  readonly since: number;
  askedAt: number;
  /** On the broker's clock. */
  due: number;
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
  readonly abort: AbortController;
  /** Answered, faulted or given up: whatever comes later is a no-op. */
  ended: boolean;
}

export function callOf(asked: Asked, groupAge: number, arrival: number, now: number): Call {
  const { request } = asked;
  return {
    id: request.id,
    group: request.group,
    asked,
    request,
    rank: [roleClass[request.role], request.priority, groupAge, arrival],
    waiters: new Set(),
    state: 'waiting',
    attempt: 0,
    since: now,
    askedAt: now,
    due: now + request.deadlineMs,
    batch: undefined,
  };
}

/** A line of the dump. */
export interface Wait {
  readonly call: CallId;
  readonly group: GroupId;
  readonly role: Role;
  readonly state: Call['state'];
  readonly attempt: number;
  /** Since it was first asked for, and since the engine was last asked. */
  readonly ageMs: number;
  readonly engineMs: number;
  readonly leftMs: number;
}

export const waitOf = (call: Call, now: number): Wait => ({
  call: call.id,
  group: call.group,
  role: call.request.role,
  state: call.state,
  attempt: call.attempt,
  ageMs: now - call.since,
  engineMs: call.state === 'asked' ? now - call.askedAt : 0,
  leftMs: call.due - now,
});
