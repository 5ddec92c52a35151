/** Which tokens are which turn: what the agent sampled in one go is one of its turns. Arithmetic over strips. */
import type { TokenStrip } from '../../contract.ts';
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
export function stretchesOf(strips: readonly TokenStrip[], turns: readonly Turn[]): Stretch[] {
  const agents = turns.flatMap(({ role }, turn) => (role === 'agent' ? [turn] : []));
  const found: Stretch[] = [];
  for (const [strip, { sampled }] of strips.entries()) {
    for (let at = sampled.indexOf(true); at !== -1;) {
      const end = sampled.indexOf(false, at);
      const until = end === -1 ? sampled.length : end;
      // Sampled and never said: the episode was cut before.
      const turn = agents[found.length] ?? turns.length;
      found.push({ turn, strip, from: at, until });
      at = end === -1 ? -1 : sampled.indexOf(true, end);
    }
  }
  return found;
}

/** The stretch a turn was sampled in, or the next one after a turn of others; null where there is none. */
export const stretchOfTurn = (stretches: readonly Stretch[], turn: number): Stretch | null =>
  stretches.find((stretch) => stretch.turn >= turn) ?? stretches.at(-1) ?? null;

/** The turn a token was sampled for, or read before; null after the last. */
export const turnOfToken = (stretches: readonly Stretch[], strip: number, token: number): number | null =>
  stretches.find((stretch) => stretch.strip === strip && stretch.until > token)?.turn ?? null;
