/**
 * The broker: every model call of a run passes here on its way to an engine. Plain code around one lane per engine; each lane's mode chart (machines/broker.ts) decides
 * whether calls may start there. It answers a repeated call from memory, ends every wait, and reads neither prompts nor groups.
 */
import { asFault, CancelledFault, EngineFault, type TroupeFault } from '../errors.ts';
import { unpack, type Bytes } from '../protocol/codec.ts';
import type { GroupId } from '../protocol/ids.ts';
import type { ChatReply, ChatRequest, TokenReply } from '../protocol/inference.ts';
import { firstRestMs } from './breaker.ts';
import type { Broker, BrokerOptions } from './broker-contract.ts';
import { figuresOf } from './broker-status.ts';
import { callOf, isLastOfBatch, waitOf, type Asked, type Batch, type Call, type Wait } from './call.ts';
import { CallClocks } from './call-clocks.ts';
import { CallGroups } from './call-groups.ts';
import { attend } from './call-waiters.ts';
import type { BatchEnd } from './dispatch.ts';
import { Fleet } from './fleet.ts';
import { Handover } from './handover.ts';
import { Lane } from './lane.ts';
import { OpenCalls } from './open-calls.ts';
import { probeOf } from './lane-probe.ts';
import { Questions } from './questions.ts';
import { Repeats } from './repeats.ts';
import { ReplyMemory } from './replies.ts';
import { Route } from './lane-route.ts';

export type { Broker, BrokerOptions } from './broker-contract.ts';

