/** What follows from a call's fault: is the call asked again, at whose cost, and what does the fault say about the engine. Pure; it knows troubles, not calls. */
import { CancelledFault, EngineFault, type EngineTrouble, type TroupeFault } from '../errors.ts';

export interface Sequel {
  /**
   * never: the same question would meet the same end; counted: as long as the call has attempts and the run has repeats; free: until the call's deadline, since an
   * engine that was not there, or refuses for load, has done no work, and circuit and window see to it that repeats do not become the load.
   */
  readonly repeat: 'never' | 'counted' | 'free';
  /** It counts towards opening the lane's circuit. */
  readonly isSick: boolean;
  /** It shrinks the lane's window. */
  readonly isPressed: boolean;
}

const sequels: Readonly<Record<EngineTrouble, Sequel>> = {
  absent: { repeat: 'free', isSick: true, isPressed: false },
  unreachable: { repeat: 'counted', isSick: true, isPressed: false },
  stalled: { repeat: 'counted', isSick: true, isPressed: false },
  internal: { repeat: 'counted', isSick: true, isPressed: false },
  malformed: { repeat: 'counted', isSick: false, isPressed: false },
  overloaded: { repeat: 'free', isSick: false, isPressed: true },
  refused: { repeat: 'never', isSick: false, isPressed: false },
};
/** We ended it ourselves. */
const ours: Sequel = { repeat: 'never', isSick: false, isPressed: false };

/** A fault that names no trouble is the engine's own. */
export function sequelOf(fault: TroupeFault): Sequel {
  if (fault instanceof CancelledFault) return ours;
  return sequels[(fault instanceof EngineFault ? fault.trouble : undefined) ?? 'internal'];
}
