/**
 * Watches a tree of actors from the side: writes down every event each of them receives, in causal order, with the hash of the state it led to, and keeps the deadline
 * its present state names. No actor knows that it is watched. The recorder never looks into a context.
 */
import { isMachineSnapshot } from 'xstate';
import type { AnyActorRef, AnyMachineSnapshot, InspectionEvent } from 'xstate';
import { stateHash } from '../machines/hash.ts';
import type { RecordedEvent } from '../protocol/frame.ts';
import type { Deadline, DeadlineWheel } from './deadlines.ts';

export interface Recorder {
  /** The `inspect` option of a root actor: `path` names the tree, `root` its first actor, and a child is named by its id. */
  watch(path: string, root: string, waits: Waits): (inspected: InspectionEvent) => void;
  /** Hands over what is written so far. */
  flush(): void;
}

/** How long the named deadline leaves from now, in milliseconds, and its rank among those due together. */
export type Waits = (deadline: string) => { readonly ms: number; readonly rank: number };

/** Events handed over at once, and how long a lonely one waits for company. */
const CHUNK = 256;
const FLUSH_MS = 200;

interface Seat {
  readonly actor: string;
  /** Received and not yet processed. */
  readonly inbox: { readonly event: object; readonly entry: RecordedEvent }[];
  waitsFor: string | undefined;
  deadline: Deadline | undefined;
}

export function recorder(record: (events: RecordedEvent[]) => void, wheel: DeadlineWheel): Recorder {
  let log: RecordedEvent[] = [];
  let open = 0;
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
    flushing ??= wheel.arm(FLUSH_MS, 9, () => {
      flushing = undefined;
      flush();
    });
  };

  const watch: Recorder['watch'] = (path, root, waits) => {
    const seats = new Map<AnyActorRef, Seat>();
    const seatOf = (ref: AnyActorRef): Seat => {
      let seat = seats.get(ref);
      if (seat === undefined) {
        const name = ref._parent === undefined ? root : ref.id;
        seat = { actor: `${path}/${name}`, inbox: [], waitsFor: undefined, deadline: undefined };
        seats.set(ref, seat);
      }
      return seat;
    };

    return (inspected) => {
      // A port that answers once has no chart: what it answers is an event of the actor that asked.
      if ((inspected.type !== '@xstate.event' && inspected.type !== '@xstate.snapshot') || !isChart(inspected.actorRef as AnyActorRef))
        return;
      if (inspected.type === '@xstate.event') {
        const seat = seatOf(inspected.actorRef as AnyActorRef);
        const entry = { actor: seat.actor, event: asData(inspected.event), state: '' };
        seat.inbox.push({ event: inspected.event, entry });
        open++;
        write(entry);
      } else {
        const seat = seatOf(inspected.actorRef as AnyActorRef);
        const snapshot = inspected.snapshot as AnyMachineSnapshot;
        const { hash, deadline } = factsOf(snapshot);
        if (seat.inbox[0]?.event === inspected.event) {
          (seat.inbox.shift() as { entry: RecordedEvent }).entry.state = hash;
          open--;
        } else {
          write({ actor: seat.actor, event: asData(inspected.event), state: hash });
        }
        keepDeadline(inspected.actorRef as AnyActorRef, seat, snapshot.status === 'active' ? deadline : undefined, waits);
        // Only between two causes is every entry complete; half-processed chunks would lack their hashes.
        if (open === 0 && log.length >= CHUNK) flush();
      }
    };
  };

  /** A deadline runs for as long as the actor stays in states that name it, over however many of them. */
  const keepDeadline = (ref: AnyActorRef, seat: Seat, name: string | undefined, waits: Waits): void => {
    if (name === seat.waitsFor) return;
    if (seat.deadline !== undefined) wheel.disarm(seat.deadline);
    seat.waitsFor = name;
    seat.deadline = undefined;
    if (name === undefined) return;
    const { ms, rank } = waits(name);
    seat.deadline = wheel.arm(ms, rank, () => {
      seat.deadline = undefined;
      seat.waitsFor = undefined;
      ref.send({ type: 'deadline.expired', deadline: name });
    });
  };

  return { watch, flush };
}

const isChart = (ref: AnyActorRef): boolean => isMachineSnapshot(ref.getSnapshot());

interface Facts {
  readonly hash: string;
  readonly deadline: string | undefined;
}

/** Chart → state value as JSON → what the recorder needs of it: a chart has few state values and is in them millions of times. */
const facts = new Map<string, Map<string, Facts>>();

function factsOf(snapshot: AnyMachineSnapshot): Facts {
  let known = facts.get(snapshot.machine.id);
  if (known === undefined) facts.set(snapshot.machine.id, (known = new Map()));
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
function asData(event: { readonly type: string }): RecordedEvent['event'] {
  if (event.type === 'xstate.init') {
    const input = (event as { input?: Record<string, unknown> }).input;
    if (input === undefined) return { type: event.type };
    const { world: _, ...rest } = input;
    return { type: event.type, input: rest };
  }
  if ('error' in event) return { type: event.type, error: event.error instanceof Error ? event.error.message : String(event.error) };
  return event;
}
