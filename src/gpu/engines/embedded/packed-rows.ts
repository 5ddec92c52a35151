/** What the model computes on: sequences packed row by row, without padding, where members of a group may share their prefix. */
import type { ModelShape } from './shape.ts';

export interface Span {
  readonly start: number;
  readonly length: number;
}

/** Rows `start ..` that attend causally to each other, after the rows of `prefix`: an earlier segment without a prefix of its own, computed once for all who share it. */
export interface Segment extends Span {
  readonly prefix?: Span;
}

export interface PackedRows {
  /** Token of each row. */
  readonly ids: Int32Array;
  /** Position of each row in its sequence. */
  readonly positions: Int32Array;
  readonly segments: readonly Segment[];
  /** Row `rows[i]` predicts token `ids[i]`. A row may occur more than once: the last row of a shared prefix predicts each member's first token. */
  readonly targets: { readonly rows: Int32Array; readonly ids: Int32Array };
}

/** Refuses rows that would make a kernel read or write outside its buffers. */
export function checkRows(shape: ModelShape, rows: PackedRows): void {
  const count = rows.ids.length;
  const within = (values: Int32Array, bound: number, what: string): void => {
    for (const value of values) if (value < 0 || value >= bound) throw new RangeError(`${what} ${value} is not in 0 .. ${bound - 1}`);
  };
  within(rows.ids, shape.vocab, 'token');
  within(rows.positions, shape.maxPositions, 'position');
  within(rows.targets.ids, shape.vocab, 'target token');
  within(rows.targets.rows, count, 'target row');
  if (rows.positions.length !== count) throw new RangeError(`${rows.positions.length} positions for ${count} tokens`);
  if (rows.targets.rows.length !== rows.targets.ids.length) throw new RangeError('targets need a row and a token each');
  let covered = 0;
  for (const segment of rows.segments) {
    if (segment.start !== covered || segment.length < 1) throw new RangeError('segments must cover the rows in order, without gaps');
    covered += segment.length;
    const { prefix } = segment;
    if (prefix && (prefix.start < 0 || prefix.length < 0 || prefix.start + prefix.length > segment.start)) {
      throw new RangeError('a prefix must lie before the segment that continues it');
    }
  }
  if (covered !== count) throw new RangeError(`segments cover ${covered} of ${count} rows`);
}

/** Sequences without shared prefixes, each token predicting the next one. */
export function packSequences(sequences: readonly ArrayLike<number>[]): PackedRows {
  const ids: number[] = [];
  const positions: number[] = [];
  const segments: Segment[] = [];
  const rows: number[] = [];
  const next: number[] = [];
  for (const sequence of sequences) {
    segments.push({ start: ids.length, length: sequence.length });
    for (let i = 0; i < sequence.length; i++) {
      if (i > 0) {
        rows.push(ids.length - 1);
        next.push(sequence[i] as number);
      }
      ids.push(sequence[i] as number);
      positions.push(i);
    }
  }
  return {
    ids: Int32Array.from(ids),
    positions: Int32Array.from(positions),
    segments,
    targets: { rows: Int32Array.from(rows), ids: Int32Array.from(next) },
  };
}
