/**
 * How a step becomes a policy version, exactly once: intent on disk, training, checkpoint, commit on disk, publication, and a proof that sampler and trainer agree.
 * Where engine and trainer share an accelerator it is borrowed for the training and given back, whatever came of it.
 * It never sees groups, weights or files: only which step is under way and how many rollouts were trained.
 */
import { assign, assertEvent, setup } from 'xstate';
import type { StepId } from '../protocol/ids.ts';
import { effect, unbound } from './unbound.ts';

export interface PolicyUpdateInput {
  /** The last step that was committed, or null. */
  readonly committed: StepId | null;
  /** Engine and trainer take turns on one accelerator. */
  readonly shares: boolean;
}

export interface PolicyUpdateContext {
  readonly shares: boolean;
  readonly committed: StepId | null;
  readonly step: StepId | null;
  /** Rollouts of the present step that entered the gradient. */
  readonly trained: number;
  /** Something went wrong while the accelerator was borrowed. */
  readonly hasFailed: boolean;
}

export type PolicyUpdateEvent =
  | { readonly type: 'step.requested'; readonly step: StepId }
  /** Prove the version that answers now, before anything is sampled from it. */
  | { readonly type: 'proof.requested' }
  | { readonly type: 'deadline.expired'; readonly deadline: string };

interface StepPort {
  readonly step: StepId;
}

const stepOf = ({ context }: { context: PolicyUpdateContext }): StepPort => ({ step: context.step as StepId });

