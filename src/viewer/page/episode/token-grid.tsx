/** Tokens in rows, only those in sight in the document: any number of them. One is the cursor; arrows move it. What the colours mean is the caller's. */
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { tokenFace } from '../../token-face.ts';
import { revealed, windowOf } from '../kit/rows.ts';
import { rowOfToken, type TokenRow, tokenRows, type Tokens } from './token-rows.ts';
import type { Shade } from './token-shade.ts';

interface TokenGridProps {
  readonly label: string;
  readonly tokens: Tokens;
  readonly shade: (index: number) => Shade;
  /** Whether a token begins a row. */
  readonly begins: (index: number) => boolean;
  /** Tokens that belong to what is looked at, from and until; null: none. */
  readonly marked?: { readonly from: number; readonly until: number } | null;
  readonly cursor: number;
  readonly onCursor: (index: number) => void;
  /** Under the token at the cursor or the pointer. */
  readonly card: (index: number) => ComponentChildren;
  /** Told which tokens are in sight, or nearly, whenever others are. */
  readonly onSeen?: (from: number, until: number) => void;
}

/** Pixels: of a row, and of one character of the face in which they are set. */
const row = 26;
const character = 7.3;
const nowhere: TokenRow = { from: 0, until: 0 };
/** As wide as a token that is still to come: nothing moves when it does. */
const blank = '\u00a0';
export const absent: Shade = { tone: 'read', sign: '' };

export function TokenGrid({ label, tokens, shade, begins, marked = null, cursor, onCursor, card, onSeen }: TokenGridProps) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600, width: 900 });
  const [over, setOver] = useState<number | null>(null);
  const columns = Math.max(20, Math.floor((view.width - 24) / character));
  const rows = useMemo(() => tokenRows(tokens, columns, begins), [tokens.length, tokens.measure, columns, begins]);
  const read = (): void => {
    const { scrollTop: top = 0, clientHeight: height = 600, clientWidth: width = 900 } = box.current ?? {};
    setView((now) => (now.top === top && now.height === height && now.width === width ? now : { top, height, width }));
  };
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    read();
    const resized = new ResizeObserver(read);
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  const atRow = rowOfToken(rows, cursor);
  useLayoutEffect(() => {
    if (box.current === null) return;
    box.current.scrollTop = revealed(atRow, box.current.scrollTop, box.current.clientHeight, row);
    read();
  }, [atRow]);
  const press = (event: KeyboardEvent): void => {
    const { from, until } = rows[atRow] ?? nowhere;
    const beside = (other: TokenRow | undefined): number =>
      other === undefined ? cursor : Math.min(other.until - 1, other.from + cursor - from);
    const next = {
      ArrowRight: cursor + 1,
      ArrowLeft: cursor - 1,
      ArrowDown: beside(rows[atRow + 1]),
      ArrowUp: beside(rows[atRow - 1]),
      Home: event.ctrlKey ? 0 : from,
      End: event.ctrlKey ? tokens.length - 1 : until - 1,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setOver(null);
    onCursor(Math.max(0, Math.min(tokens.length - 1, next)));
  };
  const { from, until } = windowOf(view.top, view.height, row, rows.length, 8);
  const [seenFrom, seenUntil] = [rows[from]?.from ?? 0, rows[until - 1]?.until ?? 0];
  useLayoutEffect(() => onSeen?.(seenFrom, seenUntil), [seenFrom, seenUntil, onSeen]);
  return (
    <>
      <div
        class="tokens"
        role="listbox"
        aria-label={label}
        aria-activedescendant={`${id}-${cursor}`}
        tabIndex={0}
        ref={box}
        onScroll={read}
        onKeyDown={press}
        onMouseLeave={() => setOver(null)}
      >
        <div class="tokens-all" role="presentation" style={{ height: `${rows.length * row}px` }}>
          {rows.slice(from, until).map((line, i) => (
            <div key={from + i} class="token-row" role="presentation" style={{ top: `${(from + i) * row}px` }}>
              {Array.from({ length: line.until - line.from }, (_, j) => {
                const index = line.from + j;
                const text = tokens.text(index);
                const { tone, sign } = shade(index);
                return (
                  <span
                    key={index}
                    id={`${id}-${index}`}
                    class="token"
                    role="option"
                    aria-selected={index === cursor}
                    aria-label={text === undefined ? `token ${index}, not here yet` : undefined}
                    data-tone={tone}
                    data-sign={sign}
                    data-marked={marked !== null && index >= marked.from && index < marked.until ? 'true' : undefined}
                    onMouseEnter={() => setOver(index)}
                    onClick={() => onCursor(index)}
                  >
                    {text === undefined ? blank.repeat(tokens.measure(index).width) : tokenFace(text)}
                  </span>
                );
              })}
            </div>
          ))}
        </div>
      </div>
      <div class="token-card" role="status">
        {tokens.length === 0 ? null : card(over !== null && over >= seenFrom && over < seenUntil ? over : cursor)}
      </div>
    </>
  );
}
