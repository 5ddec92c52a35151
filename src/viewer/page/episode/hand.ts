/** Whether it is a person who scrolls a box, or the page: only a person's scrolling says what is being read. Knows input and time; not what lies in the box. */

/** Scrolling goes on for a while after the wheel was turned, a key pressed, a finger lifted. */
const afterMs = 600;
/** What is held is let go without a word where it is a scrollbar. */
const heldMs = 10_000;

export class Hand {
  /** Until when what scrolls is taken for a person's. */
  #until = 0;
  /** Where the page itself has scrolled to last. */
  #own = -1;

  /** A wheel was turned, a key pressed, a finger moved; or something was taken hold of. */
  touched(now: number, isHeld = false): void {
    this.#until = Math.max(this.#until, now + (isHeld ? heldMs : afterMs));
  }

  /** The page has put the box there. */
  placed(top: number): void {
    this.#own = top;
  }

  /** The box was scrolled to there: by a person? */
  scrolled(top: number, now: number): boolean {
    if (Math.abs(top - this.#own) < 1 || now > this.#until) return false;
    this.#own = -1;
    // What was flung rolls on.
    this.#until = Math.max(this.#until, now + afterMs / 2);
    return true;
  }
}

/** The line that is read in a box that is scrolled so far: it goes from its upper edge to its lower one with the scrolling, so that the first item and the last are read too. */
export function readingLine(top: number, height: number, total: number): number {
  const way = total - height;
  return way <= 0 ? top : top + height * Math.max(0, Math.min(1, top / way));
}
