/** Many places in a journal, eight bytes each. Knows what fits into a number, and nothing of what lies there. */
import type { Position } from '../record/reader.ts';

/** Bytes a segment has at most: the rest of a number's 53 bits is for which. */
const segmentBytes = 2 ** 32;

export class Spots {
  readonly #at: number[] = [];

  get length(): number {
    return this.#at.length;
  }

  add({ segment, offset }: Position): void {
    this.#at.push(segment * segmentBytes + offset);
  }

  /** From the one with this index on, in the order in which they were added. */
  *from(index: number): Generator<Position> {
    for (let i = index; i < this.#at.length; i++) {
      const at = this.#at[i] as number;
      yield { segment: Math.floor(at / segmentBytes), offset: at % segmentBytes };
    }
  }
}
