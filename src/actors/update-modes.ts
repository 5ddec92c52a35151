/** The policy update's chart, watched: when a step was trained, checkpointed, committed and proved stands in the journal. Knows no trainer. */
import { createActor } from 'xstate';
import type { PolicyUpdatePorts } from '../gpu/policy-update.ts';
import { observed, type Recorder, type Waits } from './recorder.ts';

/** For `PolicyUpdatePorts.open`. */
export const updateModes =
  (recorder: Recorder, waits: Waits): NonNullable<PolicyUpdatePorts['open']> =>
  (chart, input) => {
    const actor = createActor(observed(chart), { input });
    recorder.watch(actor, 'run', waits);
    return actor;
  };
