/** The task writer: one question, one validated task, or the fault that explains why there is none. */
import { assign, assertEvent, setup } from 'xstate';
import type { Fault } from '../protocol/fault.ts';
import type { AskMessage } from '../protocol/messages.ts';
import type { Task } from '../protocol/task.ts';
import { askGuards, asking, blame, complain, countLate, freshAsk, lateAnswers, nextAsk } from './ask.ts';
import type { AskContext, AskFailure } from './ask.ts';
import { effect } from './unbound.ts';

export interface TaskInput {
  readonly attempts: number;
}

interface TaskContext extends AskContext, AskFailure {
  readonly task: Task | null;
}

export type TaskOutput = { readonly task: Task; readonly fault: null } | { readonly task: null; readonly fault: Fault };

export const taskMachine = setup({
  types: {
    input: {} as TaskInput,
    context: {} as TaskContext,
    events: {} as AskMessage<Task>,
    output: {} as TaskOutput,
  },
  guards: askGuards,
  actions: {
    pose: effect('pose'),
    keepComplaint: assign((asked) => complain(asked)),
    keepFault: assign((asked) => blame('TaskFault', 'task writer', asked)),
    keepAnswer: assign(({ event }) => {
      assertEvent(event, 'ask.read');
      return { task: event.answer };
    }),
    countLate: assign((asked) => countLate(asked)),
  },
}).createMachine({
  id: 'task',
  context: ({ input }) => {
    const fresh = freshAsk(input.attempts);
    return { ...fresh, ...nextAsk({ context: fresh }), task: null };
  },
  initial: 'asking',
  on: lateAnswers,
  states: { asking, answered: { type: 'final' }, faulted: { type: 'final' } },
  output: ({ context }) =>
    context.task !== null
      ? { task: context.task, fault: null }
      : { task: null, fault: context.fault ?? { kind: 'TaskFault', message: 'task writer: gave up' } },
});
