/**
 * The deadlines of open calls. A call's time is time in which it could have been served: while the accelerator is lent, the clocks of the calls that wait stand still,
 * so that nobody's time runs out because of our own training. Knows no lanes and no groups.
 */
import type { Call } from './call.ts';
import type { Clock } from './clock.ts';

export class CallClocks {
  readonly #clock: Clock;
  readonly #expire: (call: Call) => void;

  constructor(clock: Clock, expire: (call: Call) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  /** It has at least so many milliseconds from now. */
  give(call: Call, ms: number): void {
    if (call.held !== undefined) call.held = Math.max(call.held, ms);
    else {
      call.due = Math.max(call.due, this.#clock.now() + ms);
      this.#arm(call);
    }
  }

  left(call: Call): number {
    return call.held ?? call.due - this.#clock.now();
  }

  hold(call: Call): void {
    if (call.held !== undefined || call.state === 'ended') return;
    call.held = Math.max(0, call.due - this.#clock.now());
    this.stop(call);
  }

  release(call: Call): void {
    if (call.held === undefined || call.state === 'ended') return;
    call.due = this.#clock.now() + call.held;
    call.held = undefined;
    this.#arm(call);
  }

  stop(call: Call): void {
    call.disarm?.();
    delete call.disarm;
  }

  #arm(call: Call): void {
    call.disarm?.();
    call.disarm = this.#clock.after(call.due - this.#clock.now(), () => this.#expire(call));
  }
}
