/**
 * Faults: one class per boundary a failure can cross. `boundary()` attributes a failure once, where it crossed; typed faults pass through it untouched.
 * Expected outcomes (a wrong answer, no more turns) are data, not faults. Across a thread goes `fault.toData()`, since an Error loses its class there.
 */

/** The same shape as protocol/fault.ts; declared here too because this file imports nothing. */
export interface FaultData {
  readonly kind: FaultName;
  readonly message: string;
  readonly raw?: string | undefined;
  readonly causes?: string[] | undefined;
  /** Of an EngineFault. */
  readonly trouble?: EngineTrouble | undefined;
}

export abstract class TroupeFault extends Error {
  abstract override readonly name: FaultName;
  /** The text that could not be read, cut to 2,000 characters. */
  readonly raw: string | undefined;

  constructor(message: string, options: { cause?: unknown; raw?: string | undefined } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.raw = options.raw?.slice(0, 2000);
  }

  toData(): FaultData {
    const causes = causesOf(this);
    return {
      kind: this.name,
      message: this.message,
      ...(this.raw === undefined ? {} : { raw: this.raw }),
      ...(causes.length === 0 ? {} : { causes }),
    };
  }
}

/** The experiment asks for something that cannot be: unknown key, value out of range, missing file. Exit code 2. */
export class ConfigFault extends TroupeFault {
  override readonly name = 'ConfigFault';
}
/** No valid task could be written. */
export class TaskFault extends TroupeFault {
  override readonly name = 'TaskFault';
}
/** A simulated user or tool answered unreadably or implausibly, repairs included. */
export class SimulatorFault extends TroupeFault {
  override readonly name = 'SimulatorFault';
}
/** The judge gave no readable verdict. Never a reward of 0. */
export class JudgeFault extends TroupeFault {
  override readonly name = 'JudgeFault';
}
/**
 * What kind of trouble an engine had, where it is known: what may be asked again, and what says something about the engine's health.
 * absent: nobody took the connection, so nothing was asked; unreachable: it broke, or nobody is behind it; overloaded: it has too much to do just now; stalled: nothing more came in time; malformed: the reply cannot be read;
 * internal: it failed by its own account; refused: the request itself cannot be answered, now or later.
 */
export type EngineTrouble = 'absent' | 'unreachable' | 'overloaded' | 'stalled' | 'malformed' | 'internal' | 'refused';
/** The inference engine failed, stalled or answered nonsense. Exit code 4. */
export class EngineFault extends TroupeFault {
  override readonly name = 'EngineFault';
  readonly trouble: EngineTrouble | undefined;

  constructor(message: string, options: { cause?: unknown; raw?: string | undefined; trouble?: EngineTrouble | undefined } = {}) {
    super(message, options);
    this.trouble = options.trouble;
  }

  override toData(): FaultData {
    return { ...super.toData(), ...(this.trouble === undefined ? {} : { trouble: this.trouble }) };
  }
}
/** The trainer failed or disagrees with the sampler. Exit code 4. */
export class TrainerFault extends TroupeFault {
  override readonly name = 'TrainerFault';
}
/** A thread died or did not answer within its deadline. */
export class ThreadFault extends TroupeFault {
  override readonly name = 'ThreadFault';
}
/** The run folder cannot be read or written, or is damaged. Exit code 3. */
export class RecordFault extends TroupeFault {
  override readonly name = 'RecordFault';
}
/** We stopped it ourselves: Ctrl-C, budget, or an enclosing deadline. */
export class CancelledFault extends TroupeFault {
  override readonly name = 'CancelledFault';
}

const classes = { ConfigFault, TaskFault, SimulatorFault, JudgeFault, EngineFault, TrainerFault, ThreadFault, RecordFault, CancelledFault };
export type FaultName = keyof typeof classes;
type FaultClass = (typeof classes)[FaultName];

/** Runs `fn`; whatever it throws leaves as `Kind`, with the original as cause, unless it already is a fault. */
export async function boundary<T>(Kind: FaultClass, what: string, fn: () => T | Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    throw asFault(Kind, what, error);
  }
}

/** The synchronous form of `boundary`. */
export function boundarySync<T>(Kind: FaultClass, what: string, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    throw asFault(Kind, what, error);
  }
}

export function asFault(Kind: FaultClass, what: string, error: unknown): TroupeFault {
  if (error instanceof TroupeFault) return error;
  return new Kind(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

/** Gives fault data its class back on this side of a thread. */
export function faultFrom(data: FaultData): TroupeFault {
  const Kind = classes[data.kind];
  const cause =
    data.causes === undefined
      ? undefined
      : data.causes.reduceRight<Error | undefined>((inner, message) => new Error(message, { cause: inner }), undefined);
  if (Kind === EngineFault) return new EngineFault(data.message, { cause, raw: data.raw, trouble: data.trouble });
  return new Kind(data.message, { cause, raw: data.raw });
}

function causesOf(error: Error): string[] {
  const causes: string[] = [];
  for (let cause = error.cause; cause !== undefined && causes.length < 5; cause = cause instanceof Error ? cause.cause : undefined) {
    causes.push(textOf(cause));
  }
  return causes;
}

/** Anything can be thrown; an object that is no error says only what it is. */
function textOf(cause: unknown): string {
  if (cause instanceof Error) return cause.message;
  return typeof cause === 'string' ? cause : Object.prototype.toString.call(cause);
}
