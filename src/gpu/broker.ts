/**
 * The broker: every model call of a run passes here on its way to the engine. Plain code around a queue; the mode chart (machines/broker.ts) decides
 * whether calls may start. It answers a repeated call from memory, ends every wait, and reads neither prompts nor groups.
 */
import { createActor } from 'xstate';
import { CancelledFault, EngineFault, asFault, type TroupeFault } from '../errors.ts';
import { brokerMachine } from '../machines/broker.ts';
import { unpack, type Bytes } from '../protocol/codec.ts';
import type { CallId, GroupId } from '../protocol/ids.ts';
import type { ChatReply, ChatRequest, TokenReply } from '../protocol/inference.ts';
import { seedOf, uniform } from '../random.ts';
import { adjust, admissionOf, isThrottled, type Admission } from './admission.ts';
import { firstRestMs } from './breaker.ts';
import type { Broker, BrokerOptions } from './broker-contract.ts';
import { callOf, waitOf, type Asked, type Batch, type Call, type Wait } from './call.ts';
import { createCircuit, within } from './circuit.ts';
import { Dispatch, saysOfEngine, type BatchEnd } from './dispatch.ts';
import { Handover } from './handover.ts';
import { ReplyMemory } from './replies.ts';

export type { Broker, BrokerOptions } from './broker-contract.ts';

