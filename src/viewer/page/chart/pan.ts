/** Moves and enlarges what lies in a scrolling box: by dragging, by the wheel with Ctrl (which is how a pinch arrives), by keys. Knows elements; not what is drawn in them. */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

interface Box {
  readonly current: HTMLElement | null;
}

/** A point of the drawing that stays where it is seen while the scale changes. */
interface Anchor {
  /** In units of the drawing. */
  readonly at: readonly [x: number, y: number];
  /** On the screen. */
  readonly seen: readonly [x: number, y: number];
}

interface Zoom {
  readonly scale: number;
  readonly least: number;
  readonly most: number;
  readonly set: (scale: number) => void;
  /** The next scale that a button or key leads to; undefined: it is the last. */
  readonly next: (by: 1 | -1) => number | undefined;
  /** All of it in sight. */
  readonly whole: () => void;
}

/** Pixels an arrow moves, and the wheel's turn that doubles. */
const stride = 48;
const doubling = 260;

/** `drawing`: what lies in the box, drawn at `scale`. Returns the box's listeners, and what the buttons do: what is in the middle stays there. */
export function usePan(box: Box, drawing: Box, zoom: Zoom) {
  const now = useRef(zoom);
  now.current = zoom;
  const anchor = useRef<Anchor | null>(null);
  const drag = useRef<{ readonly x: number; readonly y: number; readonly left: number; readonly top: number } | null>(null);

  const zoomAbout = (x: number, y: number, scale: number): void => {
    const area = drawing.current?.getBoundingClientRect();
    const { scale: before, least, most, set } = now.current;
    const next = Math.max(least, Math.min(most, scale));
    if (area === undefined || Math.abs(next - before) < 1e-6) return;
    anchor.current = { at: [(x - area.left) / before, (y - area.top) / before], seen: [x, y] };
    set(next);
  };
  const step = (by: 1 | -1): void => {
    const area = box.current?.getBoundingClientRect();
    const next = now.current.next(by);
    if (area !== undefined && next !== undefined) zoomAbout(area.left + area.width / 2, area.top + area.height / 2, next);
  };
  useLayoutEffect(() => {
    const [element, area] = [box.current, drawing.current?.getBoundingClientRect()];
    if (anchor.current === null || element === null || area === undefined) return;
    const { at, seen } = anchor.current;
    anchor.current = null;
    element.scrollLeft += area.left + at[0] * zoom.scale - seen[0];
    element.scrollTop += area.top + at[1] * zoom.scale - seen[1];
  }, [zoom.scale]);
  // Preact listens to wheels passively; this one keeps the page from being enlarged instead.
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const turn = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      // Lines and pages are told in units of their own.
      const by = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : 24);
      zoomAbout(event.clientX, event.clientY, now.current.scale * 2 ** (-Math.max(-200, Math.min(200, by)) / doubling));
    };
    element.addEventListener('wheel', turn, { passive: false });
    return () => element.removeEventListener('wheel', turn);
  }, []);

  const keys: Readonly<Record<string, () => void>> = {
    '+': () => step(1),
    '=': () => step(1),
    '-': () => step(-1),
    '0': zoom.whole,
    ArrowLeft: () => box.current?.scrollBy(-stride, 0),
    ArrowRight: () => box.current?.scrollBy(stride, 0),
    ArrowUp: () => box.current?.scrollBy(0, -stride),
    ArrowDown: () => box.current?.scrollBy(0, stride),
  };
  const listeners = {
    onKeyDown: (event: KeyboardEvent): void => {
      const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
      if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    },
    onPointerDown: (event: PointerEvent): void => {
      const element = box.current;
      // A finger scrolls by itself; the scrollbars are their own.
      if (element === null || event.button !== 0 || event.pointerType === 'touch' || isOnScrollbar(element, event)) return;
      drag.current = { x: event.clientX, y: event.clientY, left: element.scrollLeft, top: element.scrollTop };
    },
    onPointerMove: (event: PointerEvent): void => {
      const element = box.current;
      if (element === null || drag.current === null) return;
      const { x, y, left, top } = drag.current;
      // Held only once it moves: a click stays a click.
      if (!element.hasPointerCapture(event.pointerId)) {
        if (Math.hypot(event.clientX - x, event.clientY - y) < 4) return;
        element.setPointerCapture(event.pointerId);
        element.dataset['held'] = 'true';
      }
      element.scrollTo(left - (event.clientX - x), top - (event.clientY - y));
    },
    onPointerUp: release,
    onPointerCancel: release,
  };
  return { listeners, step };

  function release(): void {
    drag.current = null;
    if (box.current !== null) delete box.current.dataset['held'];
  }
}

const isOnScrollbar = (element: HTMLElement, { clientX, clientY }: PointerEvent): boolean => {
  const { left, top } = element.getBoundingClientRect();
  return clientX - left > element.clientWidth || clientY - top > element.clientHeight;
};
