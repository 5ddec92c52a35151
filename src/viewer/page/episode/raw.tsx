/** The tab of raw events: every event as it was recorded, one line each; the selected one in full. */
import type { EpisodePage, EventWindow } from '../../contract.ts';
import { useAnswer } from '../api.ts';
import { whole } from '../format.ts';
import { Badge } from '../kit/badge.tsx';
import { Empty } from '../kit/empty.tsx';
import { RowList } from '../kit/row-list.tsx';
import { Split } from '../kit/split.tsx';
import { Json } from './json.tsx';
import { saveText } from './long-text.tsx';
import type { Selection } from './selection.ts';
import { stateWords, type Timeline } from './timeline.ts';
import { WhoMark, whoOf } from './who.tsx';
import { windowPath, windowSize } from '../../windowing.ts';
import { useEvent } from './windows.ts';

interface RawProps {
  readonly page: EpisodePage;
  readonly timeline: Timeline | null;
  readonly selection: Selection;
  readonly path: string;
}

export function Raw({ page, timeline, selection, path }: RawProps) {
  if (timeline === null || timeline.length === 0)
    return (
      <Empty title="No events">
        <p>This record holds no events of this episode’s actors.</p>
      </Empty>
    );
  return (
    <div class="raw-tab">
      <div class="tokens-bar">
        <span class="muted number">
          {whole(timeline.length)} events
          {timeline.outline.disagree.length === 0
            ? ', every state is the recorded one'
            : `, ${whole(timeline.outline.disagree.length)} states are not the recorded ones`}
        </span>
        <span class="grow" />
        <SaveWindow page={page} path={path} event={selection.event} />
        <button type="button" class="button" onClick={() => saveText(JSON.stringify(page, null, 2), `${page.id}.json`)}>
          Download the episode
        </button>
      </div>
      <Split
        name="raw"
        panes={[
          { key: 'list', label: 'events', share: 1, content: <EventList timeline={timeline} selection={selection} /> },
          { key: 'event', label: 'the event', share: 1, content: <OneEvent timeline={timeline} index={selection.event} path={path} /> },
        ]}
      />
    </div>
  );
}

/** The events around the selected one, as the record has them. */
function SaveWindow({ page, path, event }: { readonly page: EpisodePage; readonly path: string; readonly event: number }) {
  const window = Math.max(0, Math.floor(event / windowSize));
  const { value } = useAnswer<EventWindow>(windowPath(path, window));
  return (
    <button
      type="button"
      class="button"
      disabled={value === undefined}
      onClick={() => value !== undefined && saveText(JSON.stringify(value.events, null, 2), `${page.id}.events-${value.from}.json`)}
    >
      Download events {whole(window * windowSize + 1)} to {whole(Math.min(page.events, (window + 1) * windowSize))}
    </button>
  );
}

function EventList({ timeline, selection: { event, pickEvent } }: Pick<RawProps, 'selection'> & { readonly timeline: Timeline }) {
  return (
    <RowList
      label="events"
      count={timeline.length}
      height={24}
      at={event}
      onPick={pickEvent}
      row={(at) => (
        <>
          <span class="muted number event-index">{at + 1}</span>
          <WhoMark who={whoOf(timeline.actorOf(at))} word={timeline.actorOf(at)} />
          <span class="mono one-line">{timeline.typeOf(at)}</span>
          <span class="muted one-line">→ {stateWords(timeline.valueOf(at))}</span>
          {timeline.agrees(at) ? null : <Badge tone="bad">≠ recorded</Badge>}
        </>
      )}
    />
  );
}

function OneEvent({ timeline, index, path }: { readonly timeline: Timeline; readonly index: number; readonly path: string }) {
  const { event: seen, trouble } = useEvent(path, index);
  return (
    <div class="one-event">
      <p>
        <b class="mono">{timeline.typeOf(index)}</b> <span class="muted">received by</span> {timeline.actorOf(index)}
      </p>
      <p>
        <span class="muted">led to</span> <span class="mono">{stateWords(timeline.valueOf(index))}</span>{' '}
        {seen === undefined ? null : (
          <Badge tone={seen.agrees ? 'good' : 'bad'} mark={seen.agrees ? '✓' : '≠'}>
            {seen.agrees ? `hash ${seen.state} is the recorded one` : `the recorded hash is ${seen.state}`}
          </Badge>
        )}
      </p>
      {seen === undefined ? <p class="muted">{trouble ?? '…'}</p> : <Json key={index} value={seen.event} label="the event" open={3} />}
    </div>
  );
}