export function createBroker(options: BrokerOptions): Broker {
  const { engine, clock, seed } = options;
  const {
    capacity = 32_768,
    attempts = 3,
    retryShare = 0.1,
    backoffMs = 100,
    stallMs = 60_000,
    patienceMs = 60_000,
    restMs = firstRestMs,
  } = options;
  const open = new Map<CallId, Call>();
  const groupAge = new Map<GroupId, number>();
  const replies = new ReplyMemory((id) => options.recall?.(id));
  const handover = new Handover();
  const count = { answered: 0, recalled: 0, repeated: 0, faulted: 0, cancelled: 0, sealed: 0, late: 0 };
  let admission: Admission = admissionOf(engine.concurrency);
  let arrivals = 0;
  let groups = 0;
  let lastAnswer = clock.now();

  const mode = createActor(brokerMachine);
  const modeName = (): string => {
    const value: unknown = mode.getSnapshot().value;
    return typeof value === 'string'
      ? value
      : Object.entries(value as Record<string, string>)
          .flat()
          .join('.');
  };
  const waits = (): Wait[] => [...open.values()].map((call) => waitOf(call, clock.now()));

  /** One real token: an engine's word about its own health is not asked (it is known to lie). */
  const probe = async (signal: AbortSignal): Promise<void> => {
    const asked = [...open.values()].map((call) => call.asked).find(({ kind }) => kind === 'tokens');
    if (asked?.kind === 'tokens')
      await engine.generate({ ...asked.request, id: `${asked.request.id}/probe` as CallId, n: 1, maxTokens: 1 }, signal);
    else await engine.metrics();
  };
  const circuit = createCircuit({ clock, seed, mode, probeMs: stallMs, restMs, probe });

  const settle = ({ calls }: Batch, end: BatchEnd): void => {
    const ok = Array.isArray(end);
    if (saysOfEngine(end)) circuit.book(ok);
    if (ok) lastAnswer = clock.now();
    calls.forEach((call, i) => {
      if (end instanceof Error) return repeatOrFail(call, end);
      const bytes = end[i] as Bytes;
      // Kept and recorded even if nobody waits any more: an asker that comes back pays nothing.
      replies.keep(call.id, call.group, bytes);
      options.record({ kind: 'call.reply', id: call.id, group: call.group, bytes });
      if (call.state === 'ended') return;
      count.answered++;
      close(call);
      for (const waiter of call.waiters) waiter.resolve(bytes);
    });
  };
  const dispatch = new Dispatch({
    engine,
    clock,
    stallMs,
    admission: () => admission,
    serving: () => mode.getSnapshot().hasTag('serving'),
    ended: settle,
    stalled: () => {
      if (clock.now() - lastAnswer >= stallMs) options.onStall?.(waits());
    },
  });

  const close = (call: Call): void => {
    call.disarm?.();
    call.rouse?.();
    open.delete(call.id);
    dispatch.drop(call);
  };
  const fail = (call: Call, fault: TroupeFault): void => {
    if (call.state === 'ended') return;
    count[fault instanceof CancelledFault ? 'cancelled' : 'faulted']++;
    close(call);
    for (const waiter of call.waiters) waiter.reject(fault);
  };
  const repeatOrFail = (call: Call, fault: TroupeFault): void => {
    if (call.state === 'ended') return;
    const pause = backoffMs * 2 ** (call.attempt - 1) * uniform(seedOf(seed, 'backoff', call.id), call.attempt);
    const mayRepeat = call.attempt < attempts && count.repeated < 10 + retryShare * dispatch.asked && !(fault instanceof CancelledFault);
    if (!mayRepeat || clock.now() + pause >= call.due) return fail(call, fault);
    count.repeated++;
    call.state = 'resting';
    call.batch = undefined;
    call.rouse = clock.after(pause, () => dispatch.enqueue(call));
  };
  const arm = (call: Call): void => {
    call.disarm?.();
    call.disarm = clock.after(call.due - clock.now(), () => {
      // Time that passed in the queue says nothing about the engine; time that passed inside it does.
      if (call.state === 'asked') circuit.book(false);
      fail(call, new EngineFault(`no answer to ${call.id} within its deadline; it was ${call.state}`));
    });
  };

  /** One asker more of this call. The last one that cancels takes the call with it; one that merely dies does not. */
  const attend = (call: Call, signal: AbortSignal): Promise<Bytes> =>
    new Promise((resolve, reject) => {
      const leave = (): void => signal.removeEventListener('abort', cancel);
      const waiter = {
        resolve: (bytes: Bytes): void => {
          leave();
          resolve(bytes);
        },
        reject: (fault: TroupeFault): void => {
          leave();
          reject(fault);
        },
      };
      const cancel = (): void => {
        const fault = new CancelledFault(`call ${call.id} was cancelled`);
        if (call.waiters.size === 1) return fail(call, fault);
        call.waiters.delete(waiter);
        waiter.reject(fault);
      };
      call.waiters.add(waiter);
      signal.addEventListener('abort', cancel, { once: true });
    });

  const refusal = ({ kind, request }: Asked): TroupeFault | undefined => {
    const snapshot = mode.getSnapshot();
    if (snapshot.status === 'done' || snapshot.matches('draining')) return new CancelledFault('the broker is closing');
    if (open.size >= capacity) return new EngineFault(`${open.size} calls are open already: no room for ${request.id}`);
    if (kind === 'chat' && engine.chat === undefined) return new EngineFault(`engine ${engine.name} cannot chat`);
    if (kind === 'tokens' && request.ids.length >= engine.contextLength)
      return new EngineFault(`a prompt of ${request.ids.length} tokens leaves no room in a context of ${engine.contextLength}`);
    return undefined;
  };

  const ask = (asked: Asked, signal: AbortSignal): Promise<Bytes> => {
    const { id, group, deadlineMs } = asked.request;
    if (signal.aborted) return Promise.reject(new CancelledFault(`call ${id} was cancelled`));
    const known = replies.recall(id, group);
    const opened = open.get(id);
    if (known !== undefined || opened !== undefined) count.recalled++;
    if (known !== undefined) return Promise.resolve(known);
    if (opened !== undefined) {
      opened.due = Math.max(opened.due, clock.now() + deadlineMs);
      arm(opened);
      return attend(opened, signal);
    }
    const fault = refusal(asked);
    if (fault !== undefined) return Promise.reject(fault);
    const age = groupAge.get(group) ?? groups++;
    groupAge.set(group, age);
    const call = callOf(asked, age, arrivals++, clock.now());
    open.set(id, call);
    arm(call);
    dispatch.enqueue(call);
    return attend(call, signal);
  };

  const forget = (group: GroupId): void => {
    replies.forget(group);
    groupAge.delete(group);
  };

  mode.subscribe({
    next: () => {
      options.onMode?.(modeName());
      dispatch.wake();
    },
    error: () => {},
  });
  mode.start();
  mode.send({ type: 'engine.ready' });

  return {
    ask,
    generate: async (request, signal) => unpack(await ask({ kind: 'tokens', request }, signal)) as TokenReply,
    ...(engine.chat === undefined
      ? {}
      : { chat: async (request: ChatRequest, signal: AbortSignal) => unpack(await ask({ kind: 'chat', request }, signal)) as ChatReply }),
    abandon: (group) => {
      for (const call of open.values()) if (call.group === group) fail(call, new CancelledFault(`group ${group} was given up`));
      forget(group);
    },
    expect: (step, awaited) => handover.expect(step, awaited),
    isAwaited: (step, group) => handover.isAwaited(step, group),
    seal: (envelope, bytes) => {
      const isFirst = handover.isAwaited(envelope.step, envelope.group);
      count[isFirst ? 'sealed' : 'late']++;
      if (!isFirst) return false;
      options.record({ kind: 'group.sealed', envelope, bytes });
      forget(envelope.group);
      return handover.seal({ envelope, bytes });
    },
    abandonStep: (step) => handover.abandon(step),
    publish: async (weights) => {
      mode.send({ type: 'weights.publish' });
      await dispatch.idle(patienceMs);
      const abort = new AbortController();
      const disarm = clock.after(patienceMs, () => abort.abort());
      try {
        await within(abort.signal, engine.publish(weights), 'the engine did not take the weights in time');
        circuit.mend();
        mode.send({ type: 'weights.published' });
        if (isThrottled(admission)) mode.send({ type: 'admission.limited' });
      } catch (error) {
        mode.send({ type: 'weights.refused' });
        throw asFault(EngineFault, `publishing version ${weights.version}`, error);
      } finally {
        disarm();
      }
    },
    feel: (pressure) => {
      admission = adjust(admission, pressure);
      mode.send({ type: isThrottled(admission) ? 'admission.limited' : 'admission.relieved' });
      dispatch.wake();
    },
    status: () => ({
      mode: modeName(),
      waiting: dispatch.waiting,
      inFlight: dispatch.inFlight,
      limit: admission.limit,
      occupancy: dispatch.occupancy() / admission.ceiling,
      asked: dispatch.asked,
      merged: dispatch.merged,
      ...count,
    }),
    waits,
    close: async () => {
      mode.send({ type: 'broker.drain' });
      const fault = new CancelledFault('the broker is closing');
      for (const call of open.values()) if (call.state !== 'asked') fail(call, fault);
      await dispatch.idle(patienceMs);
      for (const call of open.values()) fail(call, fault);
      mode.send({ type: 'broker.drained' });
    },
  };
}
