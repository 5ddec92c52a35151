/** A list to run down, one row an item, all of one height: those in sight are in the document, and the chosen one is brought into sight. Knows rows, not what stands in them. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { revealed, windowOf } from './rows.ts';

interface RowListProps {
  readonly label: string;
  readonly count: number;
  /** Pixels. */
  readonly height: number;
  /** The chosen row; none where it is below 0. */
  readonly at: number;
  readonly onPick: (index: number) => void;
  readonly row: (index: number) => ComponentChildren;
}

export function RowList({ label, count, height: one, at, onPick, row }: RowListProps) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const read = (): void => {
    const { scrollTop: top = 0, clientHeight: height = 800 } = box.current ?? {};
    setView((now) => (now.top === top && now.height === height ? now : { top, height }));
  };
  useLayoutEffect(() => {
    read();
    const element = box.current;
    if (element === null) return undefined;
    const resized = new ResizeObserver(read);
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (at < 0 || box.current === null) return;
    box.current.scrollTop = revealed(at, box.current.scrollTop, box.current.clientHeight, one);
    read();
  }, [at]);
  const { from, until } = windowOf(view.top, view.height, one, count);
  return (
    <div class="turn-list" ref={box} onScroll={read}>
      <ol aria-label={label} style={{ height: `${count * one}px` }}>
        {Array.from({ length: until - from }, (_, i) => {
          const index = from + i;
          return (
            <li key={index} style={{ top: `${index * one}px` }} aria-setsize={count} aria-posinset={index + 1}>
              <button type="button" aria-current={index === at ? 'true' : undefined} onClick={() => onPick(index)}>
                {row(index)}
              </button>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
