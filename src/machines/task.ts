/**
 * The task writer: one question and one readable task, then a rehearsal where one is wanted: the expected calls are made on the task's own world, and what they show is a complaint to
 * the writer like any other, or proof. So it ends with a validated task, or with the fault that explains why there is none. It knows neither what makes a task right nor what tools do.
 */
import { assign, assertEvent, sendTo, setup, spawnChild } from 'xstate';
import type { Fault } from '../protocol/fault.ts';
import type { TaskMessage, ToolMessage } from '../protocol/messages.ts';
import type { Task } from '../protocol/task.ts';
import type { ToolTurn } from '../protocol/turn.ts';
import { askGuards, asking, blame, complain, countLate, freshAsk, lateAnswers, nextAsk } from './ask.ts';
import type { AskContext, AskFailure } from './ask.ts';
import { toolMachine } from './tool.ts';
import { effect } from './unbound.ts';

export interface TaskInput {
  readonly attempts: number;
  /** Make the expected calls before the task counts as written. */
  readonly rehearse: boolean;
}

interface TaskContext extends AskContext, AskFailure {
  readonly rehearse: boolean;
  readonly task: Task | null;
  /** Every answer of the present rehearsal, busy ones included. */
  readonly answers: readonly ToolTurn[];
}

export type TaskOutput = { readonly task: Task; readonly fault: null } | { readonly task: null; readonly fault: Fault };

/** Answers that count: a busy tool is asked again. */
const settled = (answers: readonly ToolTurn[]): number => answers.filter(({ status }) => status !== 'transient').length;

export const taskMachine = setup({
  types: {
    input: {} as TaskInput,
    context: {} as TaskContext,
    events: {} as TaskMessage,
    output: {} as TaskOutput,
    children: {} as { tool: 'tool' },
  },
  actors: { tool: toolMachine },
  guards: {
    ...askGuards,
    mustRehearse: ({ context }) => context.rehearse && (context.task?.expectedCalls.length ?? 0) > 0,
    /** Another prompt with the complaint in it is still allowed. */
    mayRewrite: ({ context }) => context.complaints.length + 1 < context.attempts,
    /** What the tool could not answer may be the task's fault; what the engine could not is not. */
    mayRewriteUnanswered: ({ context, event }) =>
      event.type === 'episode.faulted' && event.fault.kind === 'SimulatorFault' && context.complaints.length + 1 < context.attempts,
  },
  actions: {
    pose: effect('pose'),
    /** Sets the tools up for this task. */
    stage: effect('stage'),
    /** Weighs the last answer: the next call, proof, or a complaint. */
    weigh: effect('weigh'),
    /** A call that nobody could answer is known to whoever counts. */
    countUnanswered: effect('countUnanswered'),
    keepComplaint: assign((asked) => complain(asked)),
    keepFault: assign((asked) => blame('TaskFault', 'task writer', asked as never)),
    keepAnswer: assign(({ event }) => {
      assertEvent(event, 'ask.read');
      return { task: event.answer };
    }),
    /** A new one for each rehearsal; the one before is at rest. */
    openWorld: spawnChild('tool', {
      id: 'tool',
      input: ({ context }) => ({ world: context.task?.world ?? { entities: {}, occurrences: {} }, attempts: context.attempts }),
    }),
    forgetAnswers: assign({ answers: [] }),
    callNext: sendTo('tool', ({ context }): ToolMessage => {
      const { name, arguments: args } = context.task?.expectedCalls[settled(context.answers)] ?? { name: '', arguments: {} };
      return { type: 'tool.call', call: { name, arguments: args } };
    }),
    keepObserved: assign(({ context, event }) => {
      assertEvent(event, 'episode.observed');
      return { answers: [...context.answers, event.turn] };
    }),
    keepProof: assign(({ event }) => {
      assertEvent(event, 'task.proven');
      return { task: event.task };
    }),
    keepRefusal: assign(({ context, event }) => {
      assertEvent(event, 'task.refuted');
      return { complaints: [...context.complaints, event.complaint], task: null };
    }),
    keepUnanswered: assign(({ context, event }) => {
      assertEvent(event, 'episode.faulted');
      return {
        complaints: [...context.complaints, `a call could not be answered: ${Array.from(event.fault.message).slice(0, 300).join('')}`],
        task: null,
      };
    }),
    giveUp: assign(({ context, event }) => {
      assertEvent(event, 'task.refuted');
      return {
        task: null,
        fault: {
          kind: 'TaskFault' as const,
          message: `task writer: not rehearsable after ${context.complaints.length + 1} attempts: ${event.complaint}`,
        },
      };
    }),
    blameTool: assign(({ event }) => {
      assertEvent(event, 'episode.faulted');
      const { fault } = event;
      return { task: null, fault: fault.kind === 'SimulatorFault' ? { ...fault, kind: 'TaskFault' as const } : fault };
    }),
    blameTime: assign(({ event }) => {
      assertEvent(event, 'deadline.expired');
      return {
        task: null,
        fault: { kind: 'TaskFault' as const, message: `task writer: not rehearsed before the ${event.deadline} deadline` },
      };
    }),
    countLate: assign((asked) => countLate(asked)),
  },
}).createMachine({
  id: 'task',
  context: ({ input }) => {
    const fresh = freshAsk(input.attempts);
    return { ...fresh, ...nextAsk({ context: fresh }), rehearse: input.rehearse, task: null, answers: [] };
  },
  initial: 'asking',
  on: { ...lateAnswers, 'episode.*': { actions: 'countLate' }, 'task.*': { actions: 'countLate' } },
  states: {
    asking,
    answered: { always: [{ guard: 'mustRehearse', target: 'rehearsing' }, { target: 'written' }] },
    rehearsing: {
      entry: ['forgetAnswers', 'stage', 'openWorld', 'callNext'],
      meta: { deadline: 'rehearsal' },
      on: {
        'episode.observed': { actions: ['keepObserved', 'weigh'] },
        'task.goOn': { actions: 'callNext' },
        'task.proven': { target: 'written', actions: 'keepProof' },
        'task.refuted': [
          { guard: 'mayRewrite', target: 'asking.repairing', actions: 'keepRefusal' },
          { target: 'faulted', actions: 'giveUp' },
        ],
        'episode.faulted': [
          { guard: 'mayRewriteUnanswered', target: 'asking.repairing', actions: ['countUnanswered', 'keepUnanswered'] },
          { target: 'faulted', actions: ['countUnanswered', 'blameTool'] },
        ],
        'deadline.expired': { target: 'faulted', actions: 'blameTime' },
      },
    },
    written: { type: 'final' },
    faulted: { type: 'final' },
  },
  output: ({ context }) =>
    context.task !== null && context.fault === null
      ? { task: context.task, fault: null }
      : { task: null, fault: context.fault ?? { kind: 'TaskFault', message: 'task writer: gave up' } },
});
