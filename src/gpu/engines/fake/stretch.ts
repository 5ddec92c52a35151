/** Time between two decisions of the schedule: how many steps it holds and how long they last. Pure; knows no sequence. */

/** What happens until `end`: `steps` decoding steps, one step with prefill, or a standstill. */
export interface Stretch {
  readonly kind: 'decode' | 'mixed' | 'still';
  readonly start: number;
  end: number;
  steps: number;
  /** Milliseconds of the first of `steps`, and what each one adds to the next. */
  readonly first: number;
  readonly more: number;
  readonly over?: () => void;
}

/** Milliseconds of the first `steps` steps of a stretch. */
export const lasting = ({ first, more }: Stretch, steps: number): number => steps * first + (more * steps * (steps - 1)) / 2;

/** How many of its steps are over, or under way, at `at`; at least 1. */
export function stepsBy(stretch: Stretch, at: number): number {
  let low = 1;
  let high = stretch.steps;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (stretch.start + lasting(stretch, middle) >= at) high = middle;
    else low = middle + 1;
  }
  return low;
}
