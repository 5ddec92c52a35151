/**
 * Plays groups on threads until every one is sealed: places them, answers their lines, watches their hosts, and runs again what a dead thread held.
 * It knows groups by name and reads neither their jobs nor their results.
 */
import { MessageChannel } from 'node:worker_threads';
import { CancelledFault, ThreadFault, asFault, type TroupeFault } from '../errors.ts';
import type { SealedGroup } from '../gpu/handover.ts';
import { pack, type Bytes } from '../protocol/codec.ts';
import type { GroupEnvelope, RolloutGroup } from '../protocol/group.ts';
import type { GroupId, StepId } from '../protocol/ids.ts';
import { answerLine, type AnsweredLine } from './desk.ts';
import { enveloped, lostGroup } from './envelope.ts';
import type { GroupJob } from './group.ts';
import { createHeartbeat, patience } from './heartbeat.ts';
import { createThreadPool, type ThreadPool } from './pool.ts';
import type { RolloutPool, RolloutPoolOptions } from './rollout-contract.ts';
import { createQuarantine } from './quarantine.ts';
import { defaultIntensity, isTooMany, lost, noLosses, placement, recentDeaths, type Losses } from './supervise.ts';

export type { RolloutPool, RolloutPoolOptions } from './rollout-contract.ts';

/** The jobs of one step on their way. */
interface Roll {
  readonly step: StepId;
  readonly due: number;
  readonly tickets: Map<GroupId, Ticket>;
  /** Cancelled: what still comes in is not sealed. */
  over: boolean;
  /** Its grace is over too. */
  ended: boolean;
  begin(job: GroupJob): GroupJob;
  sealed(sealed: SealedGroup): void;
  fail(fault: TroupeFault): void;
}

interface Ticket {
  job: GroupJob;
  readonly roll: Roll;
  begun: boolean;
  losses: Losses;
  running?: Running;
  sealed: boolean;
}

interface Running {
  readonly ticket: Ticket;
  readonly room: Room;
  readonly line: AnsweredLine;
  /** 1 while the group has the processor. */
  readonly word: Int32Array;
  thread: number | null;
}

/** A set of threads with its queue. Groups under suspicion get a thread to themselves. */
interface Room {
  readonly name: 'shared' | 'alone';
  readonly places: number;
  readonly pool: ThreadPool;
  readonly queue: Ticket[];
  open: number;
}

