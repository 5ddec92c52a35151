/** A stack allocator over a lane's stretch of shared memory, for what is needed only for a while. */
import type { Address } from './kernels.ts';

/** A stack of buffers in a lane's stretch of memory. What is taken after a mark goes when the mark is released. */
export class Arena {
  readonly #buffer: SharedArrayBuffer;
  readonly #start: Address;
  readonly #end: Address;
  #top: Address;

  constructor(buffer: SharedArrayBuffer, start: Address, end: Address) {
    this.#buffer = buffer;
    this.#start = start;
    this.#end = end;
    this.#top = start;
  }

  /** Uninitialised room for `floats` 4-byte numbers, with 64 bytes of slack behind it that kernels may read. */
  take(floats: number): Address {
    const start = this.#top;
    this.#top = Math.ceil((start + floats * 4 + 64) / 64) * 64;
    if (this.#top > this.#end) {
      const megabytes = Math.ceil((this.#top - this.#start) / 2 ** 20);
      throw new RangeError(`a shard needs more than ${megabytes} MB of activations: make shards smaller or raise arenaMB`);
    }
    return start;
  }

  ints(values: ArrayLike<number>): Address {
    const at = this.take(values.length);
    new Int32Array(this.#buffer, at, values.length).set(values);
    return at;
  }

  floats(values: ArrayLike<number>): Address {
    const at = this.take(values.length);
    this.view(at, values.length).set(values);
    return at;
  }

  view(at: Address, floats: number): Float32Array<SharedArrayBuffer> {
    return new Float32Array(this.#buffer, at, floats);
  }

  intView(at: Address, length: number): Int32Array<SharedArrayBuffer> {
    return new Int32Array(this.#buffer, at, length);
  }

  mark(): Address {
    return this.#top;
  }

  release(mark: Address): void {
    this.#top = mark;
  }

  /** Releases everything, after a job that failed half-way. */
  reset(): void {
    this.#top = this.#start;
  }
}
