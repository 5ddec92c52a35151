/**
 * The broker: every model call of a run passes here on its way to an engine. Plain code around one lane per engine; each lane's mode chart (machines/broker.ts) decides
 * whether calls may start there. It answers a repeated call from memory, ends every wait, and reads neither prompts nor groups.
 */
import { CancelledFault, EngineFault, type TroupeFault } from '../errors.ts';
import { unpack, type Bytes } from '../protocol/codec.ts';
import type { CallId, GroupId } from '../protocol/ids.ts';
import type { ChatReply, ChatRequest, TokenReply } from '../protocol/inference.ts';
import { seedOf, uniform } from '../random.ts';
import { firstRestMs } from './breaker.ts';
import type { Broker, BrokerOptions } from './broker-contract.ts';
import { figuresOf } from './broker-status.ts';
import { callOf, isLastOfBatch, waitOf, type Asked, type Batch, type Call, type Wait } from './call.ts';
import { CallClocks } from './call-clocks.ts';
import { CallGroups } from './call-groups.ts';
import { sequelOf } from './call-sequel.ts';
import type { BatchEnd } from './dispatch.ts';
import { Handover } from './handover.ts';
import { Lane } from './lane.ts';
import { probeOf } from './lane-probe.ts';
import { ReplyMemory } from './replies.ts';
import { Route } from './lane-route.ts';

export type { Broker, BrokerOptions } from './broker-contract.ts';

