/** Episodes as columns, their turns as rows: the common beginning folded, the place where they part marked, differences word by word. */
import './group.css';
import { Component, type ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Turn } from '../../../protocol/turn.ts';
import { WhoMark } from '../episode/who.tsx';
import { plural } from '../format.ts';
import { useKeys } from '../keys.ts';
import { navigate } from '../navigation.ts';
import { aligned, isShared, type Cell, type Row } from './align.ts';
import { CellBody } from './cell.tsx';
import { useSpread } from './spread.ts';

export interface Column {
  readonly key: string;
  /** As others call it: `e03`. */
  readonly name: string;
  readonly turns: readonly Turn[];
  readonly head: ComponentChildren;
  /** How it ended, under its turns. */
  readonly end: ComponentChildren;
  /** Where one of its turns is shown alone. */
  readonly hrefOf: ((turn: number) => string) | null;
}

interface ColumnsProps {
  readonly label: string;
  readonly columns: readonly Column[];
  /** Index of the column that the keys act on. */
  readonly picked: number;
  /** May be asked for one beyond either end. */
  readonly onPick: (column: number) => void;
  /** Index of the column that the others are compared with; null compares none. */
  readonly against: number | null;
}

/** Rows drawn before the browser paints; more of them with each frame. */
const atOnce = 8;

