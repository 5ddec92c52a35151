/**
 * The deadline wheel: any number of waits, one timer. Arming and disarming cost a set operation each, since nearly every wait ends well before its deadline.
 * Due times are rounded up to the wheel's tick, so nothing expires early. Knows nothing of actors.
 */
import type { Clock } from './clock.ts';

export interface Deadline {
  readonly due: number;
  /** Among deadlines due together the lower rank goes first: an episode's end explains its turn's, not the other way round. */
  readonly rank: number;
  readonly expire: () => void;
}

export interface DeadlineWheel {
  /** Arms a deadline `ms` from now. Keep what it returns to disarm it. */
  arm(ms: number, rank: number, expire: () => void): Deadline;
  /** Harmless when it has expired. */
  disarm(deadline: Deadline): void;
  readonly armed: number;
  /** Disarms all; what is armed from now on never expires. */
  close(): void;
}

export function deadlineWheel(clock: Clock, tickMs = 10): DeadlineWheel {
  const slots = new Map<number, Set<Deadline>>();
  let armed = 0;
  let closed = false;
  let timer: { readonly tick: number; readonly cancel: () => void } | null = null;
  const tickOf = (due: number): number => Math.ceil(due / tickMs);

  const setTimer = (tick: number): void => {
    timer?.cancel();
    timer = { tick, cancel: clock.after(tick * tickMs - clock.now(), turn) };
  };

  /** Expires what is due, then waits for the next slot. An `expire` may arm and disarm: slots are read afresh for each. */
  function turn(): void {
    timer = null;
    const now = clock.now();
    for (let deadline = earliest(now); deadline !== undefined; deadline = earliest(now)) {
      remove(deadline);
      deadline.expire();
    }
    const next = nextTick();
    if (next !== undefined && (timer === null || next < (timer as { tick: number }).tick)) setTimer(next);
  }

  const nextTick = (): number | undefined => {
    let next: number | undefined;
    for (const tick of slots.keys()) if (next === undefined || tick < next) next = tick;
    return next;
  };

  const earliest = (now: number): Deadline | undefined => {
    const tick = nextTick();
    if (tick === undefined || tick * tickMs > now) return undefined;
    let first: Deadline | undefined;
    for (const deadline of slots.get(tick) ?? []) {
      if (first === undefined || deadline.due < first.due || (deadline.due === first.due && deadline.rank < first.rank)) first = deadline;
    }
    return first;
  };

  const remove = (deadline: Deadline): void => {
    const tick = tickOf(deadline.due);
    const slot = slots.get(tick);
    if (slot?.delete(deadline) !== true) return;
    armed--;
    if (slot.size === 0) slots.delete(tick);
  };

  return {
    arm: (ms, rank, expire) => {
      const deadline: Deadline = { due: clock.now() + Math.max(0, ms), rank, expire };
      if (closed) return deadline;
      const tick = tickOf(deadline.due);
      const slot = slots.get(tick);
      if (slot === undefined) slots.set(tick, new Set([deadline]));
      else slot.add(deadline);
      armed++;
      if (timer === null || tick < timer.tick) setTimer(tick);
      return deadline;
    },
    disarm: remove,
    get armed() {
      return armed;
    },
    close: () => {
      closed = true;
      timer?.cancel();
      timer = null;
      slots.clear();
      armed = 0;
    },
  };
}
