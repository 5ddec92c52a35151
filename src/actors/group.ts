/** The group host: runs the episodes of one task in this thread and seals them once. Knows nothing of threads, brokers or files: it has ports. */
import { createActor } from 'xstate';
import { asFault, ThreadFault } from '../errors.ts';
import { groupMachine } from '../machines/group.ts';
import type { GroupOutput, Member } from '../machines/group.ts';
import type { Episode } from '../protocol/episode.ts';
import type { Fault } from '../protocol/fault.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import { episodeId } from '../protocol/ids.ts';
import type { Outcome } from '../protocol/outcome.ts';
import { deadlineWheel } from './deadlines.ts';
import { openEpisode } from './episode.ts';
import type { EpisodeEnd, OpenEpisode } from './episode.ts';
import type { HealthCount } from './health.ts';
import { recount } from './panel.ts';
import type { GroupJob, GroupPorts } from './ports.ts';
import { observed, recorder } from './recorder.ts';
import { groupStage } from './stage.ts';

export type { GroupJob, GroupPorts } from './ports.ts';

/** What the chart's actions do, per group: charts are bound once per process and find their host by their system. */
interface GroupHost {
  open(member: number, state: Member): void;
  cut(reason: string): void;
}
const hosts = new WeakMap<object, GroupHost>();
const hostOf = (system: object): GroupHost => hosts.get(system) as GroupHost;

const groupActor = observed(
  groupMachine.provide({
    actions: {
      openMembers: ({ context, system }) => {
        for (const [index, member] of context.members.entries()) hostOf(system).open(index, member);
      },
      reopenMember: ({ context, event, system }) => {
        if (event.type === 'group.ended') hostOf(system).open(event.member, context.members[event.member] as Member);
      },
      cutMembers: ({ context, system }) => {
        hostOf(system).cut(`group ${context.sealedBy}`);
      },
    },
  }),
);

/** A member as its host sees it: open, ended with an episode, or without one. */
interface Seat {
  open: OpenEpisode | null;
  episode: Episode | null;
  fault: Fault | null;
}

/** Cancelled episodes end at once; this only bounds the wait for one that does not. */
const CUT_MS = 1000;

/**
 * Runs the group to its seal. Resolves always, also when `signal` aborts (sealedBy `cancel`) or the group's deadline passes (sealedBy `deadline`);
 * rejects with ThreadFault only when the host itself is broken.
 */
export function runGroup(job: GroupJob, ports: GroupPorts, signal: AbortSignal): Promise<RolloutGroup> {
  return new Promise((resolve, reject) => {
    const wheel = deadlineWheel(ports.clock);
    const record = recorder((events) => {
      ports.record(events);
    }, wheel);
    const stage = groupStage(job, ports);
    const seats: Seat[] = Array.from({ length: job.members }, () => ({ open: null, episode: null, fault: null }));
    const dueAt = ports.clock.now() + job.deadlines.groupMs;
    const { member: first, refill: refilled } = job.anew ?? { member: 0, refill: 0 };

    const actor = createActor(groupActor, {
      input: { members: job.members, minimumScored: job.minimumScored, attempts: job.attempts },
    });

    const open = (index: number, { attempt, refill }: Member): void => {
      const seat = seats[index] as Seat;
      stage.health?.reopen(episodeId(job.group, first + index));
      const openedAt = ports.clock.now();
      stage.running++;
      const onEnd = (end: EpisodeEnd): void => {
        stage.running--;
        seat.open = null;
        seat.episode = end.episode;
        seat.fault = end.fault;
        recount(stage);
        const now = ports.clock.now();
        actor.send({ type: 'group.ended', member: index, attempt, end: end.end, timeAllows: dueAt - now >= now - openedAt });
      };
      // An actor must not be made inside another's action: it opens when the chart has come to rest, unless it is cut before.
      const waiting: OpenEpisode = {
        cancel: (reason) => {
          onEnd({ end: 'cut', episode: null, fault: { kind: 'CancelledFault', message: reason } });
        },
      };
      seat.open = waiting;
      queueMicrotask(() => {
        if (seat.open !== waiting) return;
        const episode = openEpisode(stage, { member: first + index, attempt, refill: refilled + refill, groupDueAt: dueAt }, record, onEnd);
        // It may have ended already, and its seat be taken by the next attempt.
        if (seat.open === waiting) seat.open = episode;
      });
    };
    hosts.set(actor.system, {
      open,
      cut: (reason) => {
        for (const seat of seats) seat.open?.cancel(reason);
      },
    });

    const cancel = (): void => {
      actor.send({ type: 'group.cancel' });
    };
    const close = (): void => {
      signal.removeEventListener('abort', cancel);
      stage.abort.abort();
      record.flush();
      wheel.close();
    };
    actor.subscribe({
      complete: () => {
        const sealed = groupOf(job, actor.getSnapshot().output as GroupOutput, seats, stage.health);
        // Whoever caused the end is stopped after it, and that too is recorded.
        queueMicrotask(() => {
          close();
          resolve(sealed);
        });
      },
      error: (error) => {
        close();
        reject(asFault(ThreadFault, `group ${job.group}`, error));
      },
    });
    record.watch(actor, job.group, (deadline) => ({ ms: deadline === 'cut' ? CUT_MS : dueAt - ports.clock.now(), rank: 0 }));
    actor.start();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
  });
}

function groupOf(job: GroupJob, { status, sealedBy }: GroupOutput, seats: readonly Seat[], health: HealthCount | undefined): RolloutGroup {
  const episodes = seats.flatMap(({ episode }) => (episode === null ? [] : [episode]));
  const missing = seats.flatMap(({ episode, fault }, member) =>
    episode === null
      ? [
          {
            member: (job.anew?.member ?? 0) + member,
            fault: fault ?? { kind: 'CancelledFault' as const, message: 'no episode before the group was sealed' },
          },
        ]
      : [],
  );
  if (health !== undefined) for (const { id, outcome } of episodes) maskLost(health, id, outcome);
  return {
    id: job.group,
    step: job.step,
    task: job.task,
    episodes,
    missing,
    status,
    sealedBy,
    ...(health === undefined ? {} : { health: health.health }),
  };
}

/** Which question cost the episode its reward: the one it waited for, or the role that its end names. What the policy or the budget ended was cut, not masked. */
function maskLost(health: HealthCount, seat: string, outcome: Outcome): void {
  switch (outcome.kind) {
    case 'simulatorFault':
      return health.mask(seat, outcome.role);
    case 'judgeFault':
      return health.mask(seat, 'judge');
    case 'infraFault':
      return health.mask(seat);
    case 'scored':
    case 'policyFault':
    case 'truncated':
      return;
    default:
      return outcome satisfies never;
  }
}
