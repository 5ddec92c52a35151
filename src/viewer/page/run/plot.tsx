/** One plot over the steps: lines with names, figures under the cursor, the cursor shared with every plot of the page. A canvas to the eye, a sentence to the ear. */
import 'uplot/dist/uPlot.min.css';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { figure } from '../format.ts';
import { shownTheme } from '../theme.ts';
import { isStill, reachOf, tickNames } from './axis.ts';
import { type Column, inWords } from './series.ts';

export interface Line {
  readonly name: string;
  readonly values: Column;
  /** 1..6, of the design's lines. */
  readonly colour: number;
  /** What the legend says, where the line is drawn at something else: a layer of a stack is drawn at a sum. */
  readonly said?: Column;
  readonly show?: (value: number) => string;
  readonly dashed?: boolean;
  /** Drawn behind the others and faint: single steps behind their running mean. */
  readonly faint?: boolean;
  /** The figure holds until the next. */
  readonly stepped?: boolean;
  /** Filled down to the line before it, or to the ground: a stack. */
  readonly filled?: boolean;
}

export interface PlotProps {
  readonly title: string;
  /** What is measured, for who does not know. */
  readonly about?: string;
  /** Why it does not move, where that is known. */
  readonly still?: string;
  readonly steps: readonly number[];
  readonly lines: readonly Line[];
  /** Fixed ends of the scale; left out, the figures decide. */
  readonly range?: readonly [number, number];
  /** Horizontal marks with their names, such as thresholds. */
  readonly marks?: readonly { readonly at: number; readonly name: string }[];
  readonly picked: number | null;
  readonly onPick: (step: number) => void;
}

const height = 150;
/** Below this nothing can be drawn. */
const narrowest = 120;

export function Plot(props: PlotProps) {
  const { title, about, still, lines, range, marks = [] } = props;
  const isFlat = range === undefined && isStill(lines.map(({ said, values }) => said ?? values));
  const words = lines
    .filter(({ faint }) => faint !== true)
    .map(({ name, values, said = values, show = figure }) => inWords(name, said, show));
  return (
    <figure class="plot">
      <figcaption title={about}>
        {title}
        {marks.length === 0 ? null : <span class="marks">┄ {marks.map(({ name }) => name).join(', ')}</span>}
        <span class="unseen">. {words.join('. ')}.</span>
      </figcaption>
      {isFlat ? <Flat lines={lines} still={still} /> : <Canvas {...props} />}
    </figure>
  );
}

/** Lines that never move, as figures: an empty frame says less. */
function Flat({ lines, still }: { readonly lines: readonly Line[]; readonly still: string | undefined }) {
  return (
    <div class="flat" aria-hidden="true">
      <dl>
        {lines.map(({ name, values, said = values, show = figure }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="number">{show(said.find((value) => value !== null) ?? 0)}</dd>
          </div>
        ))}
      </dl>
      <p class="muted">{still ?? 'the same in every step'}</p>
    </div>
  );
}

function Canvas({ steps, lines, range, marks = [], picked, onPick }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | null>(null);
  const pick = useRef(onPick);
  pick.current = onPick;
  const chosen = useRef(picked);
  chosen.current = picked;
  const theme = shownTheme();
  const shape = JSON.stringify([lines.map(({ name, colour }) => [name, colour]), range, marks, theme]);
  const data = useMemo(() => [steps, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData, [steps, lines]);

  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const plot = new uPlot(
      optionsOf({ lines, range, marks, chosen, width: Math.max(narrowest, element.clientWidth), ink: inkOf(element) }),
      data,
      element,
    );
    plot.over.addEventListener('click', () => {
      const at = plot.cursor.idx;
      const step = at == null ? undefined : (plot.data[0][at] as number | undefined);
      if (step !== undefined) pick.current(step);
    });
    drawn.current = plot;
    const sized = new ResizeObserver(() => plot.setSize({ width: Math.max(narrowest, element.clientWidth), height }));
    sized.observe(element);
    return () => {
      sized.disconnect();
      plot.destroy();
      drawn.current = null;
    };
  }, [shape]);
  useEffect(() => (drawn.current !== null ? renew(drawn.current, data) : undefined), [data]);
  useEffect(() => drawn.current?.redraw(false), [picked]);

  return <div class="canvas" ref={box} aria-hidden="true" />;
}

interface Ink {
  readonly text: string;
  readonly grid: string;
  readonly strong: string;
  readonly line: (colour: number) => string;
}