export function createBroker(options: BrokerOptions): Broker {
  const { engines, clock, seed } = options;
  const { capacity = 32_768, attempts = 3, retryShare = 0.1, backoffMs = 100, pollMs = 500 } = options;
  const { stallMs = 60_000, patienceMs = 60_000, recoveryMs = 0, restMs = firstRestMs } = options;
  const open = new OpenCalls();
  const replies = new ReplyMemory((id) => options.recall?.(id));
  const handover = new Handover();
  const count = { answered: 0, recalled: 0, faulted: 0, cancelled: 0, sealed: 0, late: 0 };
  const groups = new CallGroups();
  const questions = new Questions(options.record);
  let arrivals = 0;
  let lastAnswer = clock.now();
  let known: Asked | undefined;
  let isClosing = false;

  const lanes: readonly Lane[] = engines.map(
    (engine, index) =>
      new Lane({
        engine,
        name: engines.some((other, i) => i !== index && other.name === engine.name) ? `${engine.name}#${index}` : engine.name,
        clock,
        seed,
        stallMs,
        patienceMs,
        restMs,
        pollMs,
        version: options.version,
        mode: options.chart?.(index),
        ended: (batch, end) => settle(batch, end),
        changed: (mode) => {
          options.onMode?.(mode, lane(index).name);
          fleet.changed(lane(index));
          for (const call of route.moves(lane(index))) place(call);
        },
        stalled: () => {
          if (clock.now() - lastAnswer >= stallMs) options.onStall?.(waits());
        },
        known: () => known ?? hopedFor(),
      }),
  );
  if (lanes.length === 0) throw new RangeError('a broker needs an engine');
  const lane = (index: number): Lane => lanes[index] as Lane;
  const route = new Route(lanes, groups);
  const fleet = new Fleet({
    lanes,
    clock,
    recoveryMs,
    ordered: () => {
      for (const call of open.values()) {
        if (call.state !== 'waiting' || lane(call.lane).complaint(call.asked) === undefined) continue;
        lane(call.lane).withdraw(call);
        place(call);
      }
    },
    lent: () => {
      for (const call of open.values()) if (call.state !== 'asked') clocks.hold(call);
    },
    returned: () => {
      for (const call of open.values()) clocks.release(call);
    },
  });
  const repeats = new Repeats({
    attempts,
    share: retryShare,
    backoffMs,
    seed,
    asked: () => lanes.reduce((sum, each) => sum + each.dispatch.asked, 0),
  });
  const waits = (): Wait[] => [...open.values()].map((call) => waitOf(call, clock.now(), lane(call.lane)));

  /** No call was answered yet: one that is asked may do. */
  const hopedFor = (): Asked | undefined => {
    const asked = [...open.values()].map((call) => call.asked);
    const best = asked.find(({ kind }) => kind === 'tokens') ?? asked[0];
    return best === undefined ? undefined : probeOf(best);
  };

  /** To the lane where it shall wait. */
  const place = (call: Call): void => {
    const found = route.of(call);
    if (typeof found !== 'number') return fail(call, found);
    call.lane = found;
    lane(found).enqueue(call);
  };
  const settle = ({ calls }: Batch, end: BatchEnd): void => {
    if (end instanceof Error) return calls.forEach((call) => repeatOrFail(call, end));
    lastAnswer = clock.now();
    calls.forEach((call, i) => {
      const bytes = end[i] as Bytes;
      // Kept and recorded even if nobody waits any more: an asker that comes back pays nothing.
      replies.keep(call.id, call.group, bytes);
      options.record({ kind: 'call.reply', id: call.id, group: call.group, bytes });
      if (known === undefined || (known.kind === 'chat' && call.asked.kind === 'tokens')) known = probeOf(call.asked);
      if (call.state === 'ended') return;
      count.answered++;
      close(call);
      for (const waiter of call.waiters) waiter.resolve(bytes);
    });
  };

  const close = (call: Call): void => {
    clocks.stop(call);
    call.rouse?.();
    open.delete(call.id);
    groups.close(call);
    if (call.lane >= 0) lane(call.lane).drop(call);
    call.state = 'ended';
  };
  const fail = (call: Call, fault: TroupeFault): void => {
    if (call.state === 'ended') return;
    count[fault instanceof CancelledFault ? 'cancelled' : 'faulted']++;
    close(call);
    for (const waiter of call.waiters) waiter.reject(fault);
  };
  const clocks = new CallClocks(clock, (call) => {
    // Time that passed in the queue says nothing about the engine; time that passed inside it does, once for calls that share a request.
    if (call.state === 'asked' && isLastOfBatch(call)) lane(call.lane).overdue();
    const where = call.state === 'asked' ? 'asked of' : `${call.state} at`;
    fail(
      call,
      new EngineFault(`no answer to ${call.id} within its deadline; it was ${where} ${lane(call.lane).name}`, { trouble: 'stalled' }),
    );
  });

  const repeatOrFail = (call: Call, fault: TroupeFault): void => {
    if (call.state === 'ended') return;
    const pause = isClosing ? undefined : repeats.pause(call, fault, clocks.left(call), lane(call.lane).isSound);
    if (pause === undefined) return fail(call, fault);
    call.state = 'resting';
    call.batch = undefined;
    if (fleet.isLent) clocks.hold(call);
    call.rouse = clock.after(pause, () => place(call));
  };

  const attendedBy = (call: Call, signal: AbortSignal): Promise<Bytes> => attend(call, signal, (fault) => fail(call, fault));

  const refusal = (asked: Asked): TroupeFault | undefined => {
    const { id, role } = asked.request;
    if (isClosing) return new CancelledFault('the broker is closing');
    if (open.size >= capacity) return new EngineFault(`${open.size} calls are open already: no room for ${id}`, { trouble: 'refused' });
    if (asked.kind === 'chat' && role === 'policy')
      return new EngineFault(`${id} would chat as the policy: its turns are tokens, and the frozen roles never reach it`, {
        trouble: 'refused',
      });
    return route.complaint(asked);
  };

  const ask = (asked: Asked, signal: AbortSignal): Promise<Bytes> => {
    const { id, group, deadlineMs } = asked.request;
    if (signal.aborted) return Promise.reject(new CancelledFault(`call ${id} was cancelled`));
    const answer = replies.recall(id, group);
    const opened = open.get(id);
    if (answer !== undefined || opened !== undefined) count.recalled++;
    if (answer !== undefined) return Promise.resolve(answer);
    if (opened !== undefined) {
      clocks.give(opened, deadlineMs);
      return attendedBy(opened, signal);
    }
    const fault = refusal(asked);
    if (fault !== undefined) return Promise.reject(fault);
    try {
      // Before anything is opened: what cannot be recorded is not asked, and holds nothing.
      if (asked.kind === 'chat') questions.record(asked.request);
    } catch (error) {
      return Promise.reject(asFault(EngineFault, `call ${id} cannot be recorded`, error));
    }
    const { step, age, calls } = groups.of(group);
    const call = callOf(asked, { step, group: age }, arrivals++, clock.now());
    open.set(id, call);
    calls.add(call);
    if (fleet.isLent) clocks.hold(call);
    else clocks.give(call, deadlineMs);
    const answered = attendedBy(call, signal);
    place(call);
    return answered;
  };

  /** The group wants nothing any more: a call of it that went on would hold a slot, and leave a reply that nobody ever forgets. */
  const giveUp = (group: GroupId, why: string): void => {
    for (const call of groups.calls(group)) fail(call, new CancelledFault(`group ${group} ${why}`));
    replies.forget(group);
    groups.forget(group);
  };

  for (const each of lanes) each.start();

  return {
    ask,
    generate: async (request, signal) => unpack(await ask({ kind: 'tokens', request }, signal)) as TokenReply,
    ...(engines.every((engine) => engine.chat === undefined)
      ? {}
      : { chat: async (request: ChatRequest, signal: AbortSignal) => unpack(await ask({ kind: 'chat', request }, signal)) as ChatReply }),
    abandon: (group) => giveUp(group, 'was given up'),
    expect: (step, awaited) => {
      groups.expect(awaited);
      return handover.expect(step, awaited);
    },
    isAwaited: (step, group) => handover.isAwaited(step, group),
    seal: (envelope, bytes) => {
      const isFirst = handover.isAwaited(envelope.step, envelope.group);
      count[isFirst ? 'sealed' : 'late']++;
      if (!isFirst) return false;
      options.record({ kind: 'group.sealed', envelope, bytes });
      giveUp(envelope.group, 'is sealed');
      return handover.seal({ envelope, bytes });
    },
    abandonStep: (step) => handover.abandon(step),
    publish: (weights) => fleet.publish(weights),
    suspend: () => fleet.lend(),
    resume: () => fleet.takeBack(),
    returned: (index) => lane(index).returned(),
    status: () => ({ ...figuresOf(lanes, open.values()), ...repeats.count, ...count }),
    waits,
    close: async () => {
      isClosing = true;
      fleet.close();
      for (const each of lanes) each.drain();
      const fault = new CancelledFault('the broker is closing');
      for (const call of open.values()) if (call.state !== 'asked') fail(call, fault);
      await Promise.all(lanes.map((each) => each.dispatch.idle(patienceMs)));
      for (const call of open.values()) fail(call, fault);
      for (const each of lanes) each.closed();
    },
  };
}
