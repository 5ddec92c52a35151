/** Finds the turn that a piece of evidence quotes, by the words they share. A guess for a link, no judgement of the quote. */
import type { Turn } from '../../../protocol/turn.ts';

/** Least share of the evidence's words that the turn must hold. */
const least = 0.7;
/** Characters read of one turn, and of all together: a link is not worth more. */
const longest = { turn: 4000, all: 2_000_000 } as const;

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];

/** Index of the turn that holds most of the words, the first of equals; null where none holds enough. */
export function quotedTurn(turns: readonly Turn[], evidence: string): number | null {
  const wanted = new Set(wordsOf(evidence.slice(0, 2000)));
  if (wanted.size < 2) return null;
  let best: number | null = null;
  let most = least;
  let read = 0;
  for (const [i, turn] of turns.entries()) {
    const text = turnText(turn).slice(0, longest.turn);
    read += text.length;
    if (read > longest.all) return best;
    const words = new Set(wordsOf(text));
    let shared = 0;
    for (const word of wanted) if (words.has(word)) shared++;
    const share = shared / wanted.size;
    if (share < most || (best !== null && share === most)) continue;
    most = share;
    best = i;
  }
  return best;
}

/** All that a judge can quote of a turn: no thoughts. */
export function turnText(turn: Turn): string {
  switch (turn.role) {
    case 'user':
      return turn.text;
    case 'agent':
      return [turn.text, ...turn.calls.map(({ name, arguments: given }) => `${name} ${jsonStart(given)}`), turn.malformed?.raw ?? ''].join(
        ' ',
      );
    case 'tool':
      return `${turn.call.name} ${turn.status} ${jsonStart(turn.result)}`;
    default:
      return turn satisfies never;
  }
}

const jsonStart = (value: unknown): string => (typeof value === 'string' ? value.slice(0, longest.turn) : JSON.stringify(value));
