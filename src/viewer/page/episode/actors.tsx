/** The pane of actors: where each stands after the selected event, and the chart of the one that is looked at. */
import { useMemo, useState } from 'preact/hooks';
import { ActorChart } from '../chart/actor.tsx';
import type { Selection } from './selection.ts';
import { stateWords, type Timeline } from './timeline.ts';
import { WhoMark, whoOf } from './who.tsx';

interface ActorsProps {
  readonly timeline: Timeline;
  readonly selection: Selection;
}

export function Actors({ timeline, selection: { event } }: ActorsProps) {
  /** Null: whoever received the event. */
  const [chosen, setChosen] = useState<string | null>('episode');
  const standings = timeline.standings(event);
  const acting = timeline.actorOf(event);
  const actor = chosen ?? acting;
  const standing = standings.find((one) => one.actor === actor) ?? standings[0];
  const counts = useMemo(() => (standing === undefined ? null : timeline.path(standing.actor, event)), [timeline, standing?.actor, event]);
  return (
    <div class="actors">
      <div class="actors-list" role="group" aria-label="actors and their states">
        {standings.map(({ actor: name, value }) => (
          <button
            key={name}
            type="button"
            class="actor"
            aria-pressed={name === standing?.actor}
            data-acting={name === acting}
            title={name === acting ? 'received the selected event' : undefined}
            onClick={() => setChosen(name)}
          >
            <WhoMark who={whoOf(name)} word={name} />
            <span class="mono one-line">{stateWords(value)}</span>
            {name === acting ? <span class="acting">◂ event</span> : null}
          </button>
        ))}
        <label class="follow">
          <input
            type="checkbox"
            checked={chosen === null}
            onChange={(change) => setChosen(change.currentTarget.checked ? null : (standing?.actor ?? 'episode'))}
          />{' '}
          follow whoever acts
        </label>
      </div>
      {standing === undefined || counts === null ? null : (
        <ActorChart machine={standing.actor} value={standing.value} edges={standing.event === event ? standing.edges : []} {...counts} />
      )}
    </div>
  );
}
