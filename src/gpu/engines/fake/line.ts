/** Who waits for a place in the batch: by priority, then by arrival. A binary heap that knows nothing of why they wait. */

interface Waiting {
  readonly priority: number;
  readonly serial: number;
}

export const isBefore = (a: Waiting, b: Waiting): boolean => a.priority < b.priority || (a.priority === b.priority && a.serial < b.serial);

export class WaitingLine<T extends Waiting> {
  readonly #heap: T[] = [];

  get length(): number {
    return this.#heap.length;
  }

  get first(): T | undefined {
    return this.#heap[0];
  }

  push(item: T): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(item, heap[parent] as T)) break;
      heap[at] = heap[parent] as T;
      at = parent;
    }
    heap[at] = item;
  }

  shift(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const item = heap.pop();
    if (item === undefined || item === first) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as T, heap[child] as T)) child++;
      if (!isBefore(heap[child] as T, item)) break;
      heap[at] = heap[child] as T;
      at = child;
    }
    heap[at] = item;
    return first;
  }

  /** In no order. */
  values(): readonly T[] {
    return this.#heap;
  }

  clear(): T[] {
    return this.#heap.splice(0);
  }
}
