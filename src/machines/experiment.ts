/**
 * The run as a whole: prepare, then draw, roll, update and publish, step after step, until the budget is spent, somebody stops it, or something fails.
 * In asynchronous mode `drawing` also begins the steps to be rolled ahead; they go on through every state but `pausing` and `halting`, and `rolling` awaits the oldest.
 * It sees counters only; tasks, groups and weights belong to the ports.
 */
import { assign, assertEvent, setup } from 'xstate';
import type { ErrorActorEvent } from 'xstate';
import type { Fault, FaultKind } from '../protocol/fault.ts';
import type { PolicyVersion } from '../protocol/ids.ts';
import type { RunMessage } from '../protocol/messages.ts';
import { unbound } from './unbound.ts';

export interface ExperimentInput {
  /** The first step to run, from 1; after a resume the one after the last that was committed. */
  readonly step: number;
  readonly version: PolicyVersion;
  readonly difficulty: number;
  /** Stop after this step; null = until another budget is spent. */
  readonly lastStep: number | null;
  /** Measure before the first step; false after a resume. */
  readonly evaluateBefore: boolean;
  readonly evaluateAfter: boolean;
  /** Measure after every n-th step; 0 = never. */
  readonly evaluateEvery: number;
}

/** What every port is told. Ports keep their own matter (tasks, groups, batches) between them. */
export interface StepInput {
  readonly step: number;
  readonly version: PolicyVersion;
  readonly difficulty: number;
}
export interface Updated {
  /** Rollouts that entered the gradient; 0 keeps the version. */
  readonly trained: number;
  readonly version: PolicyVersion;
  readonly difficulty: number;
}
export type When = 'before' | 'during' | 'after';
export type Ending = 'done' | 'budget' | 'interrupted' | 'fault';

export interface ExperimentContext extends StepInput {
  readonly input: ExperimentInput;
  readonly when: When;
  readonly spent: 'steps' | 'tokens' | 'minutes' | null;
  readonly isInterrupted: boolean;
  readonly isPaused: boolean;
  readonly fault: Fault | null;
}

export interface ExperimentOutput extends StepInput {
  readonly ending: Ending;
  readonly fault: Fault | null;
}

const stepInput = ({ context: { step, version, difficulty } }: { context: ExperimentContext }): StepInput => ({
  step,
  version,
  difficulty,
});
const updatedOf = (event: unknown): Updated => (event as { output: Updated }).output;

/** A fault that crossed a promise is data or a TroupeFault, which has `name` and `toData`; anything else is a bug, attributed to its port. */
function faultOf(error: unknown): Fault {
  if (error instanceof Error && 'toData' in error) return (error as unknown as { toData(): Fault }).toData();
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'ThreadFault' satisfies FaultKind, message };
}

function endingOf({ fault, isInterrupted, spent }: ExperimentContext): Ending {
  if (fault !== null) return 'fault';
  if (isInterrupted) return 'interrupted';
  return spent === null || spent === 'steps' ? 'done' : 'budget';
}

