/**
 * How near a text is to those said before: Jaccard distance of their sets of 3-letter pieces, 0 = the same pieces, 1 = none in common. Knows texts only.
 * Source: Tool-R0 (arXiv 2602.21320), whose clusters are queries nearer than 0.30.
 */
import { wordsOf } from '../hearing.ts';

/** Texts kept; of more, the older half is forgotten. */
const most = 65_536;

export class Sayings {
  /** Piece → numbers of the texts that hold it, ascending. */
  #holders = new Map<string, number[]>();
  /** One per text: how many pieces it has. */
  #sizes: number[] = [];
  #texts: string[] = [];

  constructor(texts: Iterable<string> = []) {
    for (const text of texts) this.add(text);
  }

  add(text: string): void {
    if (this.#texts.length >= most) this.#forget();
    const pieces = piecesOf(text);
    const number = this.#texts.push(text) - 1;
    this.#sizes.push(pieces.size);
    for (const piece of pieces) {
      const holders = this.#holders.get(piece);
      if (holders === undefined) this.#holders.set(piece, [number]);
      else holders.push(number);
    }
  }

  /** Distance to the nearest text said before; 1 where nothing was. */
  distance(text: string): number {
    const pieces = piecesOf(text);
    const shared = new Uint16Array(this.#texts.length);
    for (const piece of pieces) for (const number of this.#holders.get(piece) ?? []) shared[number] = (shared[number] as number) + 1;
    let nearest = 0;
    for (const [number, common] of shared.entries())
      if (common > 0) nearest = Math.max(nearest, common / (pieces.size + (this.#sizes[number] as number) - common));
    return 1 - nearest;
  }

  #forget(): void {
    const kept = this.#texts.slice(most / 2);
    this.#holders = new Map();
    this.#sizes = [];
    this.#texts = [];
    for (const text of kept) this.add(text);
  }
}

function piecesOf(text: string): Set<string> {
  const words = wordsOf(text);
  const pieces = new Set<string>();
  for (let i = 0; i + 3 <= words.length; i++) pieces.add(words.slice(i, i + 3));
  if (words.length > 0 && words.length < 3) pieces.add(words);
  return pieces;
}
