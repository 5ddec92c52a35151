/**
 * The members of one task, from opening to one seal. A member that failed through the infrastructure runs again with its seed, one whose simulator failed is refilled once
 * with a fresh one; whoever is missing at the end has a reason. It never sees an episode, only how it ended.
 */
import { assign, assertEvent, setup } from 'xstate';
import type { RolloutGroup } from '../protocol/group.ts';
import type { GroupMessage, MemberEnd, MessageOf } from '../protocol/messages.ts';
import { effect } from './unbound.ts';

export interface GroupInput {
  readonly members: number;
  /** Gmin: with fewer scored members the group is failed. */
  readonly minimumScored: number;
  /** Runs of one member with one seed. */
  readonly attempts: number;
}

export interface Member {
  /** 1-based, over all runs of this member: a higher one fences the results of lower ones. */
  readonly attempt: number;
  /** Runs with the present seed. */
  readonly runs: number;
  /** 0, or 1 once it was refilled with a fresh seed. */
  readonly refill: number;
  readonly end: MemberEnd | null;
}

export interface GroupContext {
  readonly input: GroupInput;
  /** In member order. */
  readonly members: readonly Member[];
  readonly sealedBy: RolloutGroup['sealedBy'];
  readonly late: number;
}

export interface GroupOutput {
  readonly status: RolloutGroup['status'];
  readonly sealedBy: RolloutGroup['sealedBy'];
}

type Ended = MessageOf<'group.ended'>;
type Scene = { context: GroupContext; event: GroupMessage };

const replace = (members: readonly Member[], at: number, next: (member: Member) => Member): readonly Member[] =>
  members.map((member, index) => (index === at ? next(member) : member));

const scored = (context: GroupContext): number => context.members.filter((member) => member.end === 'scored').length;

function memberOf({ context, event }: Scene): Member | undefined {
  return event.type === 'group.ended' ? context.members[event.member] : undefined;
}

const isInfrastructure = (end: MemberEnd): boolean => end === 'infrastructure' || end === 'crashed';

export const groupMachine = setup({
  types: {
    input: {} as GroupInput,
    context: {} as GroupContext,
    events: {} as GroupMessage,
    output: {} as GroupOutput,
  },
  guards: {
    isStale: (scene) => {
      const member = memberOf(scene);
      return member === undefined || member.end !== null || member.attempt !== (scene.event as Ended).attempt;
    },
    mayRetry: (scene) => {
      const { event } = scene;
      return (
        event.type === 'group.ended' &&
        isInfrastructure(event.end) &&
        event.timeAllows &&
        (memberOf(scene)?.runs ?? 0) < scene.context.input.attempts
      );
    },
    mayRefill: (scene) => {
      const { event } = scene;
      return event.type === 'group.ended' && event.end === 'simulator' && event.timeAllows && memberOf(scene)?.refill === 0;
    },
    isLast: (scene) => {
      const { event } = scene;
      return event.type === 'group.ended' && scene.context.members.every((member, index) => member.end !== null || index === event.member);
    },
    hasEnough: ({ context }) => scored(context) >= context.input.minimumScored,
  },
  actions: {
    /** Bound: opens every member. */
    openMembers: effect('openMembers'),
    /** Bound: opens the member the event names once more. */
    reopenMember: effect('reopenMember'),
    /** Bound: cancels whoever still runs; each answers with `group.ended`. */
    cutMembers: effect('cutMembers'),
    settle: assign(({ context, event }) => {
      assertEvent(event, 'group.ended');
      return { members: replace(context.members, event.member, (member) => ({ ...member, end: event.end })) };
    }),
    countRetry: assign(({ context, event }) => {
      assertEvent(event, 'group.ended');
      return {
        members: replace(context.members, event.member, (member) => ({ ...member, attempt: member.attempt + 1, runs: member.runs + 1 })),
      };
    }),
    countRefill: assign(({ context, event }) => {
      assertEvent(event, 'group.ended');
      return {
        members: replace(context.members, event.member, (member) => ({ ...member, attempt: member.attempt + 1, runs: 1, refill: 1 })),
      };
    }),
    sealByDeadline: assign({ sealedBy: 'deadline' }),
    sealByCancel: assign({ sealedBy: 'cancel' }),
    countLate: assign(({ context }) => ({ late: context.late + 1 })),
  },
}).createMachine({
  id: 'group',
  context: ({ input }) => ({
    input,
    members: Array.from({ length: input.members }, () => ({ attempt: 1, runs: 1, refill: 0, end: null })),
    sealedBy: 'complete',
    late: 0,
  }),
  initial: 'running',
  on: { 'group.ended': { guard: 'isStale', actions: 'countLate' } },
  states: {
    running: {
      meta: { deadline: 'group' },
      entry: 'openMembers',
      on: {
        'group.ended': [
          { guard: 'isStale', actions: 'countLate' },
          { guard: 'mayRetry', actions: ['countRetry', 'reopenMember'] },
          { guard: 'mayRefill', actions: ['countRefill', 'reopenMember'] },
          { guard: 'isLast', target: 'sealing', actions: 'settle' },
          { actions: 'settle' },
        ],
        'group.cancel': { target: 'cutting', actions: 'sealByCancel' },
        'deadline.expired': { target: 'cutting', actions: 'sealByDeadline' },
      },
    },
    cutting: {
      meta: { deadline: 'cut' },
      entry: 'cutMembers',
      on: {
        'group.ended': [
          { guard: 'isStale', actions: 'countLate' },
          { guard: 'isLast', target: 'sealing', actions: 'settle' },
          { actions: 'settle' },
        ],
        'deadline.expired': 'sealing',
      },
    },
    sealing: { always: [{ guard: 'hasEnough', target: 'sealed' }, { target: 'failed' }] },
    sealed: { type: 'final' },
    failed: { type: 'final' },
  },
  output: ({ context }) => ({ status: scored(context) >= context.input.minimumScored ? 'sealed' : 'failed', sealedBy: context.sealedBy }),
});
