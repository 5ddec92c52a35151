/** A long list of items of unknown heights, of which the document holds those in sight. Scrolls to an item when told to; knows nothing of what the items are. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Hand, readingLine } from './hand.ts';
import { Heights } from './heights.ts';

/** Asks that an item be brought into sight; a new object asks anew. */
export interface Reveal {
  readonly index: number;
}

interface FlowProps {
  readonly label: string;
  readonly count: number;
  /** Pixels, before it was drawn. */
  readonly estimate: (index: number) => number;
  readonly keyOf: (index: number) => string;
  readonly render: (index: number) => ComponentChildren;
  readonly reveal: Reveal | null;
  /** A person has scrolled to this item; called no more often than a few times a second. */
  readonly onRead?: (index: number) => void;
}

/** Pixels drawn beyond either edge. */
const beyond = 600;
/** A revealed item stands this far below the upper edge. */
const margin = 24;
/** Drawing an item may change the heights above it: a reveal is mended for so long. */
const mendingMs = 400;
/** Between two tellings of what is read. */
const tellingMs = 160;

export function Flow({ label, count, estimate, keyOf, render, reveal, onRead }: FlowProps) {
  const box = useRef<HTMLDivElement>(null);
  const heights = useMemo(() => new Heights(count, estimate), [count, estimate]);
  const [view, setView] = useState({ top: 0, height: 800 });
  const [, redraw] = useState(0);
  const hand = useMemo(() => new Hand(), []);
  const told = useRef(onRead);
  told.current = onRead;
  const telling = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const mending = useRef<{ readonly index: number; readonly until: number } | null>(null);

  const read = (): void => {
    const element = box.current;
    if (element === null) return;
    const next = { top: element.scrollTop, height: element.clientHeight };
    setView((now) => (now.top === next.top && now.height === next.height ? now : next));
  };
  const mend = (): void => {
    const element = box.current;
    const wanted = mending.current;
    if (element === null || wanted === null) return;
    if (performance.now() > wanted.until) mending.current = null;
    const top = heights.top(wanted.index);
    const bottom = top + heights.height(wanted.index);
    const isSeen = top >= element.scrollTop && bottom <= element.scrollTop + element.clientHeight;
    if (!isSeen) element.scrollTop = Math.max(0, top - margin);
    hand.placed(element.scrollTop);
    read();
  };

  const measured = useMemo(
    () =>
      new ResizeObserver((entries) => {
        const element = box.current;
        if (element === null) return;
        let changed = false;
        let above = 0;
        for (const { target, borderBoxSize } of entries) {
          const index = Number((target as HTMLElement).dataset['index']);
          const height = borderBoxSize[0]?.blockSize ?? 0;
          // Taken out of the document.
          if (height === 0) continue;
          const isAbove = heights.top(index) + heights.height(index) <= element.scrollTop;
          const by = heights.set(index, height);
          if (by !== 0) changed = true;
          if (isAbove) above += by;
        }
        if (!changed) return;
        // What one reads stays where it is.
        if (above !== 0 && mending.current === null) {
          element.scrollTop += above;
          hand.placed(element.scrollTop);
        }
        redraw((n) => n + 1);
        mend();
      }),
    [heights],
  );
  const scrolled = (): void => {
    read();
    const element = box.current;
    const now = performance.now();
    if (element === null || told.current === undefined || now < (mending.current?.until ?? 0)) return;
    if (!hand.scrolled(element.scrollTop, now)) return;
    telling.current ??= setTimeout(() => {
      telling.current = undefined;
      if (count > 0) told.current?.(heights.at(readingLine(element.scrollTop, element.clientHeight, heights.total)));
    }, tellingMs);
  };
  const touched = (): void => hand.touched(performance.now());
  useEffect(() => () => clearTimeout(telling.current), [heights]);
  useEffect(() => () => measured.disconnect(), [measured]);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    read();
    const resized = new ResizeObserver(read);
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (reveal === null || reveal.index < 0 || reveal.index >= count) return;
    mending.current = { index: reveal.index, until: performance.now() + mendingMs };
    mend();
  }, [reveal, heights]);

  const from = count === 0 ? 0 : heights.at(Math.max(0, view.top - beyond));
  const to = count === 0 ? 0 : heights.at(view.top + view.height + beyond) + 1;
  const before = heights.top(from);
  const after = heights.total - heights.top(to);
  return (
    <div
      class="flow"
      role="feed"
      aria-label={label}
      tabIndex={0}
      ref={box}
      onScroll={scrolled}
      onWheel={() => {
        mending.current = null;
        touched();
      }}
      onKeyDown={touched}
      onTouchMove={touched}
      onPointerDown={() => hand.touched(performance.now(), true)}
    >
      <div aria-hidden="true" style={{ height: `${before}px` }} />
      {Array.from({ length: to - from }, (_, i) => (
        <Item key={keyOf(from + i)} index={from + i} count={count} measured={measured}>
          {render(from + i)}
        </Item>
      ))}
      <div aria-hidden="true" style={{ height: `${after}px` }} />
    </div>
  );
}

interface ItemProps {
  readonly index: number;
  readonly count: number;
  readonly measured: ResizeObserver;
  readonly children: ComponentChildren;
}

function Item({ index, count, measured, children }: ItemProps) {
  const item = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const element = item.current;
    if (element === null) return undefined;
    measured.observe(element);
    return () => measured.unobserve(element);
  }, [measured, index]);
  return (
    <article
      ref={item}
      class="flow-item"
      data-index={index}
      aria-posinset={index + 1}
      aria-setsize={count}
      aria-label={`part ${index + 1} of ${count}`}
    >
      {children}
    </article>
  );
}
