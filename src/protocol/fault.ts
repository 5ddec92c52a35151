/** A failure as data: what crosses threads and enters the record in place of an Error, whose class a thread boundary destroys. */
import { z } from 'zod';

/** The boundary a failure crossed; each has a class of the same name in errors.ts. */
export const FaultKind = z.enum([
  'ConfigFault',
  'TaskFault',
  'SimulatorFault',
  'JudgeFault',
  'EngineFault',
  'TrainerFault',
  'ThreadFault',
  'RecordFault',
  'CancelledFault',
]);
export type FaultKind = z.infer<typeof FaultKind>;

export const Fault = z.strictObject({
  kind: FaultKind,
  message: z.string(),
  /** The text that could not be read, at most 2,000 characters. */
  raw: z.string().optional(),
  /** Messages of the causes, outermost first. */
  causes: z.array(z.string()).optional(),
  /** What kind of trouble an engine had, where the fault is an engine's and it is known: see errors.ts. */
  trouble: z.enum(['absent', 'unreachable', 'overloaded', 'stalled', 'malformed', 'internal', 'refused']).optional(),
});
export type Fault = z.infer<typeof Fault>;
