/** Calls waiting for a slot, best first. A binary heap: 16,000 waiting calls cost 14 comparisons each. It knows order, not time, and never drops anything. */
import type { Role } from '../protocol/inference.ts';

/** Smaller is sooner, compared left to right: [role class, priority of the request, age of its group, arrival]. */
export type Rank = readonly [number, number, number, number];

/** The policy's calls complete groups, so they go first; then the simulators an episode waits for; new tasks can wait longest. */
export const roleClass: Readonly<Record<Role, number>> = { policy: 0, user: 1, tool: 1, judge: 2, task: 3 };

export interface Ranked {
  readonly rank: Rank;
}

export class CallQueue<Call extends Ranked> {
  readonly #heap: Call[] = [];
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

  /** Takes a waiting call out, wherever it stands. It leaves the heap when it reaches the top. */
  remove(call: Call): void {
    this.#gone.add(call);
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
  for (let i = 0; i < 4; i++) {
    const difference = (a.rank[i] as number) - (b.rank[i] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
