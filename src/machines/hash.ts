/** Names a state value by eight hex digits, the same in Node and in a browser: the check by which a replay proves that it is one. Knows nothing of charts. */
import type { StateValue } from 'xstate';
import { canonical } from '../protocol/json.ts';
import type { JsonValue } from '../protocol/json.ts';

/** First 8 hex digits of sha256 over the canonical JSON of a state value. A chart has few state values, so each is hashed once. */
export function stateHash(value: StateValue): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : canonical(value as JsonValue);
  const known = hashes.get(text);
  if (known !== undefined) return known;
  const hash = sha256Word(new TextEncoder().encode(text));
  hashes.set(text, hash);
  return hash;
}

const hashes = new Map<string, string>();

/** The round constants of FIPS 180-4: fractional parts of the cube roots of the first 64 primes; the initial words: of the square roots of the first 8. */
const primes = Array.from({ length: 312 }, (_, i) => i).filter(
  (n) => n > 1 && Array.from({ length: n }, (_, d) => d).every((d) => d < 2 || n % d !== 0),
);
const fraction = (x: number): number => Math.floor((x - Math.floor(x)) * 4294967296) | 0;
const rounds = Int32Array.from(primes.slice(0, 64), (p) => fraction(Math.cbrt(p)));
const initial = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));

const rotate = (x: number, by: number): number => (x >>> by) | (x << (32 - by));

/** The first 32 bits of the digest, in hex. */
function sha256Word(bytes: Uint8Array): string {
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, bytes.length * 8);
  const state = Int32Array.from(initial);
  const w = new Int32Array(64);
  for (let at = 0; at < padded.length; at += 64) compress(state, w, view, at);
  return ((state[0] as number) >>> 0).toString(16).padStart(8, '0');
}

function compress(state: Int32Array, w: Int32Array, view: DataView, at: number): void {
  for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + i * 4);
  for (let i = 16; i < 64; i++) {
    const [x, y] = [w[i - 15] as number, w[i - 2] as number];
    w[i] =
      ((w[i - 16] as number) +
        (rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3)) +
        (w[i - 7] as number) +
        (rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10))) |
      0;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const t1 = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + (rounds[i] as number) + (w[i] as number)) | 0;
    const t2 = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] = ((state[i] as number) + word) | 0));
}
