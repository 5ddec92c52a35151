/** Hashes of token sequences, block by block: what a prefix cache is keyed by and what the fake's chance comes from. Knows numbers only. */

/** Tokens of one key-value block. */
export const blockTokens = 16;

/** lowbias32 (C. Wellons, "Prospecting for hash functions"): a 32-bit bijection. */
export function stir(x: number): number {
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** A sequence of tokens as two 32-bit lanes, and where each of its full blocks ended. */
export interface Chain {
  readonly length: number;
  readonly high: number;
  readonly low: number;
  /** One 53-bit number a full block, of all tokens up to its end. */
  readonly blocks: readonly number[];
}

export const emptyChain: Chain = { length: 0, high: 0x243f6a88, low: 0x85a308d3, blocks: [] };

/** The chain of the longer sequence. The first one stays as it is. */
export function extended(chain: Chain, ids: ArrayLike<number>): Chain {
  const blocks = [...chain.blocks];
  let { high, low, length } = chain;
  for (let i = 0; i < ids.length; i++) {
    low = stir(low ^ (ids[i] as number));
    high = folded(high, low);
    length++;
    if (length % blockTokens === 0) blocks.push((high >>> 11) * 4294967296 + low);
  }
  return { length, high, low, blocks };
}

/** The upper lane after the lower one. */
export const folded = (high: number, low: number): number => Math.imul(high ^ low, 0x9e3779b1) >>> 0;

/** The same blocks under another owner: adapters and salts never share a cache. */
export const keyed = (blocks: readonly number[], owner: number): readonly number[] =>
  owner === 0 ? blocks : blocks.map((block) => (block + owner * 4096) % 9007199254740881);

export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = stir(hash ^ text.charCodeAt(i));
  return hash;
}

/** A text as stand-in tokens: one for four characters. */
export function textIds(text: string): Int32Array {
  const ids = new Int32Array(Math.ceil(text.length / 4));
  for (let i = 0; i < text.length; i++) {
    const at = i >> 2;
    ids[at] = Math.imul((ids[at] as number) ^ text.charCodeAt(i), 0x01000193) & 0x7fffffff;
  }
  return ids;
}
