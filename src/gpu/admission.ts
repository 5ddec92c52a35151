/**
 * How many samples one engine may hold at once: slow start, then additive increase and multiplicative decrease (Chiu and Jain 1989; RFC 5681). Pure; it knows
 * readings, not engines. An engine that reports nothing keeps its own concurrency until it refuses a call for load.
 */

export interface Admission {
  /** Samples that may be in flight. */
  readonly limit: number;
  /** What the engine said it can usefully hold: never more, but for samples of ours that it has ended and not answered yet. */
  readonly ceiling: number;
  /** Nothing has pressed yet: the window doubles. */
  readonly ramping: boolean;
  /** The last reading found too many waiting. */
  readonly strained: boolean;
  /** When the window last shrank, on the lane's clock. */
  readonly shrunkAt: number;
}

/** What a server tells about itself. */
export interface Pressure {
  /** Requests it runs, where it tells. */
  readonly running?: number;
  /** Requests it holds and does not run. */
  readonly waiting: number;
  /** Share of its key-value cache in use, in [0, 1]. */
  readonly cacheUse: number;
  /** It refused for load, or threw running requests out of its cache, since the last reading. */
  readonly refused: boolean;
}

/** No news from an engine that reports none. */
export const calm: Pressure = { waiting: 0, cacheUse: 0, refused: false };
/** It refused one call for load. */
export const turnedAway: Pressure = { waiting: 0, cacheUse: 0, refused: true };

/** A server that starts with its full load spends its first seconds on prompts alone, and a cache that is too small shows itself only in preemptions; two quiet readings open it fully. */
const rampShare = 1 / 4;
/** Sixteen quiet readings lead from nothing to everything: some eight seconds at the default of two a second, about the life of a turn. */
const stepShare = 1 / 16;
/** Near CUBIC’s 0.7 (RFC 9438) rather than Reno’s half: an engine at its edge still does nearly all of its work, and empty slots cost more than a few preemptions. */
const decrease = 3 / 4;
/** vLLM preempts, that is, computes again, when no block is free; the tenth left is what the running sequences grow by between two readings. */
const fullCache = 0.9;
/** Some always wait for the next scheduler step. More than this share of what is in flight, twice in a row, is no burst but a queue, and our own queue, which knows groups, is the better one. */
const waitingShare = 1 / 4;

/** `reports`: the engine will be read, so the window is opened in steps. */
export function admissionOf(concurrency: number, reports = false): Admission {
  const ceiling = Math.max(1, concurrency);
  const limit = reports ? Math.max(1, Math.floor(ceiling * rampShare)) : ceiling;
  return { limit, ceiling, ramping: reports, strained: false, shrunkAt: -Infinity };
}

/** What the broker knew when the reading, or the refused call, was sent for (`askedAt`) and when it came (`now`, `inFlight` samples). */
export interface Moment {
  readonly askedAt: number;
  readonly now: number;
  readonly inFlight: number;
  /** Of these, samples that ride on another's request. */
  readonly riding?: number;
}

/** The window after a reading. It moves at most once a round trip: what an engine says of load from before the last decrease is old news. */
export function adjust(admission: Admission, pressure: Pressure, { askedAt, now, inFlight, riding = 0 }: Moment): Admission {
  const { limit, ceiling } = admission;
  const strained = pressure.waiting > waitingShare * inFlight;
  const pressed = pressure.refused || pressure.cacheUse > fullCache || (strained && admission.strained);
  const isOld = askedAt <= admission.shrunkAt || inFlight > limit;
  if (isOld) return { ...admission, strained };
  if (pressed) return { ...admission, limit: Math.max(1, Math.floor(limit * decrease)), ramping: false, strained: false, shrunkAt: now };
  // A window that nobody fills proves nothing (RFC 7661).
  if (strained || 2 * inFlight < limit) return { ...admission, strained };
  // A merged request is answered with its longest sample; the slots of the others stand empty at the engine, and filled here, until then.
  const ended = pressure.running === undefined ? 0 : Math.min(riding, Math.max(0, inFlight - pressure.running - pressure.waiting));
  const room = ceiling + ended;
  const grown = admission.ramping ? 2 * limit : limit < ceiling ? limit + Math.max(1, Math.ceil(ceiling * stepShare)) : room;
  return { ...admission, limit: Math.min(room, grown), strained: false };
}

/** How many of `wanted` samples may start now. One request is never split and never starves: it may always go alone. */
export const admits = (admission: Admission, inFlight: number, wanted: number): boolean =>
  inFlight === 0 || inFlight + wanted <= admission.limit;

export const isThrottled = (admission: Admission): boolean => admission.limit < admission.ceiling;
