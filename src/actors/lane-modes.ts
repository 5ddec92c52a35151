/** The mode charts of the broker's lanes, watched: when an engine served, was throttled, renewed, lent or cut off stands in the journal. Knows no call. */
import { type ActorRefFrom, createActor } from 'xstate';
import { brokerMachine } from '../machines/broker.ts';
import { observed, type Recorder, type Waits } from './recorder.ts';

const chart = observed(brokerMachine.provide({}));

/** For `BrokerOptions.chart`. The broker ends its waits itself: `waits` must be longer than its own patience. */
export const laneModes =
  (recorder: Recorder, waits: Waits) =>
  (lane: number): ActorRefFrom<typeof brokerMachine> => {
    const actor = createActor(chart);
    recorder.watch(actor, lane === 0 ? 'run' : `run/lane${lane}`, waits);
    return actor;
  };
