/** The chart of one actor as it stands: its geometry is fetched once for all. Knows where actors' charts come from, not where their events do. */
import { useMemo } from 'preact/hooks';
import { activeIn } from '../../chart/active.ts';
import type { ChartGeometry } from '../../chart/geometry.ts';
import type { ActorStanding } from '../../contract.ts';
import { type Answer, useAnswer } from '../api.ts';
import { Awaited, Empty } from '../kit/empty.tsx';
import { Chart } from './chart.tsx';

/** Of all charts, in the order in which the program lists them. */
export const useGeometries = (): Answer<readonly ChartGeometry[]> & { readonly again: () => void } =>
  useAnswer<readonly ChartGeometry[]>('/api/charts');

type ActorChartProps = Pick<ActorStanding, 'machine' | 'value' | 'edges'> & Partial<Pick<ActorStanding, 'visits' | 'dwell'>>;

export function ActorChart({ machine, value, edges, ...counts }: ActorChartProps) {
  const answer = useGeometries();
  const active = useMemo(() => activeIn(machine, value), [machine, JSON.stringify(value)]);
  return (
    <Awaited answer={answer} lines={8}>
      {(geometries) => {
        const geometry = geometries.find(({ name }) => name === machine);
        if (geometry === undefined) return <Empty title={`No chart is called ${machine}`} />;
        return <Chart geometry={geometry} active={active} edges={edges} {...counts} />;
      }}
    </Awaited>
  );
}
