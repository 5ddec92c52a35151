/** Episodes of one task side by side: which of their turns belong into one row, where they are the same, and where they part. Knows turns; draws nothing. */
import type { JsonValue } from '../../../protocol/json.ts';
import type { ToolStatus, Turn } from '../../../protocol/turn.ts';

/** One thing that a turn says or does, as text. */
export interface Piece {
  readonly kind: 'words' | 'thought' | 'call' | 'malformed' | 'result' | 'nothing';
  readonly text: string;
  readonly status?: ToolStatus;
}

export interface Cell {
  /** Index in the episode's turns. */
  readonly turn: number;
  readonly pieces: readonly Piece[];
  /** Which of the row's different contents it is: 0 for the most frequent one. */
  readonly variant: number;
}

export interface Row {
  /** Told apart by it: `2.agent.0`. */
  readonly key: string;
  readonly role: Turn['role'];
  /** One a column; null where that episode has no such turn. */
  readonly cells: readonly (Cell | null)[];
  /** How many columns have each content, most frequent first. */
  readonly variants: readonly number[];
}

export interface Alignment {
  readonly rows: readonly Row[];
  /** Rows at the beginning in which all episodes are the same. */
  readonly common: number;
}

/** Every column has the row, and the same in it. */
export const isShared = ({ cells, variants }: Row): boolean => variants.length === 1 && !cells.includes(null);

/**
 * A row holds what happened at the same place: the n-th turn of the agent, the k-th result after it, what the user said to it.
 * So one more call of one member moves nothing of the others. `columns`: turns of one episode each; an episode without any is in no row and parts nothing.
 */
export function aligned(columns: readonly (readonly Turn[])[]): Alignment {
  const found = new Map<string, { readonly place: Place; readonly turns: (number | null)[] }>();
  columns.forEach((turns, column) => {
    placesOf(turns).forEach((place, turn) => {
      const key = `${place.round}.${place.role}.${place.nth}`;
      const row = found.get(key) ?? { place, turns: columns.map(() => null) };
      found.set(key, row);
      row.turns[column] = turn;
    });
  });
  const begun = columns.map((turns) => turns.length > 0);
  const rows = [...found]
    .sort(([, a], [, b]) => a.place.round - b.place.round || order[a.place.role] - order[b.place.role] || a.place.nth - b.place.nth)
    .map(([key, { place, turns }]) => rowOf(key, place.role, columns, turns));
  const parted = rows.findIndex(
    ({ cells, variants }) => variants.length > 1 || cells.some((cell, column) => cell === null && begun[column]),
  );
  return { rows, common: parted === -1 ? rows.length : parted };
}

interface Place {
  /** Turns of the agent before and with it. */
  readonly round: number;
  readonly role: Turn['role'];
  /** Among those of its role in the round. */
  readonly nth: number;
}

/** Within a round: the agent acts, tools answer, the user goes on. */
const order: Readonly<Record<Turn['role'], number>> = { agent: 0, tool: 1, user: 2 };

function placesOf(turns: readonly Turn[]): Place[] {
  let round = 0;
  let seen = { agent: 0, tool: 0, user: 0 };
  return turns.map(({ role }) => {
    if (role === 'agent') {
      round++;
      seen = { agent: 0, tool: 0, user: 0 };
    }
    return { round, role, nth: seen[role]++ };
  });
}

function rowOf(key: string, role: Turn['role'], columns: readonly (readonly Turn[])[], turns: readonly (number | null)[]): Row {
  const pieces = turns.map((turn, column) => {
    const found = turn === null ? undefined : columns[column]?.[turn];
    return found === undefined ? null : piecesOf(found);
  });
  const signatures = pieces.map((one) => (one === null ? null : JSON.stringify(one)));
  const counts = new Map<string, number>();
  for (const signature of signatures) if (signature !== null) counts.set(signature, (counts.get(signature) ?? 0) + 1);
  // Equal counts keep their order: a map lists keys as they came.
  const variants = [...counts].sort(([, a], [, b]) => b - a);
  const numberOf = new Map(variants.map(([signature], variant) => [signature, variant]));
  return {
    key,
    role,
    variants: variants.map(([, count]) => count),
    cells: pieces.map((one, column) => {
      const [turn, signature] = [turns[column], signatures[column]];
      return one === null || turn == null || signature == null ? null : { turn, pieces: one, variant: numberOf.get(signature) ?? 0 };
    }),
  };
}

/** What a turn is, for people; equal turns have equal pieces, in whatever order their arguments were written. */
export function piecesOf(turn: Turn): readonly Piece[] {
  switch (turn.role) {
    case 'user':
      return [{ kind: 'words', text: turn.text }];
    case 'agent': {
      const { thought, text, calls, malformed } = turn;
      const pieces: Piece[] = [
        ...(thought === '' ? [] : [{ kind: 'thought', text: thought } as const]),
        ...(text === '' ? [] : [{ kind: 'words', text } as const]),
        ...calls.map(({ name, arguments: given }) => ({ kind: 'call', text: `${name}(${entriesText(given)})` }) as const),
        ...(malformed === undefined ? [] : [{ kind: 'malformed', text: `${malformed.raw} (${malformed.reason})` } as const]),
      ];
      return pieces.length === 0 ? [{ kind: 'nothing', text: '(neither words nor a call)' }] : pieces;
    }
    case 'tool':
      return [{ kind: 'result', status: turn.status, text: valueText(turn.result) }];
    default:
      return turn satisfies never;
  }
}

const entriesText = (value: { readonly [key: string]: JsonValue }): string =>
  Object.keys(value)
    .sort()
    .map((key) => `${key}: ${valueText(value[key] ?? null)}`)
    .join(', ');

function valueText(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return Array.isArray(value) ? `[${value.map(valueText).join(', ')}]` : `{${entriesText(value)}}`;
}
