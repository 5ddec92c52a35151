/**
 * How many samples the engine may hold at once: additive increase, multiplicative decrease (Chiu and Jain 1989). Pure; it knows readings, not engines.
 * An engine that reports no pressure keeps its own concurrency for ever.
 */

export interface Admission {
  /** Samples that may be in flight. */
  readonly limit: number;
  /** What the engine said it can usefully hold: the ceiling. */
  readonly ceiling: number;
}

/** What a server tells about itself; each share in [0, 1]. */
export interface Pressure {
  /** Requests it holds and does not run. */
  readonly waiting: number;
  /** Share of its key-value cache in use. */
  readonly cacheUse: number;
  /** It refused for load, or threw running requests out of its cache, since the last reading. */
  readonly refused: boolean;
}

export const admissionOf = (concurrency: number): Admission => ({ limit: Math.max(1, concurrency), ceiling: Math.max(1, concurrency) });

/** Halves under pressure, else adds one step of a sixteenth of the ceiling. */
export function adjust(admission: Admission, pressure: Pressure): Admission {
  const pressed = pressure.refused || pressure.waiting > 0 || pressure.cacheUse > 0.95;
  const limit = pressed
    ? Math.max(1, Math.floor(admission.limit / 2))
    : Math.min(admission.ceiling, admission.limit + Math.max(1, Math.ceil(admission.ceiling / 16)));
  return { ...admission, limit };
}

/** How many of `wanted` samples may start now. One request is never split and never starves: it may always go alone. */
export const admits = (admission: Admission, inFlight: number, wanted: number): boolean =>
  inFlight === 0 || inFlight + wanted <= admission.limit;

export const isThrottled = (admission: Admission): boolean => admission.limit < admission.ceiling;
