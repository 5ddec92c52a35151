/** The judge: reviews the finished transcript once and rules, or fails to. It is never asked for a number, and never gives one when it fails. */
import { assign, assertEvent, sendTo, setup } from 'xstate';
import type { EpisodeMessage, JudgeMessage } from '../protocol/messages.ts';
import type { Verdict } from '../protocol/outcome.ts';
import type { Turn } from '../protocol/turn.ts';
import { askGuards, asking, blame, complain, countLate, freshAsk, lateAnswers, nextAsk } from './ask.ts';
import type { AskContext, AskFailure } from './ask.ts';
import { effect, parent } from './unbound.ts';

export interface JudgeInput {
  readonly attempts: number;
}

interface JudgeContext extends AskContext, AskFailure {
  /** Thoughts stripped. */
  readonly turns: readonly Turn[];
  readonly verdict: Verdict | null;
}

export const judgeMachine = setup({
  types: {
    input: {} as JudgeInput,
    context: {} as JudgeContext,
    events: {} as JudgeMessage,
  },
  guards: askGuards,
  actions: {
    pose: effect('pose'),
    open: assign(({ context, event }) => {
      assertEvent(event, 'judge.review');
      return { ...nextAsk({ context }), turns: event.turns };
    }),
    keepComplaint: assign((asked) => complain(asked)),
    keepFault: assign((asked) => blame('JudgeFault', 'judge', asked)),
    keepAnswer: assign(({ event }) => {
      assertEvent(event, 'ask.read');
      return { verdict: event.answer };
    }),
    rule: sendTo(parent, ({ context }): EpisodeMessage => {
      if (context.verdict === null)
        return { type: 'episode.faulted', role: 'judge', fault: { kind: 'JudgeFault', message: 'judge: ruled without a verdict' } };
      return { type: 'episode.ruled', verdict: context.verdict };
    }),
    giveUp: sendTo(parent, ({ context }): EpisodeMessage => {
      return { type: 'episode.faulted', role: 'judge', fault: context.fault ?? { kind: 'JudgeFault', message: 'judge: gave up' } };
    }),
    countLate: assign((asked) => countLate(asked)),
  },
}).createMachine({
  id: 'judge',
  context: ({ input }) => ({ ...freshAsk(input.attempts), turns: [], verdict: null }),
  initial: 'waiting',
  on: lateAnswers,
  states: {
    waiting: { meta: { idle: true }, on: { 'judge.review': { target: 'asking', actions: 'open' } } },
    asking,
    answered: { entry: 'rule', meta: { idle: true } },
    faulted: { entry: 'giveUp', meta: { idle: true } },
  },
});
