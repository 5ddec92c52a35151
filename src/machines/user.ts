/** The simulated user: hears what the agent said and replies, or has nothing more to ask. Never sees a call, a result or a thought. */
import { assign, assertEvent, sendTo, setup } from 'xstate';
import type { EpisodeMessage, UserMessage } from '../protocol/messages.ts';
import { askGuards, asking, blame, complain, countLate, freshAsk, lateAnswers, nextAsk } from './ask.ts';
import type { AskContext, AskFailure } from './ask.ts';
import { effect, parent } from './unbound.ts';

export interface UserInput {
  /** The first thing the user says: the task's query. */
  readonly query: string;
  readonly attempts: number;
}

interface UserContext extends AskContext, AskFailure {
  /** Oldest first: what was said aloud on both sides. */
  readonly conversation: readonly { readonly role: 'user' | 'agent'; readonly text: string }[];
  readonly done: boolean;
}

export const userMachine = setup({
  types: {
    input: {} as UserInput,
    context: {} as UserContext,
    events: {} as UserMessage,
  },
  guards: askGuards,
  actions: {
    pose: effect('pose'),
    hear: assign(({ context, event }) => {
      assertEvent(event, 'user.hear');
      return {
        ...nextAsk({ context }),
        conversation: [...context.conversation, ...event.said.map((text) => ({ role: 'agent' as const, text }))],
      };
    }),
    keepComplaint: assign((asked) => complain(asked)),
    keepFault: assign((asked) => blame('SimulatorFault', 'user', asked)),
    keepAnswer: assign(({ context, event }) => {
      assertEvent(event, 'ask.read');
      return { conversation: [...context.conversation, { role: 'user' as const, text: event.answer.text }], done: event.answer.done };
    }),
    reply: sendTo(parent, ({ context }): EpisodeMessage => {
      return { type: 'episode.replied', turn: { role: 'user', text: context.conversation.at(-1)?.text ?? '' }, done: context.done };
    }),
    giveUp: sendTo(parent, ({ context }): EpisodeMessage => {
      return { type: 'episode.faulted', role: 'user', fault: context.fault ?? { kind: 'SimulatorFault', message: 'user: gave up' } };
    }),
    countLate: assign((asked) => countLate(asked)),
  },
}).createMachine({
  id: 'user',
  context: ({ input }) => ({ ...freshAsk(input.attempts), conversation: [{ role: 'user', text: input.query }], done: false }),
  initial: 'waiting',
  on: lateAnswers,
  states: {
    waiting: { meta: { idle: true }, on: { 'user.hear': { target: 'asking', actions: 'hear' } } },
    asking,
    answered: { entry: 'reply', meta: { idle: true }, on: { 'user.hear': { target: 'asking', actions: 'hear' } } },
    faulted: { entry: 'giveUp', meta: { idle: true } },
  },
});
