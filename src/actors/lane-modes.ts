/** The mode charts of the broker's lanes, watched: when an engine served, was throttled, renewed, lent or cut off stands in the journal. Knows no call. */
import { type ActorRefFrom, createActor } from 'xstate';
import { brokerMachine } from '../machines/broker.ts';
import { observed, type Recorder, type Waits } from './recorder.ts';

const chart = observed(brokerMachine.provide({}));

/** The broker ends its waits itself, each within minutes; this is only for a broker that is stuck. */
const stuck: Waits = () => ({ ms: 3_600_000, rank: 2 });

/** For `BrokerOptions.chart`. */
export const laneModes =
  (recorder: Recorder) =>
  (lane: number): ActorRefFrom<typeof brokerMachine> => {
    const actor = createActor(chart);
    recorder.watch(actor, lane === 0 ? 'run' : `run/lane${lane}`, stuck);
    return actor;
  };
