/** The mode of one lane of the broker: may calls go to its engine now? Knows no queue, no engine and no time; its waits are ended by `deadline.expired`. */
import { setup } from 'xstate';

export type BrokerEvent =
  /** The engine can answer. */
  | { readonly type: 'engine.ready' }
  /** Too many calls faulted, or none ended for too long. */
  | { readonly type: 'circuit.opened' }
  /** The one real token asked of a rested engine came back, or did not. */
  | { readonly type: 'probe.answered' }
  | { readonly type: 'probe.failed' }
  /** The admission window fell below, or returned to, what the engine said it can hold. */
  | { readonly type: 'admission.limited' }
  | { readonly type: 'admission.relieved' }
  /** New weights that replace the old ones: no call starts until the engine has them. */
  | { readonly type: 'weights.publish' }
  /** New weights beside the old ones: calls of the versions that are there go on. */
  | { readonly type: 'weights.load' }
  | { readonly type: 'weights.published' }
  | { readonly type: 'weights.refused' }
  /** The trainer needs the accelerator: no call starts, and the engine makes room when the last has ended. */
  | { readonly type: 'accelerator.lend' }
  | { readonly type: 'accelerator.lent' }
  | { readonly type: 'accelerator.kept' }
  /** The trainer is done with it. */
  | { readonly type: 'accelerator.reclaim' }
  | { readonly type: 'accelerator.reclaimed' }
  | { readonly type: 'accelerator.lost' }
  /** No new calls; those that are in flight may end. */
  | { readonly type: 'broker.drain' }
  | { readonly type: 'broker.drained' }
  | { readonly type: 'deadline.expired' };

export const brokerMachine = setup({
  types: {
    events: {} as BrokerEvent,
    tags: {} as 'serving',
  },
}).createMachine({
  id: 'broker',
  initial: 'starting',
  on: { 'broker.drain': '.draining' },
  states: {
    starting: {
      meta: { deadline: 'engineStart' },
      on: { 'engine.ready': 'ready', 'deadline.expired': 'openCircuit' },
    },
    ready: {
      meta: { idle: true },
      tags: 'serving',
      on: {
        'admission.limited': 'throttled',
        'weights.publish': 'swapping',
        'weights.load': 'loading',
        'accelerator.lend': 'lending',
        'circuit.opened': 'openCircuit',
      },
    },
    throttled: {
      meta: { idle: true },
      tags: 'serving',
      on: {
        'admission.relieved': 'ready',
        'weights.publish': 'swapping',
        'weights.load': 'loading',
        'accelerator.lend': 'lending',
        'circuit.opened': 'openCircuit',
      },
    },
    swapping: {
      meta: { deadline: 'swap' },
      on: { 'weights.published': 'ready', 'weights.refused': 'openCircuit', 'deadline.expired': 'openCircuit' },
    },
    loading: {
      meta: { deadline: 'swap' },
      tags: 'serving',
      on: {
        'weights.published': 'ready',
        'weights.refused': 'openCircuit',
        'circuit.opened': 'openCircuit',
        'deadline.expired': 'openCircuit',
      },
    },
    openCircuit: {
      initial: 'resting',
      on: { 'weights.published': 'ready', 'accelerator.lend': 'lending' },
      states: {
        resting: { meta: { deadline: 'circuitRest' }, on: { 'deadline.expired': 'probing' } },
        probing: {
          meta: { deadline: 'probe' },
          on: { 'probe.answered': '#broker.ready', 'probe.failed': 'resting', 'deadline.expired': 'resting' },
        },
      },
    },
    lending: {
      meta: { deadline: 'handOver' },
      on: { 'accelerator.lent': 'lent', 'accelerator.kept': 'openCircuit', 'deadline.expired': 'openCircuit' },
    },
    // The trainer's own deadlines end a loan: the policy update takes the accelerator back when training fails, too.
    lent: {
      meta: { idle: true },
      on: { 'accelerator.reclaim': 'reclaiming' },
    },
    reclaiming: {
      meta: { deadline: 'handOver' },
      on: { 'accelerator.reclaimed': 'ready', 'accelerator.lost': 'openCircuit', 'deadline.expired': 'openCircuit' },
    },
    draining: {
      meta: { deadline: 'drain' },
      on: { 'broker.drain': undefined, 'broker.drained': 'closed', 'deadline.expired': 'closed' },
    },
    closed: { type: 'final' },
  },
});
