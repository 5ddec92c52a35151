/**
 * The curriculum as an actor: draws tasks' difficulties while a step is drawn, moves D once by the step's rewards. Steps may be drawn ahead: then D moves when the oldest
 * of them is rewarded. The rule is learning/curriculum.ts; nothing here knows a task.
 */
import { assign, assertEvent, setup } from 'xstate';
import { advance, type CurriculumRule, type CurriculumState, draw, type Drawn, startOf } from '../learning/curriculum.ts';
import { effect } from './unbound.ts';

export interface CurriculumInput {
  readonly rule: CurriculumRule;
  /** Of the run: names the stream tasks are drawn from. */
  readonly seed: number;
  /** From a checkpoint; absent at the start of a run. */
  readonly state?: CurriculumState;
}

export interface CurriculumContext {
  readonly rule: CurriculumRule;
  readonly seed: number;
  readonly state: CurriculumState;
  /** Of the step drawn last, in task order. */
  readonly drawn: readonly Drawn[];
  /** Steps drawn and not yet rewarded. */
  readonly awaited: number;
}

export type CurriculumEvent =
  | { readonly type: 'curriculum.draw'; readonly tasks: number }
  /** One per scored member of the step, zero-variance groups included. */
  | { readonly type: 'curriculum.rewarded'; readonly rewards: readonly number[] };

export const curriculumMachine = setup({
  types: {
    input: {} as CurriculumInput,
    context: {} as CurriculumContext,
    events: {} as CurriculumEvent,
    meta: {} as { deadline?: string; idle?: boolean },
  },
  guards: {
    isLastAwaited: ({ context }) => context.awaited === 1,
  },
  actions: {
    drawTasks: assign(({ context, event }) => {
      assertEvent(event, 'curriculum.draw');
      const drawn: Drawn[] = [];
      let { state } = context;
      for (let i = 0; i < event.tasks; i++) {
        const next = draw(context.rule, state, context.seed);
        drawn.push(next);
        state = next.state;
      }
      return { drawn, state, awaited: context.awaited + 1 };
    }),
    moveDifficulty: assign(({ context, event }) => {
      assertEvent(event, 'curriculum.rewarded');
      return { state: advance(context.rule, context.state, event.rewards), drawn: [], awaited: context.awaited - 1 };
    }),
    /** Bound: hands over the difficulties drawn. */
    deliver: effect('deliver'),
  },
}).createMachine({
  id: 'curriculum',
  context: ({ input }) => ({ rule: input.rule, seed: input.seed, state: input.state ?? startOf(input.rule), drawn: [], awaited: 0 }),
  initial: 'steady',
  states: {
    steady: { meta: { idle: true }, on: { 'curriculum.draw': { target: 'awaitingRewards', actions: ['drawTasks', 'deliver'] } } },
    awaitingRewards: {
      meta: { idle: true },
      on: {
        'curriculum.draw': { actions: ['drawTasks', 'deliver'] },
        'curriculum.rewarded': [{ guard: 'isLastAwaited', target: 'steady', actions: 'moveDifficulty' }, { actions: 'moveDifficulty' }],
      },
    },
  },
});
