/** Calls waiting for a slot, best first. A binary heap: 16,000 waiting calls cost 14 comparisons each. It knows order, not time, and never drops anything. */
import type { Role } from '../protocol/inference.ts';

/** Smaller is sooner, compared left to right: [step, role class, priority of the request, age of its group, arrival]. */
export type Rank = readonly [number, number, number, number, number];

/** Within a step the policy's calls complete groups, so they go first; then the simulators an episode waits for; new tasks can wait longest. */
export const roleClass: Readonly<Record<Role, number>> = { policy: 0, user: 1, tool: 1, judge: 2, task: 3 };

export interface Ranked {
  readonly rank: Rank;
}

/** Below so many, places of calls that are gone are not worth a sweep. */
const sweepFrom = 64;

export class CallQueue<Call extends Ranked> {
  #heap: Call[] = [];
  readonly #gone = new Set<Call>();

  get size(): number {
    return this.#heap.length - this.#gone.size;
  }

  push(call: Call): void {
    if (this.#gone.delete(call)) return;
    const heap = this.#heap;
    let at = heap.push(call) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isSooner(call, heap[parent] as Call)) break;
      heap[at] = heap[parent] as Call;
      at = parent;
    }
    heap[at] = call;
  }

  /** Takes a waiting call out, wherever it stands. Its place goes when it reaches the top, or when half of all places are such. */
  remove(call: Call): void {
    if (this.#heap[0] === call && !this.#gone.has(call)) return this.#drop();
    this.#gone.add(call);
    if (this.#gone.size < sweepFrom || 2 * this.#gone.size < this.#heap.length) return;
    const kept = this.clear();
    for (const each of kept) this.push(each);
  }

  /** Takes all waiting calls out, in no order. */
  clear(): Call[] {
    const kept = this.#heap.filter((each) => !this.#gone.has(each));
    this.#heap = [];
    this.#gone.clear();
    return kept;
  }

  peek(): Call | undefined {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined || !this.#gone.delete(top)) return top;
      this.#drop();
    }
  }

  pop(): Call | undefined {
    const top = this.peek();
    if (top !== undefined) this.#drop();
    return top;
  }

  #drop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Call;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isSooner(heap[child + 1] as Call, heap[child] as Call)) child++;
      if (!isSooner(heap[child] as Call, last)) break;
      heap[at] = heap[child] as Call;
      at = child;
    }
    heap[at] = last;
  }
}

function isSooner(a: Ranked, b: Ranked): boolean {
  for (let i = 0; i < 5; i++) {
    const difference = (a.rank[i] as number) - (b.rank[i] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
