/**
 * Ties a schedule's simulated time to the clock, at `timeScale` wall milliseconds for a simulated one. A late timer delays nothing that follows: what should
 * have happened by now happens at its own simulated time. At scale 0 nothing is waited for; what arrives in one turn of the event loop runs together.
 */
import type { Clock } from '../../clock.ts';
import type { Pause, Schedule } from './schedule.ts';
import type { Job, Sequence } from './sequence.ts';

export class Pace {
  readonly #schedule: Schedule;
  readonly #clock: Clock;
  readonly #scale: number;
  readonly #origin: number;
  #cancel: (() => void) | undefined;
  #due = Infinity;
  #draining = false;

  constructor(schedule: Schedule, clock: Clock, scale: number) {
    this.#schedule = schedule;
    this.#clock = clock;
    this.#scale = scale;
    this.#origin = clock.now();
  }

  /** Simulated milliseconds since the start. */
  now(): number {
    return this.#scale === 0 ? this.#schedule.time : Math.max(this.#schedule.time, (this.#clock.now() - this.#origin) / this.#scale);
  }

  submit(job: Job): Sequence {
    return this.#do((at) => this.#schedule.add(job, at));
  }

  cancel(sequence: Sequence): void {
    this.#do((at) => {
      this.#schedule.cancel(sequence, at);
    });
  }

  cancelAll(): void {
    this.#do((at) => {
      this.#schedule.cancelAll(at);
    });
  }

  pause(pause: Pause): void {
    this.#do((at) => {
      this.#schedule.pause(pause, at);
    });
  }

  /** Resolves when nothing runs. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#do(() => {
        this.#schedule.whenDrained(resolve);
      });
    });
  }

  /** Resolves when the step under way has ended and nothing was done for `ms` more. */
  standStill(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#do((at) => {
        this.#schedule.standStill(ms, at, resolve);
      });
    });
  }

  /** `call` after so many simulated milliseconds, beside the schedule; returns the way to take it back. */
  after(ms: number, call: () => void): () => void {
    if (this.#scale > 0) return this.#clock.after(ms * this.#scale, call);
    const immediate = setImmediate(call);
    return () => {
      clearImmediate(immediate);
    };
  }

  close(): void {
    this.#cancel?.();
    this.#draining = true;
  }

  #do<T>(act: (at: number) => T): T {
    if (this.#scale === 0) {
      const result = act(this.#schedule.time);
      this.#drainSoon();
      return result;
    }
    const at = this.now();
    this.#schedule.advance(at);
    const result = act(at);
    this.#arm();
    return result;
  }

  #arm(): void {
    const now = this.now();
    const next = this.#schedule.advance(now) ?? Infinity;
    if (next === this.#due) return;
    this.#cancel?.();
    this.#due = next;
    this.#cancel = next === Infinity ? undefined : this.#clock.after((next - now) * this.#scale, () => this.#wake());
  }

  #wake(): void {
    this.#due = Infinity;
    this.#cancel = undefined;
    this.#arm();
  }

  #drainSoon(): void {
    if (this.#draining) return;
    this.#draining = true;
    setImmediate(() => {
      this.#draining = false;
      this.#schedule.advance(Infinity);
    });
  }
}
