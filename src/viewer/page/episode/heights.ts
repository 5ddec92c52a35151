/** Where the items of a long list stand whose heights are known only once they were drawn. Sums over a tree: every answer in O(log n). Knows no document. */

export class Heights {
  readonly count: number;
  readonly #height: Float64Array;
  /** Fenwick tree over the heights, 1-based. */
  readonly #tree: Float64Array;

  constructor(count: number, estimate: (index: number) => number) {
    this.count = count;
    this.#height = new Float64Array(count);
    this.#tree = new Float64Array(count + 1);
    for (let i = 0; i < count; i++) {
      const height = estimate(i);
      this.#height[i] = height;
      this.#grow(i + 1, height);
      const parent = i + 1 + ((i + 1) & -(i + 1));
      if (parent <= count) this.#grow(parent, this.#tree[i + 1] ?? 0);
    }
  }

  #grow(node: number, by: number): void {
    this.#tree[node] = (this.#tree[node] ?? 0) + by;
  }

  get total(): number {
    return this.top(this.count);
  }

  height(index: number): number {
    return this.#height[index] ?? 0;
  }

  /** Sum of the heights before it. */
  top(index: number): number {
    let sum = 0;
    for (let i = Math.min(index, this.count); i > 0; i -= i & -i) sum += this.#tree[i] ?? 0;
    return sum;
  }

  /** Sets what was measured; says by how much it differs from before. */
  set(index: number, height: number): number {
    if (index < 0 || index >= this.count) return 0;
    const by = height - (this.#height[index] ?? 0);
    this.#height[index] = height;
    for (let i = index + 1; i <= this.count; i += i & -i) this.#grow(i, by);
    return by;
  }

  /** The item that covers this distance from the top; the last for what is below all. */
  at(distance: number): number {
    let index = 0;
    let rest = distance;
    let step = 1;
    while (step * 2 <= this.count) step *= 2;
    for (; step > 0; step >>= 1) {
      const next = index + step;
      const sum = this.#tree[next] ?? 0;
      if (next <= this.count && sum <= rest) {
        index = next;
        rest -= sum;
      }
    }
    return Math.max(0, Math.min(this.count - 1, index));
  }
}
