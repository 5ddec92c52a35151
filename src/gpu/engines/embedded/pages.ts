/**
 * Who owns which page of the key-value cache. A full page is found again by its tokens and all tokens before them, so a prompt that
 * continues an earlier sequence computes only what is new. Pages nobody holds stay until room is needed, least recently released first.
 */
import { PAGE_TOKENS } from './plan.ts';

export class PagePool {
  /** Sequences that hold the page. */
  readonly #holders: Int32Array;
  readonly #free: number[];
  /** Retained pages without a holder, oldest first. */
  readonly #idle = new Set<number>();
  readonly #pageOf = new Map<string, number>();
  readonly #keyOf = new Map<number, string>();
  /** Names the content of a retained page for good, while page numbers are used again. */
  readonly #serialOf = new Map<number, number>();
  #serials = 0;

  constructor(count: number) {
    this.#holders = new Int32Array(count);
    this.#free = Array.from({ length: count }, (_, i) => count - 1 - i);
  }

  /** Pages that `take` can give. */
  get available(): number {
    return this.#free.length + this.#idle.size;
  }

  take(count: number): number[] {
    return Array.from({ length: count }, () => {
      const page = this.#free.pop() ?? this.#evict();
      this.#holders[page] = 1;
      return page;
    });
  }

  /** Holds and returns the retained pages that begin the sequence, `most` at the most. */
  match(ids: Int32Array, most: number): number[] {
    const pages: number[] = [];
    let parent = 0;
    while (pages.length < most) {
      const page = this.#pageOf.get(keyOf(parent, ids, pages.length));
      if (page === undefined) break;
      this.hold(page);
      pages.push(page);
      parent = this.#serialOf.get(page) as number;
    }
    return pages;
  }

  /** Makes the full pages of a computed sequence findable; `pages[i]` holds tokens 16 i ... */
  retain(ids: Int32Array, pages: readonly number[]): void {
    let parent = 0;
    for (let i = 0; i < Math.floor(ids.length / PAGE_TOKENS); i++) {
      const key = keyOf(parent, ids, i);
      let page = this.#pageOf.get(key);
      if (page === undefined) {
        page = pages[i] as number;
        this.#forget(page);
        this.#pageOf.set(key, page);
        this.#keyOf.set(page, key);
        this.#serialOf.set(page, ++this.#serials);
      }
      parent = this.#serialOf.get(page) as number;
    }
  }

  hold(page: number): void {
    this.#holders[page] = (this.#holders[page] as number) + 1;
    this.#idle.delete(page);
  }

  /** Gives pages back, the last first, so that a sequence's beginning outlives its end. */
  release(pages: readonly number[]): void {
    for (const page of pages.toReversed()) {
      const holders = (this.#holders[page] as number) - 1;
      this.#holders[page] = holders;
      if (holders > 0) continue;
      if (this.#keyOf.has(page)) this.#idle.add(page);
      else this.#free.push(page);
    }
  }

  /** Forgets all content: the weights have changed. */
  clear(): void {
    for (const page of this.#idle) this.#free.push(page);
    this.#idle.clear();
    this.#pageOf.clear();
    this.#keyOf.clear();
    this.#serialOf.clear();
  }

  #evict(): number {
    for (const page of this.#idle) {
      this.#idle.delete(page);
      this.#forget(page);
      return page;
    }
    throw new RangeError('the key-value cache is full');
  }

  #forget(page: number): void {
    const key = this.#keyOf.get(page);
    if (key === undefined) return;
    this.#pageOf.delete(key);
    this.#keyOf.delete(page);
    this.#serialOf.delete(page);
  }
}

function keyOf(parent: number, ids: Int32Array, index: number): string {
  return `${parent}:${ids.subarray(index * PAGE_TOKENS, (index + 1) * PAGE_TOKENS).join()}`;
}
