/** From what went wrong to what the process says to its caller: the one table of exit codes, and the one way a failure is printed. */
import { asFault, type FaultName, ThreadFault, type TroupeFault } from '../errors.ts';
import { printable } from './printable.ts';

/** 0 is success. */
export const exitCodes = { failed: 1, config: 2, environment: 3, backend: 4, interrupted: 130 } as const;

const byFault = {
  ConfigFault: exitCodes.config,
  TaskFault: exitCodes.failed,
  SimulatorFault: exitCodes.failed,
  JudgeFault: exitCodes.failed,
  EngineFault: exitCodes.backend,
  TrainerFault: exitCodes.backend,
  ThreadFault: exitCodes.failed,
  RecordFault: exitCodes.environment,
  CancelledFault: exitCodes.interrupted,
} as const satisfies Record<FaultName, number>;

export const exitCodeOf = (fault: TroupeFault): number => byFault[fault.name];

/** An error that crossed no boundary of ours is a bug: it is shown with its stack. */
export const faultOf = (error: unknown): TroupeFault => asFault(ThreadFault, 'unexpected', error);

/** For stderr: what happened, the text that could not be read, and why. */
export function failureText(fault: TroupeFault): string {
  const lines = [fault.name === 'CancelledFault' ? fault.message : `${fault.name}: ${fault.message}`];
  if (fault.raw !== undefined) lines.push(`  read: ${fault.raw.slice(0, 200)}`);
  for (const cause of fault.toData().causes ?? []) if (!fault.message.includes(cause)) lines.push(`  because: ${cause}`);
  if (fault.message.startsWith('unexpected: ') && fault.cause instanceof Error) lines.push(fault.cause.stack ?? '');
  return printable(lines.join('\n'));
}