export const policyUpdateMachine = setup({
  types: {
    input: {} as PolicyUpdateInput,
    context: {} as PolicyUpdateContext,
    events: {} as PolicyUpdateEvent,
    meta: {} as { deadline?: string; idle?: boolean },
  },
  actors: {
    /** Appends StepIntent and waits until it is on disk. */
    recordIntent: unbound<void, StepPort>('recordIntent'),
    /** The engine's accelerator to the trainer, and back to the engine. Back is also tried where it was never really lent. */
    borrow: unbound<void, StepPort>('borrow'),
    giveBack: unbound<void, StepPort>('giveBack'),
    /** Rewards, advantages, batch, gradient, optimiser: resolves with the rollouts trained. */
    train: unbound<number, StepPort>('train'),
    /** Writes the checkpoint, its manifest last. */
    checkpoint: unbound<void, StepPort>('checkpoint'),
    /** Appends StepCommitted and waits until it is on disk. */
    commit: unbound<void, StepPort>('commit'),
    publish: unbound<void, StepPort>('publish'),
    /** The canary: sampler and trainer give the same tokens the same log-probs. */
    verify: unbound<void, StepPort>('verify'),
    /** The same for the version that answers before this process took a step. */
    prove: unbound<void, undefined>('prove'),
  },
  guards: {
    isCommitted: ({ context, event }) => event.type === 'step.requested' && context.committed !== null && event.step <= context.committed,
    hasTrained: ({ context }) => context.trained > 0,
    sharesAccelerator: ({ context }) => context.shares,
    hasFailed: ({ context }) => context.hasFailed,
  },
  actions: {
    accept: assign(({ event }) => {
      assertEvent(event, 'step.requested');
      return { step: event.step, trained: 0, hasFailed: false };
    }),
    keepTrained: assign(({ event }) => ({ trained: (event as unknown as { output: number }).output })),
    markCommitted: assign(({ context }) => ({ committed: context.step })),
    markFailed: assign({ hasFailed: true }),
    /** Bound: keeps what went wrong, until the accelerator is given back. */
    keepFailure: effect('keepFailure'),
    /** Bound: hands the asker the result of the step just finished. */
    deliver: effect('deliver'),
    /** Bound: hands the asker the stored result of a step committed before. */
    deliverStored: effect('deliverStored'),
    /** Bound: tells the asker that the version is proved. */
    deliverProof: effect('deliverProof'),
    /** Bound: rejects the asker with what went wrong, first of all with what was kept. */
    fail: effect('fail'),
    /** Bound: rejects the asker; the actor has stopped, or is at another step. */
    refuse: effect('refuse'),
  },
}).createMachine({
  id: 'policyUpdate',
  context: ({ input }) => ({ shares: input.shares, committed: input.committed, step: null, trained: 0, hasFailed: false }),
  initial: 'waiting',
  on: { 'step.requested': { actions: 'refuse' }, 'proof.requested': { actions: 'refuse' } },
  states: {
    waiting: {
      meta: { idle: true },
      on: {
        'step.requested': [
          { guard: 'isCommitted', actions: 'deliverStored' },
          { target: 'intending', actions: 'accept' },
        ],
        'proof.requested': 'proving',
      },
    },
    proving: {
      meta: { deadline: 'verify' },
      invoke: {
        src: 'prove',
        onDone: { target: 'waiting', actions: 'deliverProof' },
        onError: { target: 'stopped', actions: 'fail' },
      },
      on: { 'deadline.expired': { target: 'stopped', actions: 'fail' } },
    },
    intending: {
      meta: { deadline: 'record' },
      invoke: {
        src: 'recordIntent',
        input: stepOf,
        onDone: [{ guard: 'sharesAccelerator', target: 'borrowing' }, { target: 'training' }],
        onError: { target: 'stopped', actions: 'fail' },
      },
      on: { 'deadline.expired': { target: 'stopped', actions: 'fail' } },
    },
    borrowing: {
      meta: { deadline: 'borrow' },
      invoke: {
        src: 'borrow',
        input: stepOf,
        onDone: 'training',
        onError: { target: 'returning', actions: ['keepFailure', 'markFailed'] },
      },
      on: { 'deadline.expired': { target: 'returning', actions: ['keepFailure', 'markFailed'] } },
    },
    training: {
      meta: { deadline: 'train' },
      invoke: {
        src: 'train',
        input: stepOf,
        onDone: [
          { guard: 'sharesAccelerator', target: 'returning', actions: 'keepTrained' },
          { target: 'checkpointing', actions: 'keepTrained' },
        ],
        onError: [
          { guard: 'sharesAccelerator', target: 'returning', actions: ['keepFailure', 'markFailed'] },
          { target: 'stopped', actions: 'fail' },
        ],
      },
      on: {
        'deadline.expired': [
          { guard: 'sharesAccelerator', target: 'returning', actions: ['keepFailure', 'markFailed'] },
          { target: 'stopped', actions: 'fail' },
        ],
      },
    },
    returning: {
      meta: { deadline: 'giveBack' },
      invoke: {
        src: 'giveBack',
        input: stepOf,
        onDone: [{ guard: 'hasFailed', target: 'stopped', actions: 'fail' }, { target: 'checkpointing' }],
        onError: { target: 'stopped', actions: 'fail' },
      },
      on: { 'deadline.expired': { target: 'stopped', actions: 'fail' } },
    },
    checkpointing: {
      meta: { deadline: 'checkpoint' },
      invoke: { src: 'checkpoint', input: stepOf, onDone: 'committing', onError: { target: 'stopped', actions: 'fail' } },
      on: { 'deadline.expired': { target: 'stopped', actions: 'fail' } },
    },
    committing: {
      meta: { deadline: 'record' },
      invoke: {
        src: 'commit',
        input: stepOf,
        onDone: [
          { guard: 'hasTrained', target: 'publishing', actions: 'markCommitted' },
          { target: 'waiting', actions: ['markCommitted', 'deliver'] },
        ],
        onError: { target: 'stopped', actions: 'fail' },
      },
      on: { 'deadline.expired': { target: 'stopped', actions: 'fail' } },
    },
    publishing: {
      meta: { deadline: 'publish' },
      invoke: { src: 'publish', input: stepOf, onDone: 'verifying', onError: { target: 'stopped', actions: 'fail' } },
      on: { 'deadline.expired': { target: 'stopped', actions: 'fail' } },
    },
    verifying: {
      meta: { deadline: 'verify' },
      invoke: {
        src: 'verify',
        input: stepOf,
        onDone: { target: 'waiting', actions: 'deliver' },
        onError: { target: 'stopped', actions: 'fail' },
      },
      on: { 'deadline.expired': { target: 'stopped', actions: 'fail' } },
    },
    /** What was committed is safe; what was not begins again from the last checkpoint, in a new process or after `resume`. */
    stopped: { meta: { idle: true } },
  },
});