export function createRolloutPool(options: RolloutPoolOptions): RolloutPool {
  const {
    broker,
    clock,
    workers,
    window,
    attempts = 3,
    intensity = defaultIntensity,
    beatMs = 800,
    graceMs = 2_000,
    heapMb = 2_048,
  } = options;
  const file = options.file ?? new URL('./worker.js', import.meta.url);
  const cast = shared(pack(options.cast));
  const quarantine = createQuarantine(options.quarantined);
  const rolls = new Set<Roll>();
  const running = new Set<Running>();
  const tally = { deaths: 0, rerun: 0 };
  let deaths: readonly number[] = [];
  let broken: ThreadFault | undefined;
  let observation: Room | undefined;

  /** A death under observation is no news. */
  const room = (name: Room['name'], threads: number, places: number): Room => ({
    name,
    places: threads * places,
    pool: createThreadPool({
      file,
      threads,
      window: places,
      heapMb,
      clock,
      onDeath: (thread, reason) => onDeath(thread, reason, name === 'shared'),
    }),
    queue: [],
    open: 0,
  });
  const stage = room('shared', workers, window);
  const alone = (): Room => (observation ??= room('alone', 1, 1));

  const heartbeat = createHeartbeat({
    clock,
    beatMs,
    ping: (thread) => [...running].find((each) => each.thread === thread)?.line.ping(),
    kill: (thread) => {
      for (const each of running) if (each.thread === thread) each.line.note(`no heartbeat for ${patience * beatMs} ms`);
      stage.pool.kill(thread);
      observation?.pool.kill(thread);
    },
  });

  function onDeath(thread: number, reason: string, counts: boolean): void {
    tally.deaths++;
    heartbeat.forget(thread);
    if (!counts) return;
    deaths = recentDeaths(deaths, clock.now(), intensity);
    if (!isTooMany(deaths, intensity)) return;
    broken = new ThreadFault(`${deaths.length} worker threads died within ${intensity.withinMs / 1000} s; the last one: ${reason}`);
    for (const roll of rolls) roll.fail(broken);
  }

  const fill = (room: Room): void => {
    while (room.open < room.places && room.queue.length > 0) start(room.queue.shift() as Ticket, room);
  };

  const start = (ticket: Ticket, room: Room): void => {
    const { roll } = ticket;
    if (!ticket.begun) ticket.job = roll.begin(ticket.job);
    ticket.begun = true;
    const { job } = ticket;
    const leftMs = roll.due - clock.now();
    if (leftMs <= 0)
      return seal(ticket, lostGroup(job, new ThreadFault('the step ended before the group could start').toData(), 'deadline'));
    const { port1, port2 } = new MessageChannel();
    const flag = new SharedArrayBuffer(4);
    const line = answerLine(port1, {
      broker,
      recordPacked: (frame) => options.recordPacked(frame),
      started: (thread) => {
        here.thread = thread;
        heartbeat.watch(thread);
        if (roll.ended) room.pool.kill(thread);
      },
      heard: () => {
        if (here.thread !== null) heartbeat.heard(here.thread);
      },
      sealed: (envelope, bytes) => take(ticket, envelope, bytes),
    });
    const here: Running = { ticket, room, line, word: new Int32Array(flag), thread: null };
    ticket.running = here;
    running.add(here);
    room.open++;
    const deadlines = { ...job.deadlines, groupMs: Math.min(job.deadlines.groupMs, leftMs) };
    room.pool.run({ job: pack({ ...job, deadlines }), cast, port: port2, running: flag }).then(
      () => ended(here, undefined),
      (error: unknown) => ended(here, error),
    );
  };

  /** The host's task is over: the group is sealed, or it was lost and goes where supervision says. */
  const ended = (here: Running, error: unknown): void => {
    const { ticket, room, line } = here;
    running.delete(here);
    delete ticket.running;
    line.close();
    room.open--;
    if (here.thread !== null && ![...running].some((each) => each.thread === here.thread)) heartbeat.forget(here.thread);
    if (!ticket.sealed && !ticket.roll.over && broken === undefined) lose(here, error);
    if (ticket.roll.over) ticket.roll.tickets.delete(ticket.job.group);
    fill(room);
  };

  const lose = ({ ticket, room, word, thread, line }: Running, error: unknown): void => {
    const { job } = ticket;
    const why = line.noted ?? (error === undefined ? 'it ended without sealing its group' : asFault(ThreadFault, 'pool', error).message);
    const fault = new ThreadFault(`the host of ${job.group} failed: ${why}`, { cause: error }).toData();
    const died = error !== undefined && (thread === null || !room.pool.threads.includes(thread));
    // A thread that died before it took the group up says nothing about the group.
    const before = died && thread === null;
    if (!before) {
      const loss = died
        ? ({ kind: 'died', onProcessor: Atomics.load(word, 0) === 1, alone: room.name === 'alone', fault } as const)
        : ({ kind: 'rejected', fault } as const);
      ticket.losses = lost(ticket.losses, loss);
    }
    const next = placement(ticket.losses, attempts);
    if (next === 'quarantine') return condemn(ticket);
    tally.rerun++;
    const to = next === 'alone' ? alone() : stage;
    to.queue.unshift(ticket);
    if (to !== room) fill(to);
  };

  const condemn = (ticket: Ticket): void => {
    const { job, losses } = ticket;
    const command = options.reproduce?.(job.task) ?? `play ${job.task.id} of run ${job.run} with seed ${job.seed}`;
    options.record(quarantine.condemn(job.task, losses.faults, command));
    broker.abandon(job.group);
    seal(ticket, lostGroup(job, losses.faults.at(-1) ?? new ThreadFault('quarantined').toData(), 'complete'));
  };

  const seal = (ticket: Ticket, group: RolloutGroup): void => {
    const { envelope, bytes } = enveloped(group);
    take(ticket, envelope, bytes);
  };
  const take = (ticket: Ticket, envelope: GroupEnvelope, bytes: Bytes): void => {
    if (ticket.roll.over || ticket.sealed) return;
    ticket.sealed = true;
    ticket.roll.tickets.delete(ticket.job.group);
    if (broker.seal(envelope, bytes)) ticket.roll.sealed({ envelope, bytes });
  };

  /** Ends a roll before its groups are sealed. Hosts get `graceMs` to stop; those that do not are ended. */
  const giveUp = async (roll: Roll): Promise<void> => {
    if (roll.over) return;
    roll.over = true;
    broker.abandonStep(roll.step);
    for (const [group, ticket] of roll.tickets) {
      broker.abandon(group);
      if (ticket.running === undefined) roll.tickets.delete(group);
      else ticket.running.line.cancel();
    }
    for (const each of [stage, observation])
      if (each !== undefined) each.queue.splice(0, Infinity, ...each.queue.filter((ticket) => ticket.roll !== roll));
    for (const step = graceMs / 20, until = clock.now() + graceMs; roll.tickets.size > 0 && clock.now() < until;)
      await new Promise<void>((resolve) => clock.after(step, resolve));
    endHosts(roll);
  };
  /** Ends the threads that still hold a group of this roll; one that takes such a group up later is ended then. */
  const endHosts = (roll: Roll): void => {
    roll.ended = true;
    const hosts = new Map(
      [...roll.tickets.values()].flatMap(({ running: here }) => (here?.thread == null ? [] : [[here.thread, here.room] as const])),
    );
    for (const [thread, room] of hosts) room.pool.kill(thread);
  };

  return {
    roll: (jobs, how) => {
      const { signal, deadlineMs } = how;
      const step = jobs[0]?.step;
      if (step === undefined) return Promise.resolve([]);
      if (broken !== undefined) return Promise.reject(broken);
      if (signal.aborted) return Promise.reject(new CancelledFault(`step ${step} was cancelled`));
      return new Promise((resolve, reject) => {
        const finish = (): void => {
          rolls.delete(roll);
          signal.removeEventListener('abort', abort);
          disarm();
        };
        const fail = (fault: TroupeFault): void => {
          if (!rolls.has(roll)) return;
          finish();
          void giveUp(roll).then(() => reject(fault));
        };
        const abort = (): void => fail(new CancelledFault(`step ${step} was cancelled`));
        const expired = new ThreadFault(`the group was not sealed within the step's ${Math.round(deadlineMs)} ms`).toData();
        const disarm = clock.after(deadlineMs + graceMs, () => {
          endHosts(roll);
          for (const ticket of roll.tickets.values()) seal(ticket, lostGroup(ticket.job, expired, 'deadline'));
        });
        const roll: Roll = {
          step,
          due: clock.now() + deadlineMs,
          tickets: new Map(),
          over: false,
          ended: false,
          begin: (job) => how.begin?.(job) ?? job,
          sealed: (sealed) => how.onSealed?.(sealed),
          fail,
        };
        rolls.add(roll);
        signal.addEventListener('abort', abort, { once: true });
        void broker
          .expect(
            step,
            jobs.map((job) => job.group),
          )
          .then((sealed) => {
            finish();
            resolve(sealed);
          });
        for (const job of jobs) {
          const ticket: Ticket = { job, roll, begun: false, losses: noLosses, sealed: false };
          roll.tickets.set(job.group, ticket);
          if (quarantine.has(job.task.id))
            seal(ticket, lostGroup(job, new ThreadFault(`task ${job.task.id} is quarantined`).toData(), 'complete'));
          else stage.queue.push(ticket);
        }
        fill(stage);
      });
    },
    get threads() {
      return stage.pool.threads;
    },
    kill: (thread) => stage.pool.kill(thread),
    quarantined: quarantine.tasks,
    tally,
    close: async () => {
      for (const roll of rolls) roll.fail(new CancelledFault('the pool is closing'));
      heartbeat.close();
      await Promise.all([stage.pool.close(), observation?.pool.close()]);
    },
  };
}

let serials = 0;
function shared(bytes: Bytes): { readonly serial: number; readonly bytes: SharedArrayBuffer } {
  const buffer = new SharedArrayBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return { serial: serials++, bytes: buffer };
}
