/** Cuts a byte stream into frames: u32 little-endian length, then that many bytes. Knows nothing of what is in them. */
import { foreignLimit, WireError } from '../../../protocol/codec.ts';

/** Length and body, to be written one after the other. */
export function frameOf(body: Uint8Array): [Uint8Array, Uint8Array] {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, body.length, true);
  return [head, body];
}

/** Feed it chunks as they come; it calls `take` once per whole frame. A length above the limit throws WireError: whatever writes there speaks something else. */
export function frameReader(take: (body: Uint8Array) => void): (chunk: Uint8Array) => void {
  let chunks: Uint8Array[] = [];
  let held = 0;
  return (chunk) => {
    chunks.push(chunk);
    held += chunk.length;
    while (held >= 4) {
      const length = lengthAt(chunks);
      if (length > foreignLimit) throw new WireError(`a frame of ${length} bytes; the limit is ${foreignLimit}`);
      if (held < 4 + length) return;
      const whole = Buffer.concat(chunks, held);
      chunks = held > 4 + length ? [whole.subarray(4 + length)] : [];
      held -= 4 + length;
      take(whole.subarray(4, 4 + length));
    }
  };
}

/** The first four bytes, which may lie in as many chunks. */
function lengthAt(chunks: readonly Uint8Array[]): number {
  let length = 0;
  let place = 0;
  for (const chunk of chunks) {
    for (const byte of chunk.subarray(0, 4 - place)) {
      length += byte * 256 ** place;
      place++;
    }
    if (place === 4) break;
  }
  return length;
}