/** A canvas knows no custom properties: an element wears each colour once and is asked what it looks like. */
function inkOf(element: HTMLElement): Ink {
  const probe = document.createElement('i');
  element.append(probe);
  const colour = (name: string): string => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const lines = Array.from({ length: 6 }, (_, i) => colour(`--line-${i + 1}`));
  const ink = {
    text: colour('--muted'),
    grid: colour('--grid'),
    strong: colour('--border-strong'),
    line: (at: number) => lines[at - 1] ?? '',
  };
  probe.remove();
  return ink;
}

/** `rgb(1, 2, 3)` → `rgba(1, 2, 3, 0.2)`. */
const faded = (colour: string, alpha: number): string => colour.replace(/^rgb\(/, 'rgba(').replace(/\)$/, `, ${alpha})`);

interface Drawing {
  readonly lines: readonly Line[];
  readonly range: PlotProps['range'];
  readonly marks: NonNullable<PlotProps['marks']>;
  readonly chosen: { readonly current: number | null };
  readonly width: number;
  readonly ink: Ink;
}

function optionsOf({ lines, range, marks, chosen, width, ink }: Drawing): uPlot.Options {
  const axis = { stroke: ink.text, font: '11px system-ui, sans-serif', grid: { stroke: ink.grid, width: 1 }, ticks: { show: false } };
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  return {
    width,
    height,
    padding: [8, 8, 0, 0],
    scales: { x: { time: false }, y: { range: range === undefined ? rangeOf : [range[0], range[1]] } },
    cursor: { sync: { key: 'steps', setSeries: false }, drag: { x: true, y: false }, points: { size: 5 }, y: false },
    legend: { live: true },
    axes: [
      { ...axis, size: 26, space: 48, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? String(tick) : '')) },
      { ...axis, size: 46, space: 28, values: (_, ticks) => tickNames(ticks) },
    ],
    series: [
      { label: 'step', value: (_, value) => (value === null ? '–' : String(value)) },
      ...lines.map((line): uPlot.Series => {
        const colour = ink.line(line.colour);
        return {
          label: line.name,
          stroke: line.faint === true ? faded(colour, 0.35) : colour,
          width: line.faint === true ? 1 : 1.5,
          points: { show: line.values.length === 1, size: 5 },
          value: (_, value: number | null, __, at: number | null) => {
            const own = line.said === undefined || at === null ? value : (line.said[at] ?? null);
            return own === null ? '–' : (line.show ?? figure)(own);
          },
          spanGaps: false,
          ...(line.dashed === true ? { dash: [5, 3] } : {}),
          ...(line.filled === true ? { fill: faded(colour, 0.3) } : {}),
          ...(line.stepped === true && stepped !== undefined ? { paths: stepped } : {}),
        };
      }),
    ],
    hooks: {
      setCursor: [sayLast],
      ready: [sayLast],
      draw: [(plot) => drawMarks(plot, { marks, chosen, ink })],
    },
  };
}

/** New figures; a part that was zoomed into stays in view. */
function renew(plot: uPlot, data: uPlot.AlignedData): void {
  const shown = plot.data[0];
  // Before its first drawing a plot has no scale: nothing is zoomed into.
  const { min, max } = plot.scales['x'] ?? {};
  const zoomed = min != null && max != null && shown.length > 1 && (min !== shown[0] || max !== shown.at(-1));
  plot.setData(data, !zoomed);
  if (zoomed) plot.redraw();
  sayLast(plot);
}

/** Where no cursor is, the legend says how things stand: of two runs, at the last step that both have. */
function sayLast(plot: uPlot): void {
  if (plot.cursor.idx != null) return;
  const [steps, ...lines] = plot.data;
  const last = steps.findLastIndex((_, at) => lines.every((line) => line[at] != null));
  plot.setLegend({ idx: last === -1 ? steps.length - 1 : last }, false);
}

function rangeOf(_: uPlot, low: number | null, high: number | null): [number, number] {
  return low === null || high === null ? [0, 1] : [...reachOf(low, high)];
}

function drawMarks(plot: uPlot, { marks, chosen, ink }: Pick<Drawing, 'marks' | 'chosen' | 'ink'>): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.lineWidth = ratio;
  for (const { at } of marks) {
    const y = plot.valToPos(at, 'y', true);
    if (y < bbox.top - 1 || y > bbox.top + bbox.height + 1) continue;
    ctx.strokeStyle = ink.strong;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  if (chosen.current !== null) {
    const x = plot.valToPos(chosen.current, 'x', true);
    ctx.strokeStyle = ink.line(1);
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
