/**
 * Watches trees of actors from the side: writes down every event each of them receives, in the order in which they are taken up, with the hash of the state it led to,
 * and keeps the deadline its present state names. No chart knows that it is watched, and the recorder never looks into a context.
 */
import type { AnyActor, AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import { stateHash } from '../machines/hash.ts';
import { pathSteps } from '../machines/path.ts';
import type { RecordedEvent } from '../protocol/frame.ts';
import type { DeadlineExpired } from '../protocol/messages.ts';
import type { Deadline, DeadlineWheel } from './deadlines.ts';

export interface Recorder {
  /**
   * Watches the tree under `root` from its start, which must come after. `path` names the tree; the root is called by its chart, a child by its id.
   * Throws TypeError for a chart that is not `observed`: a record with silent holes would be worse than none.
   */
  watch(root: AnyActor, path: string, waits: Waits): void;
  /** Hands over what is written so far. */
  flush(): void;
}

/** How long the named deadline leaves from now, in milliseconds, and its rank among those due together. */
export type Waits = (deadline: string) => { readonly ms: number; readonly rank: number };

/** Events handed over at once, and how long a lonely one waits for company. */
const CHUNK = 256;
const FLUSH_MS = 200;

type Observe = (ref: AnyActor, event: { readonly type: string }, snapshot: AnyMachineSnapshot) => void;

/** Charts with the hook in them. */
const watchable = new WeakSet<object>();

/** System of a tree of actors → who watches it. */
const observers = new WeakMap<object, Observe>();

/**
 * Makes a bound chart observable: `bound` comes fresh from `provide()` and is changed. The hook is in the chart's own transition and not in `inspect`, which copies
 * every microstep and action for its observers and reports an event before it is known where it leads.
 */
export function observed<Chart extends AnyStateMachine>(bound: Chart): Chart {
  if (watchable.has(bound)) return bound;
  const transition = bound.transition.bind(bound);
  const start = bound.start.bind(bound);
  const steps = pathSteps(bound);
  if (steps !== undefined) bound.getInitialSnapshot = steps.initial;
  bound.transition = (snapshot, event, scope) => {
    // An actor that is stopped, or whose child has failed, is XState's own business.
    const next = (event.type.startsWith('xstate.') ? transition : (steps?.transition ?? transition))(snapshot, event, scope);
    observers.get(scope.system)?.(scope.self as AnyActor, event, next as AnyMachineSnapshot);
    return next;
  };
  watchable.add(bound);
  // The types name the snapshot alone; an actor that starts passes its scope too.
  bound.start = (snapshot, scope?: { readonly self: AnyActor; readonly system: object }) => {
    if (scope !== undefined) observers.get(scope.system)?.(scope.self, { type: 'xstate.init' }, snapshot);
    start(snapshot);
  };
  return bound;
}

interface Seat {
  readonly actor: string;
  waitsFor: string | undefined;
  deadline: Deadline | undefined;
}

export function recorder(record: (events: RecordedEvent[]) => void, wheel: DeadlineWheel): Recorder {
  let log: RecordedEvent[] = [];
  let flushing: Deadline | undefined;

  const flush = (): void => {
    if (flushing !== undefined) wheel.disarm(flushing);
    flushing = undefined;
    if (log.length === 0) return;
    const events = log;
    log = [];
    record(events);
  };

  const write = (entry: RecordedEvent): void => {
    log.push(entry);
    if (log.length >= CHUNK) flush();
    else flushing ??= wheel.arm(FLUSH_MS, 9, flush);
  };

  return {
    flush,
    watch: (root, path, waits) => {
      if (!watchable.has(root.logic)) throw new TypeError(`the chart of ${path} is not observed`);
      const seats = new Map<AnyActor, Seat>();
      observers.set(root.system, (ref, event, snapshot) => {
        let seat = seats.get(ref);
        if (seat === undefined) {
          seat = { actor: `${path}/${ref === root ? snapshot.machine.id : ref.id}`, waitsFor: undefined, deadline: undefined };
          seats.set(ref, seat);
        }
        const { hash, deadline } = factsOf(snapshot);
        write({ actor: seat.actor, event: asData(event, ref), state: hash });
        keepDeadline(ref, seat, snapshot.status === 'active' ? deadline : undefined, waits, wheel);
      });
    },
  };
}

/** A deadline runs for as long as the actor stays in states that name it, over however many of them. */
function keepDeadline(ref: AnyActor, seat: Seat, name: string | undefined, waits: Waits, wheel: DeadlineWheel): void {
  if (name === seat.waitsFor) return;
  if (seat.deadline !== undefined) wheel.disarm(seat.deadline);
  seat.waitsFor = name;
  seat.deadline = undefined;
  if (name === undefined) return;
  const { ms, rank } = waits(name);
  seat.deadline = wheel.arm(ms, rank, () => {
    seat.deadline = undefined;
    seat.waitsFor = undefined;
    ref.send({ type: 'deadline.expired', deadline: name } satisfies DeadlineExpired as EventObject);
  });
}

interface Facts {
  readonly hash: string;
  readonly deadline: string | undefined;
}

/** Chart → state value as JSON → what the recorder needs of it: a chart has few state values and is in them millions of times. */
const facts = new Map<string, Map<string, Facts>>();

function factsOf(snapshot: AnyMachineSnapshot): Facts {
  let known = facts.get(snapshot.machine.id);
  if (known === undefined) facts.set(snapshot.machine.id, (known = new Map<string, Facts>()));
  const key = typeof snapshot.value === 'string' ? snapshot.value : JSON.stringify(snapshot.value);
  let fact = known.get(key);
  if (fact === undefined) {
    const metas = Object.values(snapshot.getMeta()) as ({ deadline?: string } | undefined)[];
    fact = { hash: stateHash(snapshot.value), deadline: metas.find((meta) => meta?.deadline !== undefined)?.deadline };
    known.set(key, fact);
  }
  return fact;
}

/** The event as plain data: the world of an actor's input stays in the task's own frame, an Error becomes its message. */
function asData(event: { readonly type: string }, ref: AnyActor): RecordedEvent['event'] {
  if (event.type === 'xstate.init') {
    const input = (ref.options as { input?: Record<string, unknown> } | undefined)?.input;
    if (input === undefined) return { type: event.type };
    const { world: _, ...rest } = input;
    return { type: event.type, input: rest };
  }
  if ('error' in event) return { type: event.type, error: event.error instanceof Error ? event.error.message : String(event.error) };
  return event;
}
