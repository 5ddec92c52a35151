/** A chart's geometry as SVG: states lit, the edge just taken marked, heat where it was asked for. It measures nothing and keeps nothing. */
import type { Box, ChartEdge, ChartGeometry, ChartNode, Way } from '../../chart/geometry.ts';
import type { Heat } from './heat.ts';
import { headPath, roundedPath } from './route.ts';
import { placesOf } from './times.ts';

export interface Shown {
  /** Ids of the states the actor is in. */
  readonly active: ReadonlySet<string>;
  /** Ids of the edges its last event took. */
  readonly taken: ReadonlySet<string>;
  readonly heat: Heat | null;
}

interface DrawingProps extends Shown {
  readonly geometry: ChartGeometry;
  readonly scale: number;
  /** Says in a sentence what the picture shows. */
  readonly label: string;
}

export function Drawing({ geometry, scale, label, ...shown }: DrawingProps) {
  const { width, height, nodes, edges } = geometry;
  return (
    <svg
      class="chart-drawing"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${width} ${height}`}
      width={Math.round(width * scale)}
      height={Math.round(height * scale)}
    >
      {nodes.map((node) => (
        <State key={node.id} node={node} {...shown} />
      ))}
      {edges.map((edge) => (
        <Line key={`${edge.source}>${edge.target}`} edge={edge} {...shown} />
      ))}
      {edges.map((edge) => (
        <Label key={`${edge.source}>${edge.target}`} edge={edge} {...shown} />
      ))}
      {shown.heat === null ? null : <Times geometry={geometry} heat={shown.heat} />}
      {nodes.map((node) => (
        <Flags key={node.id} node={node} {...shown} />
      ))}
    </svg>
  );
}

function State({ node, active, taken, heat }: Shown & { readonly node: ChartNode }) {
  const { id, kind, x, y, w, h, title, notes, about } = node;
  if (kind === 'initial')
    return (
      <circle class="chart-initial" cx={x + w / 2} cy={y + h / 2} r={w / 2 - 1}>
        <title>{about}</title>
      </circle>
    );
  const round = kind === 'any' || kind === 'history' ? h / 2 : 6;
  const measured = kind === 'atomic' || kind === 'final' ? (heat?.of(id).share ?? 0) : 0;
  return (
    <g class="chart-state" data-id={id} data-kind={kind} data-active={active.has(id)}>
      <title>{about}</title>
      <rect class="chart-box" x={x} y={y} width={w} height={h} rx={round} />
      {measured > 0 ? <rect class="chart-heat" x={x} y={y} width={w} height={h} rx={round} opacity={measured} /> : null}
      {kind === 'final' ? <rect class="chart-ring" x={x + 3} y={y + 3} width={w - 6} height={h - 6} rx={4} /> : null}
      <text class="chart-title" x={title.x} y={title.y}>
        {title.text}
      </text>
      {notes.map((note) => (
        <text
          key={note.y}
          class="chart-note"
          data-kind={note.kind}
          data-taken={note.edge !== undefined && taken.has(note.edge)}
          x={note.x}
          y={note.y}
        >
          {note.text}
        </text>
      ))}
    </g>
  );
}

const tookAny = ({ ways }: ChartEdge, taken: ReadonlySet<string>): boolean => ways.some(({ edge }) => taken.has(edge));

function Line({ edge, taken, heat }: Shown & { readonly edge: ChartEdge }) {
  const share = Math.max(0, ...edge.ways.map((way) => heat?.of(way.edge).share ?? 0));
  return (
    <g class="chart-line" data-taken={tookAny(edge, taken)}>
      <title>{edge.ways.map(({ about }) => about).join('\n')}</title>
      <path class="chart-path" d={roundedPath(edge.points)} style={share > 0 ? { strokeWidth: 1 + 3 * share } : undefined} />
      <path class="chart-head" d={headPath(edge.points)} />
    </g>
  );
}

function Label({ edge: { label, ways }, taken, heat }: Shown & { readonly edge: ChartEdge }) {
  if (label === null) return null;
  const aboutOf = ({ edge, about }: Way): string => {
    const count = heat?.of(edge).count ?? 0;
    return count === 0 ? about : `${about}\ntaken ${count} times`;
  };
  return (
    <g class="chart-label">
      <rect class="chart-ground" x={label.x} y={label.y} width={label.w} height={label.h} />
      {ways.map((way) => (
        <g key={way.edge} data-taken={taken.has(way.edge)}>
          <title>{aboutOf(way)}</title>
          {taken.has(way.edge) ? <Flag label={label} way={way} /> : null}
          {way.lines.map(({ x, y, text }) => (
            <text key={y} class="chart-way" x={x} y={y}>
              {text}
            </text>
          ))}
        </g>
      ))}
    </g>
  );
}

const timesOf = (heat: Heat, edge: string): string => {
  const { count } = heat.of(edge);
  return count === 0 ? '' : `×${count.toLocaleString('en-US')}`;
};

/** How often each transition was taken, over all lines. */
function Times({ geometry, heat }: { readonly geometry: ChartGeometry; readonly heat: Heat }) {
  const places = placesOf(geometry, (edge) => timesOf(heat, edge).length);
  return (
    <g aria-hidden="true">
      {[...places].map(([edge, { x, y, anchor }]) => (
        <text key={edge} class="chart-times" x={x} y={y} text-anchor={anchor}>
          {timesOf(heat, edge)}
        </text>
      ))}
    </g>
  );
}

/** Behind the lines of the transition just taken, which are one of several that share a label. */
function Flag({ label, way: { lines } }: { readonly label: Box; readonly way: Way }) {
  const [first] = lines;
  return first === undefined ? null : (
    <rect class="chart-flag" x={label.x} y={first.y - 10.5} width={label.w} height={14 * lines.length} rx={3} />
  );
}

/** On the border of a state, over everything else: that the actor is here, and how often it was. */
function Flags({ node: { id, kind, x, y, w, h }, active, heat }: Shown & { readonly node: ChartNode }) {
  if (kind !== 'atomic' && kind !== 'final') return null;
  const count = heat?.of(id).count ?? 0;
  const counted = `×${count.toLocaleString('en-US')}`;
  return (
    <>
      {active.has(id) ? (
        <g class="chart-now" aria-hidden="true">
          <rect x={x + w - 34} y={y - 10} width={30} height={14} rx={7} />
          <text x={x + w - 19} y={y + 0.5} text-anchor="middle">
            now
          </text>
        </g>
      ) : null}
      {count > 0 ? (
        <g class="chart-count" aria-hidden="true">
          <rect x={x + w - 10 - counted.length * 6.2} y={y + h - 7} width={counted.length * 6.2 + 8} height={14} rx={7} />
          <text x={x + w - 6} y={y + h + 3.5} text-anchor="end">
            {counted}
          </text>
        </g>
      ) : null}
    </>
  );
}