export const experimentMachine = setup({
  types: {
    input: {} as ExperimentInput,
    context: {} as ExperimentContext,
    events: {} as RunMessage,
    output: {} as ExperimentOutput,
  },
  actors: {
    /** Engine, trainer and pool up; weights `version` published. */
    prepare: unbound<void, StepInput>('prepare'),
    /** The tasks of the step, and of those to be rolled ahead, written, placed in the record, and begun. */
    draw: unbound<void, StepInput>('draw'),
    /** Every group of the step sealed. */
    roll: unbound<void, StepInput>('roll'),
    /** Rewards, gradient, checkpoint, commit; and the next difficulty. */
    update: unbound<Updated, StepInput>('update'),
    /** The new version answers, here and in the pool. */
    publish: unbound<void, StepInput>('publish'),
    /** What is rolled ahead given up for now. */
    rest: unbound<void, StepInput>('rest'),
    evaluate: unbound<void, StepInput & { readonly when: When }>('evaluate'),
    /** Everything on disk that a resume needs; called once, however the run ends. */
    checkpoint: unbound<void, StepInput & { readonly ending: Ending }>('checkpoint'),
  },
  guards: {
    measuresBefore: ({ context }) => context.input.evaluateBefore,
    nothingTrained: ({ event }) => updatedOf(event).trained === 0,
    hasFailed: ({ context }) => context.fault !== null,
    isInterrupted: ({ context }) => context.isInterrupted,
    isPaused: ({ context }) => context.isPaused,
    measuresAfter: ({ context }) => context.spent !== null && context.input.evaluateAfter && context.when !== 'after',
    isSpent: ({ context }) => context.spent !== null,
    measuresNow: ({ context }) => {
      const { evaluateEvery } = context.input;
      // By the step's own number, so that a resumed run measures where an uninterrupted one does.
      const last = context.step - 1;
      return evaluateEvery > 0 && last > 0 && last % evaluateEvery === 0 && context.when !== 'during';
    },
  },
  actions: {
    keepUpdate: assign(({ event }) => {
      const { version, difficulty } = updatedOf(event);
      return { version, difficulty };
    }),
    finishStep: assign(({ context }) => ({
      step: context.step + 1,
      when: 'before' as const,
      spent: context.input.lastStep !== null && context.step >= context.input.lastStep ? ('steps' as const) : context.spent,
    })),
    measureNow: assign({ when: 'during' }),
    measureAfter: assign({ when: 'after' }),
    markSpent: assign(({ context, event }) => {
      assertEvent(event, 'budget.spent');
      return { spent: context.spent ?? event.budget };
    }),
    markInterrupted: assign({ isInterrupted: true }),
    markPaused: assign({ isPaused: true }),
    markResumed: assign({ isPaused: false }),
    keepFault: assign(({ event }) => ({ fault: faultOf((event as unknown as ErrorActorEvent).error) })),
    keepDeadline: assign(({ event }) => {
      assertEvent(event, 'deadline.expired');
      return { fault: { kind: 'ThreadFault' as const, message: `no end before the ${event.deadline} deadline` } };
    }),
  },
}).createMachine({
  id: 'experiment',
  context: ({ input }) => ({
    input,
    step: input.step,
    version: input.version,
    difficulty: input.difficulty,
    when: 'before',
    spent: input.lastStep !== null && input.step > input.lastStep ? 'steps' : null,
    isInterrupted: false,
    isPaused: false,
    fault: null,
  }),
  initial: 'preparing',
  on: {
    'run.interrupt': { target: '.halting', actions: 'markInterrupted' },
    'run.pause': { actions: 'markPaused' },
    'run.resume': { actions: 'markResumed' },
    'budget.spent': { actions: 'markSpent' },
    'deadline.expired': { target: '.halting', actions: 'keepDeadline' },
  },
  states: {
    preparing: {
      meta: { deadline: 'prepare' },
      invoke: {
        src: 'prepare',
        input: stepInput,
        onDone: [{ guard: 'measuresBefore', target: 'evaluating' }, { target: 'deciding' }],
        onError: { target: 'halting', actions: 'keepFault' },
      },
    },
    drawing: {
      meta: { deadline: 'draw' },
      invoke: { src: 'draw', input: stepInput, onDone: 'rolling', onError: { target: 'halting', actions: 'keepFault' } },
    },
    rolling: {
      meta: { deadline: 'roll' },
      invoke: { src: 'roll', input: stepInput, onDone: 'updating', onError: { target: 'halting', actions: 'keepFault' } },
    },
    // Once a step is being committed it is finished, whoever wants to stop: what is half done would have to be done again.
    updating: {
      meta: { deadline: 'update' },
      invoke: {
        src: 'update',
        input: stepInput,
        onDone: [
          { guard: 'nothingTrained', target: 'deciding', actions: ['keepUpdate', 'finishStep'] },
          { target: 'publishing', actions: 'keepUpdate' },
        ],
        onError: { target: 'halting', actions: 'keepFault' },
      },
      on: { 'run.interrupt': { actions: 'markInterrupted' } },
    },
    publishing: {
      meta: { deadline: 'publish' },
      invoke: {
        src: 'publish',
        input: stepInput,
        onDone: { target: 'deciding', actions: 'finishStep' },
        onError: { target: 'halting', actions: 'keepFault' },
      },
      on: { 'run.interrupt': { actions: 'markInterrupted' } },
    },
    deciding: {
      always: [
        { guard: 'isInterrupted', target: 'halting' },
        { guard: 'isPaused', target: 'pausing' },
        { guard: 'measuresAfter', target: 'evaluating', actions: 'measureAfter' },
        { guard: 'isSpent', target: 'halting' },
        { guard: 'measuresNow', target: 'evaluating', actions: 'measureNow' },
        { target: 'drawing' },
      ],
    },
    pausing: {
      meta: { idle: true },
      invoke: { src: 'rest', input: stepInput, onError: { target: 'halting', actions: 'keepFault' } },
      on: { 'run.resume': { target: 'deciding', actions: 'markResumed' } },
    },
    evaluating: {
      meta: { deadline: 'evaluate' },
      invoke: {
        src: 'evaluate',
        input: ({ context }) => ({ ...stepInput({ context }), when: context.when }),
        onDone: 'deciding',
        onError: { target: 'halting', actions: 'keepFault' },
      },
    },
    halting: {
      meta: { deadline: 'checkpoint' },
      invoke: {
        src: 'checkpoint',
        input: ({ context }) => ({ ...stepInput({ context }), ending: endingOf(context) }),
        onDone: 'halted',
        onError: { target: 'failed', actions: 'keepFault' },
      },
      on: { 'run.interrupt': { actions: 'markInterrupted' }, 'deadline.expired': { target: 'failed', actions: 'keepDeadline' } },
    },
    halted: {
      always: [{ guard: 'hasFailed', target: 'failed' }, { guard: 'isInterrupted', target: 'interrupted' }, { target: 'done' }],
    },
    done: { type: 'final' },
    interrupted: { type: 'final' },
    failed: { type: 'final' },
  },
  output: ({ context }) => ({ ...stepInput({ context }), ending: endingOf(context), fault: context.fault }),
});
