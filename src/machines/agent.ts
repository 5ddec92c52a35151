/** The policy at work: each prompt becomes one model call, each reply one turn, and every token that was read or sampled is kept in its trace. Never sees the world or the verdict. */
import { assign, assertEvent, sendTo, setup } from 'xstate';
import type { Fault } from '../protocol/fault.ts';
import type { PolicyVersion } from '../protocol/ids.ts';
import type { AgentMessage, EpisodeMessage, ObservedTurn } from '../protocol/messages.ts';
import { appendPrompt, appendSampled } from '../protocol/trace.ts';
import type { TokenTrace } from '../protocol/trace.ts';
import type { AgentTurn, Turn } from '../protocol/turn.ts';
import { effect, parent } from './unbound.ts';

export interface AgentContext {
  /** Number of the present model call, from 1. */
  readonly call: number;
  /** Read and sampled so far, newest last; what is rendered for the present call joins it with the reply. More than one where the chat template is not append-only. */
  readonly traces: readonly TokenTrace[];
  /** Everything heard and said up to the last sampled turn, for a template that must render it again. */
  readonly history: readonly Turn[];
  /** What happened since the last sampled turn. */
  readonly unread: readonly ObservedTurn[];
  /** Whether the last sampled turn ended with its stop token. */
  readonly stopped: boolean;
  readonly versions: { readonly start: PolicyVersion; readonly end: PolicyVersion } | null;
  readonly turn: AgentTurn | null;
  readonly fault: Fault | null;
  readonly length: number;
  readonly late: number;
}

const nothing: TokenTrace = new Int32Array(0);

export const agentMachine = setup({
  types: { context: {} as AgentContext, events: {} as AgentMessage },
  guards: {
    isCurrent: ({ context, event }) => event.type !== 'agent.prompt' && event.type !== 'deadline.expired' && event.call === context.call,
  },
  actions: {
    /** Bound: renders `unread`, asks the engine, and answers with `agent.sampled`, `agent.overflow` or `agent.fault`. */
    sample: effect('sample'),
    read: assign(({ context, event }) => {
      assertEvent(event, 'agent.prompt');
      return { call: context.call + 1, unread: event.turns };
    }),
    keepTokens: assign(({ context, event }) => {
      assertEvent(event, 'agent.sampled');
      const closed = event.restart === true ? context.traces : context.traces.slice(0, -1);
      const open = context.traces[closed.length] ?? nothing;
      const read = appendPrompt(open, event.prompt, event.version);
      return {
        traces: [...closed, appendSampled(read, event.ids, event.logprobs, event.stopped, event.version)],
        history: [...context.history, ...context.unread, event.turn],
        stopped: event.stopped,
        versions: { start: context.versions?.start ?? event.version, end: event.version },
        turn: event.turn,
        unread: [],
      };
    }),
    say: sendTo(parent, ({ context }): EpisodeMessage => {
      return { type: 'episode.said', turn: context.turn ?? { role: 'agent', thought: '', text: '', calls: [] } };
    }),
    keepLength: assign(({ event }) => {
      assertEvent(event, 'agent.overflow');
      return { length: event.length };
    }),
    reportOverflow: sendTo(parent, ({ context }): EpisodeMessage => ({ type: 'episode.overflowed', length: context.length })),
    keepFault: assign(({ event }) => {
      assertEvent(event, ['agent.fault', 'deadline.expired']);
      if (event.type === 'agent.fault') return { fault: event.fault };
      return { fault: { kind: 'EngineFault' as const, message: `agent: no reply before the ${event.deadline} deadline` } };
    }),
    giveUp: sendTo(parent, ({ context }): EpisodeMessage => {
      return { type: 'episode.faulted', role: 'agent', fault: context.fault ?? { kind: 'EngineFault', message: 'agent: gave up' } };
    }),
    countLate: assign(({ context }) => ({ late: context.late + 1 })),
  },
}).createMachine({
  id: 'agent',
  context: { call: 0, traces: [], history: [], unread: [], stopped: true, versions: null, turn: null, fault: null, length: 0, late: 0 },
  initial: 'waiting',
  on: { 'agent.*': { actions: 'countLate' }, 'deadline.expired': { actions: 'countLate' } },
  states: {
    waiting: { meta: { idle: true }, on: { 'agent.prompt': { target: 'sampling', actions: 'read' } } },
    sampling: {
      entry: 'sample',
      meta: { deadline: 'turn' },
      on: {
        'agent.sampled': { guard: 'isCurrent', target: 'waiting', actions: ['keepTokens', 'say'] },
        'agent.overflow': { guard: 'isCurrent', target: 'overflowed', actions: 'keepLength' },
        'agent.fault': { guard: 'isCurrent', target: 'faulted', actions: 'keepFault' },
        'deadline.expired': { target: 'faulted', actions: 'keepFault' },
      },
    },
    overflowed: { entry: 'reportOverflow', meta: { idle: true } },
    faulted: { entry: 'giveUp', meta: { idle: true } },
  },
});
