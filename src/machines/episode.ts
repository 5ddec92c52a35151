/** One conversation: the agent acts, the world answers, the judge decides how it went. Never touches a model, a simulator or a clock itself. */
import { assign, assertEvent, sendTo, setup, spawnChild } from 'xstate';
import type { Fault } from '../protocol/fault.ts';
import type { EpisodeId } from '../protocol/ids.ts';
import type {
  AgentMessage,
  EpisodeMessage,
  JudgeMessage,
  MessageOf,
  ObservedTurn,
  ToolMessage,
  UserMessage,
} from '../protocol/messages.ts';
import type { Outcome } from '../protocol/outcome.ts';
import type { ToolCall } from '../protocol/tool.ts';
import type { AgentTurn, Turn } from '../protocol/turn.ts';
import type { World } from '../protocol/world.ts';
import { agentMachine } from './agent.ts';
import { judgeMachine } from './judge.ts';
import { toolMachine } from './tool.ts';
import { userMachine } from './user.ts';

export interface EpisodeInput {
  readonly id: EpisodeId;
  readonly member: number;
  readonly attempt: number;
  /** What the user says first. */
  readonly query: string;
  readonly maxTurns: number;
  readonly world: World;
  /** Prompts to one simulator for one answer. */
  readonly askAttempts: number;
}

export interface EpisodeContext {
  readonly input: EpisodeInput;
  readonly turns: readonly Turn[];
  /** Environment turns the agent has not read yet. */
  readonly unread: readonly ObservedTurn[];
  /** What the agent said since the user last spoke. */
  readonly unheard: readonly string[];
  /** Calls of the last agent turn still to be made. */
  readonly pending: readonly ToolCall[];
  readonly agentTurns: number;
  readonly outcome: Outcome;
  /** Messages that came when nobody waited for them. */
  readonly late: number;
}

export interface EpisodeOutput {
  readonly outcome: Outcome;
  readonly turns: readonly Turn[];
}

const silent: AgentTurn = { role: 'agent', thought: '', text: '', calls: [] };
const lastSaid = (turns: readonly Turn[]): AgentTurn => turns.findLast((turn): turn is AgentTurn => turn.role === 'agent') ?? silent;

/** Whose failure it was decides what it means: the engine's is infrastructure wherever it surfaced, a cancelled call is ours, the rest is the role's. */
export function outcomeOfFault(role: MessageOf<'episode.faulted'>['role'], fault: Fault): Outcome {
  if (fault.kind === 'CancelledFault') return { kind: 'truncated', by: 'budget', reason: fault.message };
  if (role === 'agent' || fault.kind === 'EngineFault' || fault.kind === 'ThreadFault') return { kind: 'infraFault', fault };
  if (role === 'judge') return { kind: 'judgeFault', fault };
  return { kind: 'simulatorFault', role, fault };
}

/** What the agent reads where its call could not be read: the status alone, as for any call that code refuses. */
const unreadableCall: ObservedTurn = {
  role: 'tool',
  call: { name: '', arguments: {} },
  status: 'invalidArgument',
  result: null,
  patch: [],
};

