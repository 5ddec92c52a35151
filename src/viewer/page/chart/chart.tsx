/** Any statechart, live or at rest: drawn to fit, zoomed, with heat on demand and told in words below. What it shows is given to it; it asks nobody. */
import './chart.css';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ChartGeometry } from '../../chart/geometry.ts';
import { Drawing } from './drawing.tsx';
import { heatOf, type Measure } from './heat.ts';
import { usePan } from './pan.ts';
import { Told } from './told.tsx';

interface ChartProps {
  readonly geometry: ChartGeometry;
  /** Ids of the states the actor is in (chart/active.ts). */
  readonly active?: readonly string[];
  /** Ids of the edges its last event took. */
  readonly edges?: readonly string[];
  /** Id of an edge → how often it was taken. */
  readonly visits?: Readonly<Record<string, number>>;
  /** Id of a state → events that passed while it lasted. */
  readonly dwell?: Readonly<Record<string, number>>;
  /** What its heat shows at first; left out: none. */
  readonly heat?: Measure;
}

const none: readonly never[] = [];
const nothing: Readonly<Record<string, number>> = {};

/** As long as it can be read at all the whole is shown; below that it is scrolled, at a size at which it reads well. */
const smallest = 0.75;
const legible = 0.85;
const [least, most] = [0.2, 3];
const zooms = [0.35, 0.5, 0.7, 0.85, 1, 1.25, 1.5, 2];

export function Chart({ geometry, active = none, edges = none, visits = nothing, dwell = nothing, heat }: ChartProps) {
  const view = useRef<HTMLDivElement>(null);
  const drawing = useRef<HTMLDivElement>(null);
  const fit = useFit(view, geometry);
  const [zoom, setZoom] = useState<number | null>(null);
  const [measure, setMeasure] = useState<Measure | null>(heat ?? null);
  const isCounted = Object.keys(visits).length > 0;
  const shown = useMemo(
    () => ({
      active: new Set(active),
      taken: new Set(edges),
      heat: measure === null || !isCounted ? null : heatOf(geometry, measure, visits, dwell),
    }),
    [geometry, active, edges, visits, dwell, measure, isCounted],
  );
  const scale = zoom ?? (fit < smallest ? legible : Math.min(1.25, fit));
  useFollow(view, geometry, active, scale, zoom === null);
  const next = (by: 1 | -1): number | undefined =>
    by > 0 ? zooms.find((one) => one > scale + 0.01) : zooms.findLast((one) => one < scale - 0.01);
  const whole = (): void => setZoom(fit);
  const { listeners, step } = usePan(view, drawing, { scale, least: Math.min(least, fit), most, set: setZoom, next, whole });
  return (
    <figure class="chart">
      <div class="chart-tools">
        <button
          type="button"
          class="button quiet"
          aria-label="smaller"
          title="smaller (−; or turn the wheel with Ctrl)"
          onClick={() => step(-1)}
        >
          −
        </button>
        <output class="number">{Math.round(scale * 100)} %</output>
        <button
          type="button"
          class="button quiet"
          aria-label="larger"
          title="larger (+; or turn the wheel with Ctrl)"
          onClick={() => step(1)}
        >
          +
        </button>
        <button type="button" class="button quiet" title="all of it (0)" onClick={whole}>
          Whole
        </button>
        {isCounted ? (
          <label>
            Heat{' '}
            <select
              class="field"
              value={measure ?? ''}
              onChange={(event) => setMeasure((event.currentTarget.value || null) as Measure | null)}
            >
              <option value="">off</option>
              <option value="visits">times entered</option>
              <option value="dwell">events stayed</option>
            </select>
          </label>
        ) : null}
      </div>
      <div
        class="chart-view"
        ref={view}
        tabIndex={0}
        role="region"
        aria-label={`drawing of ${geometry.name}: plus and minus enlarge, arrows move, 0 shows all`}
        {...listeners}
      >
        <div class="chart-sheet" ref={drawing}>
          <Drawing geometry={geometry} scale={scale} label={sentence(geometry, shown)} {...shown} />
        </div>
      </div>
      <details class="chart-words">
        <summary>In words</summary>
        <Told geometry={geometry} {...shown} />
      </details>
    </figure>
  );
}

function sentence(
  { name, nodes, edges }: ChartGeometry,
  { active, taken }: { readonly active: ReadonlySet<string>; readonly taken: ReadonlySet<string> },
): string {
  const leaves = nodes.filter(({ id }) => active.has(id) && !nodes.some(({ parent, id: inner }) => parent === id && active.has(inner)));
  const where = leaves.length === 0 ? '' : `, now in ${leaves.map(({ id }) => id.slice(name.length + 1)).join(' and ')}`;
  const ways = edges.flatMap((edge) => edge.ways).filter(({ edge, lines }) => taken.has(edge) && lines.length > 0);
  return `statechart ${name}${where}${ways.length === 0 ? '' : `, just taken: ${ways.map(({ lines }) => lines.map(({ text }) => text).join(' ')).join(', then ')}`}`;
}

/** The scale at which the whole chart is seen; follows the size of its place. */
function useFit(view: { readonly current: HTMLElement | null }, { width, height }: ChartGeometry): number {
  const [fit, setFit] = useState(1);
  useEffect(() => {
    const element = view.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      const { clientWidth, clientHeight } = element;
      if (clientWidth > 0 && clientHeight > 0) setFit(Math.min(clientWidth / width, clientHeight / height));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [width, height]);
  return fit;
}

/** Keeps the present state in sight, without moving the page; where somebody has chosen the scale, only when the state changes: what they look at is theirs. */
function useFollow(
  view: { readonly current: HTMLElement | null },
  { nodes }: ChartGeometry,
  active: readonly string[],
  scale: number,
  isOwnScale: boolean,
): void {
  const innermost = active.at(-1);
  useEffect(() => {
    const element = view.current;
    const node = nodes.find(({ id }) => id === innermost);
    if (element === null || node === undefined) return;
    const { clientWidth, clientHeight, scrollLeft, scrollTop } = element;
    const left = nearest(node.x * scale, node.w * scale, scrollLeft, clientWidth);
    const top = nearest(node.y * scale, node.h * scale, scrollTop, clientHeight);
    if (left !== scrollLeft || top !== scrollTop) element.scrollTo({ left, top });
  }, [innermost, isOwnScale ? scale : null, nodes]);
}

/** The scroll position closest to the present one at which `from..from + length` is seen with some room. */
function nearest(from: number, length: number, scrolled: number, seen: number): number {
  const room = 24;
  if (from - room < scrolled) return Math.max(0, from - room);
  if (from + length + room > scrolled + seen) return from + length + room - seen;
  return scrolled;
}
