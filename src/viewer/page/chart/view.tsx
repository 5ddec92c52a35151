/** The statecharts alone: all of them small, or one at full size. No actor is in them. */
import type { ChartGeometry } from '../../chart/geometry.ts';
import { plural } from '../format.ts';
import { Awaited, Empty } from '../kit/empty.tsx';
import { to } from '../router.ts';
import { useGeometries } from './actor.tsx';
import { Chart } from './chart.tsx';
import { Drawing } from './drawing.tsx';

const atRest = { active: new Set<string>(), taken: new Set<string>(), heat: null };

export function ChartsView({ chart }: { readonly chart: string | null }) {
  const answer = useGeometries();
  return (
    <div class="page">
      <Awaited answer={answer} lines={10}>
        {(geometries) => (chart === null ? <All geometries={geometries} /> : <One geometries={geometries} name={chart} />)}
      </Awaited>
    </div>
  );
}

function All({ geometries }: { readonly geometries: readonly ChartGeometry[] }) {
  return (
    <>
      <header class="page-head">
        <h1>Statecharts</h1>
        <span class="muted">what may happen next, to everyone who acts</span>
      </header>
      <ul class="chart-all">
        {geometries.map((geometry) => (
          <li key={geometry.name} class="panel">
            <a href={to.charts(geometry.name)}>
              <h2>{geometry.name}</h2>
              <span class="muted">{sizeOf(geometry)}</span>
              <span class="chart-small">
                <Drawing
                  geometry={geometry}
                  scale={Math.min(0.5, 300 / geometry.width, 240 / geometry.height)}
                  label={`statechart ${geometry.name}, small`}
                  {...atRest}
                />
              </span>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}

function sizeOf({ nodes, edges }: ChartGeometry): string {
  const states = nodes.filter(({ kind, parent }) => parent !== null && kind !== 'initial' && kind !== 'any').length;
  const transitions = new Set(edges.flatMap(({ ways }) => ways.flatMap(({ edge, lines }) => (lines.length === 0 ? [] : [edge])))).size;
  return `${plural(states, 'state')}, ${plural(transitions, 'transition')}`;
}

function One({ geometries, name }: { readonly geometries: readonly ChartGeometry[]; readonly name: string }) {
  const geometry = geometries.find((each) => each.name === name);
  return (
    <div class="chart-one">
      <nav aria-label="statecharts">
        <ul>
          {geometries.map((each) => (
            <li key={each.name}>
              <a href={to.charts(each.name)} aria-current={each.name === name ? 'page' : undefined}>
                {each.name}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {geometry === undefined ? (
        <Empty sign="?" title={`No chart is called ${name}`}>
          <p>
            Here are <a href={to.charts()}>all of them</a>.
          </p>
        </Empty>
      ) : (
        <section class="panel" aria-labelledby="chart-name">
          <header>
            <h1 id="chart-name">{geometry.name}</h1>
            <span class="grow" />
            <span class="muted">{sizeOf(geometry)}</span>
          </header>
          <Chart geometry={geometry} />
        </section>
      )}
    </div>
  );
}
