/** The part of a file that is in memory; grows to the largest piece asked for and slides forward. Knows bytes, and nothing of what they are. */
import { readSync } from 'node:fs';

/** Read at once at least, unless told otherwise. */
const chunkBytes = 1 << 20;

export class FileWindow {
  readonly #fd: number;
  readonly #size: number;
  readonly #chunk: number;
  #bytes = new Uint8Array(0);
  #start = 0;

  constructor(fd: number, size: number, chunk = chunkBytes) {
    this.#fd = fd;
    this.#size = size;
    this.#chunk = chunk;
  }

  /** A view, valid until the next call. The file is known to be long enough. */
  at(offset: number, length: number): Uint8Array {
    if (offset < this.#start || offset + length > this.#start + this.#bytes.length) this.#slide(offset, length);
    return this.#bytes.subarray(offset - this.#start, offset - this.#start + length);
  }

  #slide(offset: number, length: number): void {
    const wanted = Math.min(Math.max(length, this.#chunk), this.#size - offset);
    const bytes = new Uint8Array(wanted);
    let got = 0;
    while (got < wanted) {
      const read = readSync(this.#fd, bytes, got, wanted - got, offset + got);
      if (read === 0) throw new Error('the file became shorter while it was read');
      got += read;
    }
    this.#bytes = bytes;
    this.#start = offset;
  }
}