export function Columns({ label, columns, picked, onPick, against }: ColumnsProps) {
  const turns = useSame(columns.map((column) => column.turns));
  const { rows, common } = useMemo(() => aligned(turns), [turns]);
  const [isOpen, setOpen] = useState(false);
  const [key, setKey] = useState<string | null>(null);
  const [drawn, setDrawn] = useState(atOnce);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (drawn >= rows.length) return undefined;
    const frame = requestAnimationFrame(() => setDrawn(drawn + atOnce));
    return () => cancelAnimationFrame(frame);
  }, [drawn, rows.length]);
  const references = useSpread(against, rows.length, () => rowInSight(box.current, rows));
  const seen = isOpen ? rows : rows.slice(common);
  const at = seen.findIndex((row) => row.key === key);
  const goTo = (index: number): void => {
    const row = seen[Math.max(0, Math.min(seen.length - 1, index))];
    if (row === undefined) return;
    setKey(row.key);
    box.current?.querySelector(`tr[data-row="${row.key}"]`)?.scrollIntoView({ block: 'nearest' });
  };
  const open = (): void => {
    const { hrefOf } = columns[picked] ?? { hrefOf: null };
    if (hrefOf !== null) navigate(hrefOf(seen[at]?.cells[picked]?.turn ?? 0));
  };
  useKeys('Side by side', [
    { keys: 'h', what: 'the one to the left', act: () => onPick(picked - 1) },
    { keys: 'l', what: 'the one to the right', act: () => onPick(picked + 1) },
    { keys: 'j', what: 'next turn', act: () => goTo(at + 1) },
    { keys: 'k', what: 'previous turn', act: () => goTo(at - 1) },
    { keys: 'g g', what: 'first turn', act: () => goTo(0) },
    { keys: 'G', what: 'last turn', act: () => goTo(seen.length - 1) },
    { keys: 'o', what: 'open it, at that turn', act: open },
  ]);
  useEffect(() => {
    box.current?.querySelector(`th[data-column="${picked}"]`)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [picked]);
  const begun = columns.filter(({ turns }) => turns.length > 0).length;
  const folds = common > 0 && begun > 1;
  return (
    <div class="columns-box" role="region" aria-label={label} tabIndex={0} ref={box}>
      <table class="columns" style={{ minWidth: `${96 + columns.length * 248}px` }}>
        <caption class="unseen">{label}</caption>
        <thead>
          <tr>
            <th scope="col" class="place">
              <span class="muted">turn</span>
            </th>
            {columns.map(({ key, head }, i) => (
              <th key={key} scope="col" data-column={i} data-picked={i === picked} onClick={() => onPick(i)}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {folds ? (
            <tr class="divider">
              <td class="place" />
              <td colSpan={columns.length}>
                <div class="pinned">
                  <button type="button" class="button quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
                    <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span> {plural(common, 'turn')} the same
                  </button>
                  {isOpen ? null : <span class="muted one-line">{beginningOf(rows.slice(0, common))}</span>}
                </div>
              </td>
            </tr>
          ) : null}
          {folds && !isOpen
            ? null
            : rows
                .slice(0, common)
                .map((row, i) => (
                  <TurnRow key={row.key} {...{ row, columns, picked }} against={references[i] ?? null} isPicked={row.key === key} />
                ))}
          {common < rows.length && begun > 1 ? (
            <tr class="divider parting">
              <td class="place" />
              <td colSpan={columns.length}>
                <div class="pinned">
                  <span aria-hidden="true">≠</span> {common === 0 ? 'They differ from the first turn' : 'Here they part'}
                  {columns.length > 2 ? <span class="muted"> · {partingWords(rows[common], columns)}</span> : null}
                </div>
              </td>
            </tr>
          ) : null}
          {rows.slice(common, Math.max(drawn, common + atOnce)).map((row, i) => (
            <TurnRow key={row.key} {...{ row, columns, picked }} against={references[common + i] ?? null} isPicked={row.key === key} />
          ))}
          <tr class="end">
            <th scope="row" class="place">
              end
            </th>
            {columns.map(({ key, end }, i) => (
              <td key={key} data-picked={i === picked}>
                {end}
              </td>
            ))}
          </tr>
        </tbody>
      </table>
    </div>
  );
}

/** The same list for as long as it holds the same things. */
function useSame<T>(list: readonly T[]): readonly T[] {
  const last = useRef(list);
  if (list.length !== last.current.length || list.some((one, i) => one !== last.current[i])) last.current = list;
  return last.current;
}

/** Index of the first row that is seen; 0 where none is. */
function rowInSight(box: HTMLElement | null, rows: readonly Row[]): number {
  const top = box?.getBoundingClientRect().top ?? 0;
  const drawn = [...(box?.querySelectorAll<HTMLElement>('tr[data-row]') ?? [])];
  const seen = drawn.find((element) => element.getBoundingClientRect().bottom > top)?.dataset['row'];
  return Math.max(
    0,
    rows.findIndex(({ key }) => key === seen),
  );
}

/** The first words of what is folded away. */
function beginningOf(rows: readonly Row[]): string {
  const text = rows[0]?.cells.find((cell) => cell !== null)?.pieces[0]?.text ?? '';
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/** `3 say A, 1 says B`: how many columns have which content. */
function partingWords(row: Row | undefined, columns: readonly Column[]): string {
  if (row === undefined) return '';
  const without = row.cells.filter((cell, i) => cell === null && (columns[i]?.turns.length ?? 0) > 0).length;
  if (row.variants.length > 1 && row.variants[0] === 1 && without === 0) return 'each says something else';
  const shares = row.variants.slice(0, 6).map((count, variant) => `${count} × ${letterOf(variant)}`);
  return [
    ...shares,
    ...(row.variants.length > 6 ? [`${row.variants.length - 6} more`] : []),
    ...(without > 0 ? [`${without} ended before`] : []),
  ].join(', ');
}

/** A, B, …, Z, then by number. */
const letterOf = (variant: number): string => (variant < 26 ? String.fromCharCode(65 + variant) : `#${variant + 1}`);

interface TurnRowProps {
  readonly row: Row;
  readonly columns: readonly Column[];
  readonly picked: number;
  readonly against: number | null;
  readonly isPicked: boolean;
}

/** Drawn anew only where something about it changed. */
class TurnRow extends Component<TurnRowProps> {
  override shouldComponentUpdate(next: TurnRowProps): boolean {
    return differs(next, this.props);
  }

  override render() {
    return <TurnRowContent {...this.props} />;
  }
}

const differs = <T extends object>(next: T, now: T, besides: keyof T | null = null): boolean =>
  (Object.keys(next) as (keyof T)[]).some((key) => key !== besides && next[key] !== now[key]);

function TurnRowContent({ row, columns, picked, against, isPicked }: TurnRowProps) {
  const first = row.cells.find((cell) => cell !== null);
  const place = (
    <th scope="row" class="place">
      <WhoMark who={row.role} />
      {first == null ? null : <span class="muted">{first.turn}</span>}
    </th>
  );
  if (isShared(row) && columns.length > 1 && first != null)
    return (
      <tr class="shared" data-row={row.key} data-at={isPicked}>
        {place}
        <td colSpan={columns.length}>
          <div class="pinned">
            <CellBody pieces={first.pieces} against={null} />
          </div>
        </td>
      </tr>
    );
  const reference = against === null ? null : (row.cells[against] ?? null);
  return (
    <tr data-row={row.key} data-at={isPicked}>
      {place}
      {columns.map((column, i) => (
        <td key={column.key} data-picked={i === picked} class={row.cells[i] == null ? 'absent' : undefined}>
          <TurnCell
            cell={row.cells[i] ?? null}
            row={row}
            column={column}
            reference={i === against ? null : reference}
            name={against === null ? '' : (columns[against]?.name ?? '')}
            hasLetters={columns.length > 2}
          />
        </td>
      ))}
    </tr>
  );
}

interface TurnCellProps {
  readonly cell: Cell | null;
  readonly row: Row;
  readonly column: Column;
  readonly reference: Cell | null;
  /** Of the column the reference is in. */
  readonly name: string;
  /** Of two, each sees for itself. */
  readonly hasLetters: boolean;
}

/** Drawn anew only where what it shows is another: a key press that picks a column touches borders, not words, and another reference of one row not those of the others. */
class TurnCell extends Component<TurnCellProps> {
  override shouldComponentUpdate(next: TurnCellProps): boolean {
    const { column } = this.props;
    // Its head may be another; a cell shows nothing of it.
    return differs(next, this.props, 'column') || next.column.key !== column.key || next.column.turns !== column.turns;
  }

  override render() {
    return <TurnContent {...this.props} />;
  }
}

function TurnContent({ cell, row, column, reference, name, hasLetters }: TurnCellProps) {
  if (cell === null) return <span class="unseen">no such turn</span>;
  const count = row.variants[cell.variant] ?? 1;
  const isSame = reference !== null && reference.variant === cell.variant;
  return (
    <div class="turn-cell">
      <span class="cell-side">
        {hasLetters && row.variants.length > 1 && (row.variants[0] ?? 0) > 1 ? (
          <span
            class="variant"
            data-variant={Math.min(cell.variant, 5)}
            title={`variant ${letterOf(cell.variant)}, in ${plural(count, 'column')}`}
          >
            {letterOf(cell.variant)}
          </span>
        ) : null}
        {column.hrefOf === null ? null : (
          <a class="turn-link" href={column.hrefOf(cell.turn)} aria-label={`turn ${cell.turn} of ${column.name}`}>
            {cell.turn}
          </a>
        )}
      </span>
      {isSame ? <span class="muted">as {name}</span> : <CellBody pieces={cell.pieces} against={reference?.pieces ?? null} />}
    </div>
  );
}
