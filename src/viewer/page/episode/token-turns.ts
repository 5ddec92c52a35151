/** Which tokens are which turn: what the agent sampled in one go is one of its turns. Arithmetic over strips. */
import type { StripOutline } from '../../contract.ts';
import type { Turn } from '../../../protocol/turn.ts';

/** Tokens sampled for one of the agent's turns. */
export interface Stretch {
  /** Index in the episode's turns. */
  readonly turn: number;
  readonly strip: number;
  readonly from: number;
  /** One past its last token. */
  readonly until: number;
}

/** In the order of the turns: what separates two of them was read, never sampled (rule L2). */
export function stretchesOf(strips: readonly Pick<StripOutline, 'stretches'>[], turns: readonly Turn[]): Stretch[] {
  const agents = turns.flatMap(({ role }, turn) => (role === 'agent' ? [turn] : []));
  return (
    strips
      .flatMap(({ stretches }, strip) => stretches.map(([from, until]) => ({ strip, from, until })))
      // Sampled and never said: the episode was cut before.
      .map((stretch, nth) => ({ turn: agents[nth] ?? turns.length, ...stretch }))
  );
}

/** The stretch a turn was sampled in, or the next one after a turn of others; null where there is none. */
export const stretchOfTurn = (stretches: readonly Stretch[], turn: number): Stretch | null =>
  stretches.find((stretch) => stretch.turn >= turn) ?? stretches.at(-1) ?? null;

/** The stretch that holds a token, or the next one after it in its strip; null after the last. */
export function stretchOfToken(stretches: readonly Stretch[], strip: number, token: number): Stretch | null {
  let low = 0;
  let high = stretches.length;
  // In order of strips, and of tokens within one.
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = stretches[middle];
    if (at !== undefined && (at.strip < strip || (at.strip === strip && at.until <= token))) low = middle + 1;
    else high = middle;
  }
  const found = stretches[low];
  return found?.strip === strip ? found : null;
}
