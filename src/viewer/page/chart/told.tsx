/** A chart in words, for whoever reads or hears it: its states in their order, each with where it leads, the present one and the edge just taken marked as current. */
import type { ChartGeometry, ChartNode, Way } from '../../chart/geometry.ts';
import type { Shown } from './drawing.tsx';

export function Told({ geometry, ...shown }: Shown & { readonly geometry: ChartGeometry }) {
  return (
    <ol class="chart-told" aria-label={`states of ${geometry.name}`}>
      {geometry.nodes
        .filter(({ parent }) => parent === null)
        .map((root) => (
          <State key={root.id} geometry={geometry} node={root} {...shown} />
        ))}
    </ol>
  );
}

function State({ geometry, node, ...shown }: Shown & { readonly geometry: ChartGeometry; readonly node: ChartNode }) {
  const { active, heat } = shown;
  const inner = geometry.nodes.filter(({ parent, kind }) => parent === node.id && kind !== 'initial' && kind !== 'any');
  const ways = waysFrom(geometry, node.id);
  const isActive = active.has(node.id);
  const count = heat?.of(node.id).count ?? 0;
  return (
    <li aria-current={isActive ? 'true' : undefined}>
      <span class="chart-told-state">
        {isActive ? <strong>{node.about}</strong> : node.about}
        {isActive ? ' (now)' : ''}
        {count > 0 ? ` ×${count}` : ''}
      </span>
      {ways.length === 0 ? null : (
        <ul>
          {ways.map((way) => (
            <Transition key={way.edge} way={way} {...shown} />
          ))}
        </ul>
      )}
      {inner.length === 0 ? null : (
        <ol>
          {inner.map((child) => (
            <State key={child.id} geometry={geometry} node={child} {...shown} />
          ))}
        </ol>
      )}
    </li>
  );
}

type Told = Pick<Way, 'edge' | 'about'>;

function waysFrom({ nodes, edges }: ChartGeometry, id: string): Told[] {
  const sources = [id, `${id}#any`, `${id}#initial`];
  const leaving = edges.filter(({ source }) => sources.includes(source)).flatMap(({ ways }) => ways);
  const staying = (nodes.find((node) => node.id === id)?.notes ?? []).flatMap(({ edge, text }) =>
    edge === undefined ? [] : [{ edge, about: `stays: ${text}` }],
  );
  return [...leaving, ...staying];
}

function Transition({ way: { edge, about }, taken, heat }: Shown & { readonly way: Told }) {
  const isTaken = taken.has(edge);
  const count = heat?.of(edge).count ?? 0;
  return (
    <li aria-current={isTaken ? 'true' : undefined}>
      {isTaken ? <strong>{about} (just taken)</strong> : about}
      {count > 0 ? ` ×${count}` : ''}
    </li>
  );
}
