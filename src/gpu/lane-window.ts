/** The admission window of one lane, and the readings of its engine's load that move it. It knows no calls, only how many samples are in flight. */
import { adjust, admissionOf, calm, isThrottled, turnedAway, type Admission, type Pressure } from './admission.ts';
import { within } from './circuit.ts';
import type { Clock } from './clock.ts';
import type { Engine } from './engine.ts';

interface LaneWindowPorts {
  readonly engine: Engine;
  readonly clock: Clock;
  /** Between two readings. */
  readonly pollMs: number;
  inFlight(): number;
  /** Of these, samples that ride on another's request. */
  riding(): number;
  /** Only then is there anything to read. */
  serving(): boolean;
  moved(): void;
}

/** A window that opens is read more often: until it has opened, slots stand empty. */
const openingShare = 1 / 4;
/** A reading that takes longer says nothing of now, and the next one is near. */
const readingMs = 5_000;

export class LaneWindow {
  readonly #ports: LaneWindowPorts;
  #admission: Admission;
  /** Takes the next reading back; undefined while none is due. */
  #stop: (() => void) | undefined;
  #closed = false;

  constructor(ports: LaneWindowPorts) {
    this.#ports = ports;
    this.#admission = admissionOf(ports.engine.concurrency, ports.engine.pressure !== undefined);
  }

  get admission(): Admission {
    return this.#admission;
  }

  /** Reads from now on, where the engine reports. */
  start(): void {
    if (this.#ports.engine.pressure !== undefined) this.#schedule();
  }

  /** A call that was sent for at `askedAt` was refused for load. */
  turnedAway(askedAt: number): void {
    this.#feel(turnedAway, askedAt);
    // Without readings its window would never open again: then the clock opens it.
    if (!this.#closed && this.#stop === undefined && isThrottled(this.#admission)) this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#stop?.();
  }

  #schedule(): void {
    const isOpening = this.#admission.ramping && isThrottled(this.#admission);
    this.#stop = this.#ports.clock.after(this.#ports.pollMs * (isOpening ? openingShare : 1), () => this.#read());
  }

  #read(): void {
    const { engine, clock } = this.#ports;
    const askedAt = clock.now();
    if (!this.#ports.serving()) return this.#schedule();
    if (engine.pressure === undefined) {
      this.#stop = undefined;
      this.#feel(calm, askedAt);
      if (isThrottled(this.#admission)) this.#schedule();
      return;
    }
    const abort = new AbortController();
    this.#stop = () => abort.abort();
    const take = (pressure: Pressure): void => this.#feel(pressure, askedAt);
    const again = (): void => {
      if (!this.#closed) this.#schedule();
    };
    void within(clock, readingMs, engine.pressure(abort.signal), 'no reading in time')
      .then(take)
      .catch(() => abort.abort())
      .then(again);
  }

  #feel(pressure: Pressure, askedAt: number): void {
    if (this.#closed) return;
    this.#admission = adjust(this.#admission, pressure, {
      askedAt,
      now: this.#ports.clock.now(),
      inFlight: this.#ports.inFlight(),
      riding: this.#ports.riding(),
    });
    this.#ports.moved();
  }
}