export function createBroker(options: BrokerOptions): Broker {
  const { engines, clock, seed } = options;
  const { capacity = 32_768, attempts = 3, retryShare = 0.1, backoffMs = 100, pollMs = 500 } = options;
  const { stallMs = 60_000, patienceMs = 60_000, recoveryMs = 0, restMs = firstRestMs } = options;
  const open = new Map<CallId, Call>();
  const replies = new ReplyMemory((id) => options.recall?.(id));
  const handover = new Handover();
  const count = { answered: 0, recalled: 0, repeated: 0, turnedAway: 0, faulted: 0, cancelled: 0, sealed: 0, late: 0 };
  const groups = new CallGroups();
  let arrivals = 0;
  /** Repeats that count against the bound on them. */
  let spent = 0;
  let lastAnswer = clock.now();
  let known: Asked | undefined;
  let isLent = false;
  let isClosing = false;
  /** Publications that wait for a lane to serve again. */
  const recoveries = new Set<() => void>();

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
          if (isLent && lane(index).isServing) endLoan();
          if (lane(index).isServing) for (const recovered of recoveries) recovered();
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

  const mayRepeat = (call: Call, fault: TroupeFault): boolean => {
    const { repeat } = sequelOf(fault);
    if (repeat !== 'counted') return repeat === 'free';
    if (call.attempt - call.turnedAway >= attempts) return false;
    // The circuit holds a failed engine's calls back; the bound on repeats is for engines that go on failing.
    if (!lane(call.lane).isSound) return true;
    return spent < 10 + retryShare * lanes.reduce((sum, each) => sum + each.dispatch.asked, 0);
  };
  const repeatOrFail = (call: Call, fault: TroupeFault): void => {
    if (call.state === 'ended') return;
    const isFree = sequelOf(fault).repeat === 'free';
    if (isFree) {
      count.turnedAway++;
      call.turnedAway++;
    }
    const exponent = Math.min(longestPause, isFree ? call.turnedAway - 1 : call.attempt - call.turnedAway - 1);
    const pause = backoffMs * 2 ** exponent * uniform(seedOf(seed, 'backoff', call.id), call.attempt);
    if (isClosing || !mayRepeat(call, fault) || pause >= clocks.left(call)) return fail(call, fault);
    if (!isFree) count.repeated++;
    if (!isFree && lane(call.lane).isSound) spent++;
    call.state = 'resting';
    call.batch = undefined;
    if (isLent) clocks.hold(call);
    call.rouse = clock.after(pause, () => place(call));
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
      return attend(opened, signal);
    }
    const fault = refusal(asked);
    if (fault !== undefined) return Promise.reject(fault);
    const { step, age, calls } = groups.of(group);
    const call = callOf(asked, { step, group: age }, arrivals++, clock.now());
    open.set(id, call);
    calls.add(call);
    if (isLent) clocks.hold(call);
    else clocks.give(call, deadlineMs);
    const answered = attend(call, signal);
    place(call);
    return answered;
  };

  /** The group wants nothing any more: a call of it that went on would hold a slot, and leave a reply that nobody ever forgets. */
  const giveUp = (group: GroupId, why: string): void => {
    for (const call of groups.calls(group)) fail(call, new CancelledFault(`group ${group} ${why}`));
    replies.forget(group);
    groups.forget(group);
  };

  /** Publishing and lending, one after the other. */
  let turn: Promise<void> | undefined;
  const inTurn = (deed: () => Promise<void>): Promise<void> => {
    const done = turn === undefined ? deed() : turn.then(deed);
    const over = (): void => {
      if (turn === own) turn = undefined;
    };
    const own: Promise<void> = done.then(over, over);
    turn = own;
    return done;
  };
  /** A lane that failed serves again only with what was ordered: whoever ordered it need but wait. Resolves with false where none came back. */
  const recovery = (): Promise<boolean> =>
    new Promise((resolve) => {
      const end = (): void => {
        disarm();
        recoveries.delete(end);
        resolve(lanes.some((each) => each.isServing));
      };
      const disarm = clock.after(recoveryMs, end);
      recoveries.add(end);
    });
  const takeBack = async (): Promise<PromiseSettledResult<void>[]> => {
    const ends = await Promise.allSettled(lanes.map((each) => each.reclaim()));
    endLoan();
    return ends;
  };
  /** With the first lane that serves again: from then on time runs for all. */
  const endLoan = (): void => {
    isLent = false;
    for (const call of open.values()) clocks.release(call);
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
    publish: (weights) =>
      inTurn(async () => {
        if (isLent)
          throw new EngineFault(`version ${weights.version} cannot be published while the accelerator is lent`, { trouble: 'refused' });
        for (const each of lanes) each.order(weights);
        for (const call of open.values()) if (call.state === 'waiting' && lane(call.lane).complaint(call.asked) !== undefined) move(call);
        // One whose circuit is open gets them before it serves again: nobody waits for its rest.
        const sound = lanes.filter((each) => each.isSound);
        const ends = await Promise.allSettled((sound.length > 0 ? sound : lanes).map((each) => each.publish()));
        if (!ends.every((end) => end.status === 'rejected')) return;
        const reason = reasonOf(ends);
        if (!isAway(reason) || !(await recovery())) throw reason;
      }),
    suspend: () =>
      inTurn(async () => {
        if (isLent) return;
        if (isClosing) throw new CancelledFault('the broker is closing');
        isLent = true;
        for (const call of open.values()) if (call.state !== 'asked') clocks.hold(call);
        const ends = await Promise.allSettled(lanes.map((each) => each.lend()));
        if (ends.every((end) => end.status === 'fulfilled')) return;
        await takeBack();
        throw reasonOf(ends);
      }),
    resume: () =>
      inTurn(async () => {
        if (!isLent) return;
        const ends = await takeBack();
        if (ends.every((end) => end.status === 'rejected')) throw reasonOf(ends);
      }),
    returned: (index) => lane(index).returned(),
    status: () => ({ ...figuresOf(lanes, open.values()), ...count }),
    waits,
    close: async () => {
      isClosing = true;
      for (const recovered of recoveries) recovered();
      for (const each of lanes) each.drain();
      const fault = new CancelledFault('the broker is closing');
      for (const call of open.values()) if (call.state !== 'asked') fail(call, fault);
      await Promise.all(lanes.map((each) => each.dispatch.idle(patienceMs)));
      for (const call of open.values()) fail(call, fault);
      for (const each of lanes) each.closed();
    },
  };

  function move(call: Call): void {
    lane(call.lane).withdraw(call);
    place(call);
  }
}

/** Pauses before a repeat double so many times at most: some six seconds at the default. */
const longestPause = 6;

/** Nothing is wrong with what was asked; nobody was there, or nobody answered. */
const isAway = (fault: unknown): boolean =>
  fault instanceof EngineFault && (fault.trouble === 'absent' || fault.trouble === 'unreachable' || fault.trouble === 'stalled');

const reasonOf = (ends: readonly PromiseSettledResult<void>[]): unknown =>
  ends.find((end): end is PromiseRejectedResult => end.status === 'rejected')?.reason;
