/**
 * Key-value blocks and the prefix cache over them: a block that nobody holds stays until its room is needed, least recently used first. Counts blocks;
 * holds no values.
 */

/** What one sequence holds. */
export interface Holding {
  /** Blocks others may share, by key, first to last. */
  readonly keys: number[];
  /** Blocks of its own. */
  own: number;
}

export class BlockPool {
  readonly total: number;
  /** Key → how many sequences hold it. 0: cached only, and then in `#idle` too. */
  readonly #holders = new Map<number, number>();
  /** In order of last use. */
  readonly #idle = new Set<number>();
  #held = 0;

  constructor(total: number) {
    this.total = total;
  }

  /** Blocks that can be taken; cached ones that nobody holds among them. */
  get free(): number {
    return this.total - this.#held;
  }

  /** Share of the blocks that are held, in [0, 1]. */
  get use(): number {
    return this.#held / this.total;
  }

  /** How many leading blocks are cached, `most` at most. */
  matched(keys: readonly number[], most: number): number {
    let count = 0;
    while (count < most && count < keys.length && this.#holders.has(keys[count] as number)) count++;
    return count;
  }

  /** Holds the first `hits` keys and takes `more` blocks; undefined, and nothing changes, where there is no room. */
  admit(keys: readonly number[], hits: number, more: number): Holding | undefined {
    let waking = 0;
    for (let i = 0; i < hits; i++) if (this.#holders.get(keys[i] as number) === 0) waking++;
    if (this.free < waking + more) return undefined;
    const shared = keys.slice(0, hits);
    for (const key of shared) this.#hold(key);
    this.#held += more;
    this.#makeRoom();
    return { keys: shared, own: more };
  }

  /** Takes `count` blocks more. The caller has looked at `free`. */
  grow(holding: Holding, count: number): void {
    holding.own += count;
    this.#held += count;
    this.#makeRoom();
  }

  /** From now on others find these blocks: `keys` of the whole sequence, of which the holder has the first ones as shared already. */
  share(holding: Holding, keys: readonly number[]): void {
    for (let i = holding.keys.length; i < keys.length && holding.own > 0; i++) {
      const key = keys[i] as number;
      // Computed twice at the same time: the second copy stays its owner's.
      if (this.#holders.has(key)) return;
      this.#holders.set(key, 1);
      holding.keys.push(key);
      holding.own--;
    }
  }

  /** Gives everything back; shared blocks stay cached, the last of a sequence to go first. */
  release(holding: Holding): void {
    this.#held -= holding.own;
    holding.own = 0;
    for (const key of holding.keys.toReversed()) {
      const holders = (this.#holders.get(key) as number) - 1;
      this.#holders.set(key, holders);
      if (holders > 0) continue;
      this.#held--;
      this.#idle.add(key);
    }
    holding.keys.length = 0;
  }

  /** Forgets every block; false, and nothing is forgotten, where any is held. */
  reset(): boolean {
    if (this.#held > 0) return false;
    for (const key of this.#idle) this.#holders.delete(key);
    this.#idle.clear();
    return true;
  }

  #hold(key: number): void {
    const holders = this.#holders.get(key) as number;
    this.#holders.set(key, holders + 1);
    if (holders > 0) return;
    this.#idle.delete(key);
    this.#held++;
  }

  #makeRoom(): void {
    for (const key of this.#idle) {
      if (this.#held + this.#idle.size <= this.total) return;
      this.#idle.delete(key);
      this.#holders.delete(key);
    }
  }
}
