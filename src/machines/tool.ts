/** The tools of one episode and the world they act on: a call is answered, and its patch applied by code. Never sees what the user wants or which calls are expected. */
import { assign, assertEvent, sendTo, setup } from 'xstate';
import type { EpisodeMessage, ToolMessage } from '../protocol/messages.ts';
import type { ToolCall } from '../protocol/tool.ts';
import type { ToolTurn } from '../protocol/turn.ts';
import type { World } from '../protocol/world.ts';
import { askGuards, asking, blame, complain, countLate, freshAsk, lateAnswers, nextAsk } from './ask.ts';
import type { AskContext, AskFailure } from './ask.ts';
import { effect, parent } from './unbound.ts';

export interface ToolInput {
  /** Before the first call; the same for every member of the group. */
  readonly world: World;
  readonly attempts: number;
}

export interface ToolContext extends AskContext, AskFailure {
  readonly world: World;
  readonly call: ToolCall;
  readonly turn: ToolTurn | null;
}

const nothing: ToolCall = { name: '', arguments: {} };

export const toolMachine = setup({
  types: {
    input: {} as ToolInput,
    context: {} as ToolContext,
    events: {} as ToolMessage,
  },
  guards: askGuards,
  actions: {
    pose: effect('pose'),
    /** Bound to the world's own rules; a replay without them keeps the world it was given and still reaches every state. */
    applyPatch: effect('applyPatch'),
    accept: assign(({ context, event }) => {
      assertEvent(event, 'tool.call');
      return { ...nextAsk({ context }), call: event.call };
    }),
    keepComplaint: assign((asked) => complain(asked)),
    keepFault: assign((asked) => blame('SimulatorFault', 'tool', asked)),
    keepAnswer: assign(({ context, event }) => {
      assertEvent(event, 'ask.read');
      const { status, observation, patch } = event.answer;
      return { turn: { role: 'tool' as const, call: context.call, status, result: observation, patch } };
    }),
    report: sendTo(parent, ({ context }): EpisodeMessage => {
      const turn = context.turn ?? { role: 'tool', call: context.call, status: 'transient', result: null, patch: [] };
      return { type: 'episode.observed', turn };
    }),
    giveUp: sendTo(parent, ({ context }): EpisodeMessage => {
      return { type: 'episode.faulted', role: 'tool', fault: context.fault ?? { kind: 'SimulatorFault', message: 'tool: gave up' } };
    }),
    countLate: assign((asked) => countLate(asked)),
  },
}).createMachine({
  id: 'tool',
  context: ({ input }) => ({ ...freshAsk(input.attempts), world: input.world, call: nothing, turn: null }),
  initial: 'waiting',
  on: lateAnswers,
  states: {
    waiting: { meta: { idle: true }, on: { 'tool.call': { target: 'asking', actions: 'accept' } } },
    asking,
    answered: { entry: ['applyPatch', 'report'], meta: { idle: true }, on: { 'tool.call': { target: 'asking', actions: 'accept' } } },
    faulted: { entry: 'giveUp', meta: { idle: true } },
  },
});