export const episodeMachine = setup({
  types: {
    input: {} as EpisodeInput,
    context: {} as EpisodeContext,
    events: {} as EpisodeMessage | { readonly type: `xstate.error.actor.${string}`; readonly error: unknown },
    output: {} as EpisodeOutput,
    children: {} as { agent: 'agent'; user: 'user'; tool: 'tool'; judge: 'judge' },
  },
  actors: { agent: agentMachine, user: userMachine, tool: toolMachine, judge: judgeMachine },
  guards: {
    /** The turn holds nothing anybody could react to: the one way in which a policy's words end its episode. */
    saidNothing: ({ context }) => {
      const said = lastSaid(context.turns);
      return said.calls.length === 0 && said.malformed === undefined && said.text.trim() === '';
    },
    outOfTurns: ({ context }) => context.agentTurns >= context.input.maxTurns,
    /** To go on, the agent would have to read a result; it has no turn left to do so. */
    actsOutOfTurns: ({ context }) => {
      const said = lastSaid(context.turns);
      return context.agentTurns >= context.input.maxTurns && (said.calls.length > 0 || said.malformed !== undefined);
    },
    isMalformed: ({ context }) => lastSaid(context.turns).malformed !== undefined,
    callsTools: ({ context }) => context.pending.length > 0,
    moreCalls: ({ context }) => context.pending.length > 1,
    userIsDone: ({ event }) => event.type === 'episode.replied' && event.done,
  },
  actions: {
    promptAgent: sendTo('agent', ({ context }): AgentMessage => ({ type: 'agent.prompt', turns: context.unread })),
    markRead: assign({ unread: [] }),
    appendSaid: assign(({ context, event }) => {
      assertEvent(event, 'episode.said');
      const { turn } = event;
      return {
        turns: [...context.turns, turn],
        agentTurns: context.agentTurns + 1,
        pending: turn.malformed === undefined ? turn.calls : [],
        unheard: turn.text === '' ? context.unheard : [...context.unheard, turn.text],
      };
    }),
    answerUnreadable: assign(({ context }) => ({
      turns: [...context.turns, unreadableCall],
      unread: [...context.unread, unreadableCall],
    })),
    callTool: sendTo('tool', ({ context }): ToolMessage => ({
      type: 'tool.call',
      call: context.pending[0] ?? { name: '', arguments: {} },
    })),
    appendObserved: assign(({ context, event }) => {
      assertEvent(event, 'episode.observed');
      return { turns: [...context.turns, event.turn], unread: [...context.unread, event.turn], pending: context.pending.slice(1) };
    }),
    askUser: sendTo('user', ({ context }): UserMessage => ({ type: 'user.hear', said: context.unheard })),
    markHeard: assign({ unheard: [] }),
    appendReplied: assign(({ context, event }) => {
      assertEvent(event, 'episode.replied');
      return { turns: [...context.turns, event.turn], unread: [...context.unread, event.turn] };
    }),
    callJudge: sendTo('judge', ({ context }): JudgeMessage => {
      return { type: 'judge.review', turns: context.turns.map((turn) => (turn.role === 'agent' ? { ...turn, thought: '' } : turn)) };
    }),
    score: assign(({ event }) => {
      assertEvent(event, 'episode.ruled');
      return { outcome: { kind: 'scored' as const, verdict: event.verdict } };
    }),
    blamePolicy: assign({ outcome: { kind: 'policyFault', reason: 'the turn holds neither text nor a call' } }),
    cutTurns: assign(({ context }) => ({
      outcome: { kind: 'truncated' as const, by: 'policy' as const, reason: `no end after ${context.agentTurns} turns` },
    })),
    cutContext: assign(({ event }) => {
      assertEvent(event, 'episode.overflowed');
      return { outcome: { kind: 'truncated' as const, by: 'policy' as const, reason: `context full at ${event.length} tokens` } };
    }),
    cutTime: assign(({ event }) => {
      assertEvent(event, 'deadline.expired');
      return { outcome: { kind: 'truncated' as const, by: 'budget' as const, reason: `${event.deadline} deadline` } };
    }),
    cutByOrder: assign(({ event }) => {
      assertEvent(event, 'episode.cancel');
      return { outcome: { kind: 'truncated' as const, by: 'budget' as const, reason: event.reason } };
    }),
    keepFault: assign(({ event }) => {
      assertEvent(event, 'episode.faulted');
      return { outcome: outcomeOfFault(event.role, event.fault) };
    }),
    keepCrash: assign(({ event }) => {
      const error = 'error' in event ? event.error : 'unknown';
      const message = `${event.type.slice('xstate.error.actor.'.length)} crashed: ${error instanceof Error ? error.message : String(error)}`;
      return { outcome: { kind: 'infraFault' as const, fault: { kind: 'ThreadFault' as const, message } } };
    }),
    countLate: assign(({ context }) => ({ late: context.late + 1 })),
  },
}).createMachine({
  id: 'episode',
  context: ({ input }) => ({
    input,
    turns: [{ role: 'user', text: input.query }],
    unread: [{ role: 'user', text: input.query }],
    unheard: [],
    pending: [],
    agentTurns: 0,
    // Overwritten on every way to `done`.
    outcome: { kind: 'truncated', by: 'budget', reason: 'not ended' },
    late: 0,
  }),
  entry: [
    spawnChild('agent', { id: 'agent' }),
    spawnChild('tool', { id: 'tool', input: ({ context }) => ({ world: context.input.world, attempts: context.input.askAttempts }) }),
    spawnChild('user', { id: 'user', input: ({ context }) => ({ query: context.input.query, attempts: context.input.askAttempts }) }),
  ],
  initial: 'acting',
  on: {
    'episode.faulted': { target: '.done', actions: 'keepFault' },
    'episode.cancel': { target: '.done', actions: 'cutByOrder' },
    'deadline.expired': { target: '.done', actions: 'cutTime' },
    'xstate.error.actor.*': { target: '.done', actions: 'keepCrash' },
    'episode.*': { actions: 'countLate' },
  },
  states: {
    acting: {
      meta: { deadline: 'episode' },
      entry: ['promptAgent', 'markRead'],
      on: {
        'episode.said': { target: 'routing', actions: 'appendSaid' },
        'episode.overflowed': { target: 'done', actions: 'cutContext' },
      },
    },
    routing: {
      always: [
        { guard: 'saidNothing', target: 'done', actions: 'blamePolicy' },
        { guard: 'actsOutOfTurns', target: 'done', actions: 'cutTurns' },
        { guard: 'isMalformed', target: 'acting', actions: 'answerUnreadable' },
        { guard: 'callsTools', target: 'calling' },
        { target: 'listening' },
      ],
    },
    calling: {
      meta: { deadline: 'episode' },
      entry: 'callTool',
      on: {
        'episode.observed': [
          { guard: 'moreCalls', target: 'calling', reenter: true, actions: 'appendObserved' },
          { target: 'acting', actions: 'appendObserved' },
        ],
      },
    },
    listening: {
      meta: { deadline: 'episode' },
      entry: ['askUser', 'markHeard'],
      on: {
        'episode.replied': [
          { guard: 'userIsDone', target: 'judging' },
          { guard: 'outOfTurns', target: 'done', actions: ['appendReplied', 'cutTurns'] },
          { target: 'acting', actions: 'appendReplied' },
        ],
      },
    },
    judging: {
      meta: { deadline: 'episode' },
      entry: [spawnChild('judge', { id: 'judge', input: ({ context }) => ({ attempts: context.input.askAttempts }) }), 'callJudge'],
      on: { 'episode.ruled': { target: 'done', actions: 'score' } },
    },
    done: { type: 'final' },
  },
  output: ({ context }) => ({ outcome: context.outcome, turns: context.turns }),
});
