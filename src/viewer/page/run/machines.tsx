/** The run’s own actors as they stand: experiment, curriculum, broker, policy update, each in its chart. */
import type { RunPage } from '../../contract.ts';
import { ActorChart } from '../chart/actor.tsx';
import { Badge } from '../kit/badge.tsx';
import { Empty } from '../kit/empty.tsx';
import { Panel } from '../kit/panel.tsx';
import { to } from '../router.ts';

/** The way a step goes through them. */
const order = ['experiment', 'curriculum', 'broker', 'policyUpdate'];

export function Machines({ page }: { readonly page: RunPage }) {
  const actors = [...(page.actors ?? [])].sort(
    (a, b) => order.indexOf(a.machine) - order.indexOf(b.machine) || (a.actor < b.actor ? -1 : 1),
  );
  if (actors.length === 0)
    return (
      <Empty sign="…" title="No actor of the run has received an event yet">
        <p>
          Their charts can be seen at rest under <a href={to.charts()}>statecharts</a>.
        </p>
      </Empty>
    );
  return (
    <div class="machines">
      {actors.map(({ actor, machine, value, edge, event, edges = edge === null ? [] : [edge], visits = {}, dwell = {} }) => (
        <Panel
          key={actor}
          title={actor}
          side={
            <>
              {event === null ? null : <span class="muted mono one-line">last: {event}</span>}
              <Badge tone="info" mark="●">
                {inWords(value)}
              </Badge>
            </>
          }
          flush
        >
          <ActorChart machine={machine} value={value} edges={edges} visits={visits} dwell={dwell} />
        </Panel>
      ))}
    </div>
  );
}

/** `rolling`, `a.b`, `a, b` where states are parallel. */
function inWords(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return 'unknown';
  return Object.entries(value)
    .map(([state, inner]) =>
      typeof inner === 'object' && inner !== null && Object.keys(inner).length === 0 ? state : `${state}.${inWords(inner)}`,
    )
    .join(', ');
}
