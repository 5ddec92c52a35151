/**
 * The charts again, with contexts that keep only what a guard reads: the same states at every event, at a cost that does not grow with what was said before.
 * For whoever wants the states of a long episode and not its words; it forgets turns, tokens and answers.
 */
import { assign, assertEvent } from 'xstate';
import type { AnyStateMachine } from 'xstate';
import type { ObservedTurn } from '../protocol/messages.ts';
import { agentMachine } from './agent.ts';
import { episodeMachine } from './episode.ts';
import { charts } from './replay.ts';
import { userMachine } from './user.ts';

const nothing = {};
const none: readonly never[] = [];
const unheard: readonly ObservedTurn[] = [];

/** By the last part of an actor's path. */
export const leanCharts: Readonly<Record<string, AnyStateMachine>> = {
  ...charts,
  episode: episodeMachine.provide({
    actions: {
      // Guards ask for the turn said last and for the calls of it that are still open.
      appendSaid: assign(({ context, event }) => {
        assertEvent(event, 'episode.said');
        const { turn } = event;
        return {
          turns: [turn],
          agentTurns: context.agentTurns + 1,
          pending: turn.malformed === undefined ? turn.calls : none,
          unheard: [],
        };
      }),
      appendObserved: assign(({ context }) => ({ pending: context.pending.slice(1), unread: unheard })),
      answerUnreadable: assign(nothing),
      appendReplied: assign(nothing),
    },
  }),
  agent: agentMachine.provide({ actions: { keepTokens: assign(nothing) } }),
  user: userMachine.provide({
    actions: { hear: assign(({ context }) => ({ ask: context.ask + 1, complaints: [] })), keepAnswer: assign(nothing) },
  }),
};
