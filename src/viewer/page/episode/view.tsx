/** One episode: how it went, what was said, where each actor stood, and every token, bound to one event and one turn that are in the address. */
import './episode.css';
import type { ComponentChildren } from 'preact';
import { useCallback, useMemo, useRef, useState } from 'preact/hooks';
import type { EpisodePage, EventOutline } from '../../contract.ts';
import { refresh, useAnswer } from '../api.ts';
import { Awaited, Notice } from '../kit/empty.tsx';
import { Split } from '../kit/split.tsx';
import { Tabs } from '../kit/tabs.tsx';
import { throttled, useLive } from '../live.ts';
import { query, setQuery } from '../navigation.ts';
import { to } from '../router.ts';
import type { StreamEvent } from '../stream.ts';
import { Actors } from './actors.tsx';
import { useEpisodeKeys } from './episode-keys.ts';
import { Fork } from './fork.tsx';
import { Head } from './head.tsx';
import { usePlayer } from './player.ts';
import { Prompts } from './prompts.tsx';
import { Raw } from './raw.tsx';
import { Scrubber } from './scrubber.tsx';
import { type Selection, useSelection } from './selection.ts';
import { Sequence } from './sequence.tsx';
import { storyOf, turnOfPart } from './story.ts';
import { TaskTab } from './task.tsx';
import { Timeline } from './timeline.ts';
import { Tokens } from './tokens.tsx';
import { currentPart, Transcript } from './transcript.tsx';
import { TurnList } from './turn-list.tsx';

export function EpisodeView({ run, episode }: { readonly run: string; readonly episode: string }) {
  const path = `/api${to.episode(run, episode)}`;
  const answer = useAnswer<EpisodePage>(path);
  const outline = useAnswer<EventOutline>(`${path}/outline`);
  const isPlaying = answer.value?.outcome === null;
  const group = answer.value?.group ?? episode.replace(/\.e\d+$/, '');
  const changed = useMemo(() => throttled(1000, () => refresh(path)), [path]);
  const hear = useCallback(
    ({ kind, data }: StreamEvent) => {
      if (kind === 'reset' || ((isPlaying || kind === 'signals') && concerns(kind, data, group))) changed();
    },
    [isPlaying, group, changed],
  );
  useLive(run, hear);
  return (
    <Awaited answer={answer} lines={14}>
      {(page) => <Episode page={page} outline={outline.value ?? null} trouble={outline.trouble?.message ?? null} path={path} />}
    </Awaited>
  );
}

/** Whether a live event is of this group. */
function concerns(kind: string, data: string, group: string): boolean {
  if (kind !== 'events' && kind !== 'episode' && kind !== 'signals') return false;
  return data.includes(JSON.stringify(group));
}

interface EpisodeProps {
  readonly page: EpisodePage;
  readonly outline: EventOutline | null;
  readonly trouble: string | null;
  readonly path: string;
}

const tabs = [
  { key: 'transcript', title: 'Transcript' },
  { key: 'tokens', title: 'Tokens' },
  { key: 'prompts', title: 'Prompts' },
  { key: 'task', title: 'Task' },
  { key: 'raw', title: 'Raw' },
] as const;
type TabKey = (typeof tabs)[number]['key'];

function Episode({ page, outline, trouble, path }: EpisodeProps) {
  const timeline = useMemo(() => (outline === null || outline.actor.length === 0 ? null : new Timeline(outline)), [outline]);
  const parts = useMemo(() => storyOf(page.turns, timeline), [page.turns, timeline]);
  const selection = useSelection(timeline, page.turns.length);
  const player = usePlayer(selection.event, timeline?.length ?? 0, selection.pickEvent);
  const tab = tabs.find(({ key }) => key === query.value.get('tab'))?.key ?? 'transcript';
  const at = currentPart(parts, timeline, selection);
  const pick = useRef(selection);
  pick.current = selection;
  const [isForking, setForking] = useState(false);
  const head = useMemo(() => <Head page={page} onTurn={(turn) => pick.current.pickTurn(turn)} onFork={() => setForking(true)} />, [page]);
  useEpisodeKeys({ page, selection, player, tabs });
  return (
    <div class="episode-view">
      {head}
      {trouble === null ? null : <Notice>The events of this episode cannot be had: {trouble}</Notice>}
      <Tabs label="views of the episode" tabs={tabs} active={tab} onPick={(key) => setQuery({ tab: key === 'transcript' ? null : key })}>
        <TabBody tab={tab} page={page} path={path} timeline={timeline} selection={selection}>
          <Split
            name="episode"
            panes={[
              {
                key: 'turns',
                label: 'turns',
                share: 18,
                content: (
                  <TurnList
                    page={page}
                    parts={parts}
                    at={at}
                    onPick={(part) => {
                      if (part.kind === 'trouble') selection.pickEvent(part.event);
                      else selection.pickTurn(turnOfPart(part, page.turns.length) ?? 0);
                    }}
                  />
                ),
              },
              {
                key: 'transcript',
                label: 'transcript',
                share: 40,
                content: <Transcript page={page} parts={parts} timeline={timeline} selection={selection} path={path} />,
              },
              {
                key: 'actors',
                label: 'actors',
                share: 42,
                content:
                  timeline === null ? (
                    <p class="pane-words muted">No events are known.</p>
                  ) : (
                    <Actors timeline={timeline} selection={selection} />
                  ),
              },
            ]}
          />
        </TabBody>
      </Tabs>
      {timeline === null ? null : (
        <footer class="episode-foot">
          <Scrubber timeline={timeline} selection={selection} player={player} />
          <Sequence timeline={timeline} selection={selection} />
        </footer>
      )}
      {isForking ? <Fork page={page} turn={selection.turn} onClose={() => setForking(false)} /> : null}
    </div>
  );
}

interface TabBodyProps {
  readonly tab: TabKey;
  readonly page: EpisodePage;
  readonly path: string;
  readonly timeline: Timeline | null;
  readonly selection: Selection;
  /** Of the transcript's tab. */
  readonly children: ComponentChildren;
}

function TabBody({ tab, page, path, timeline, selection, children }: TabBodyProps) {
  switch (tab) {
    case 'transcript':
      return <>{children}</>;
    case 'tokens':
      return <Tokens page={page} selection={selection} path={path} />;
    case 'prompts':
      return <Prompts page={page} timeline={timeline} selection={selection} path={path} />;
    case 'task':
      return <TaskTab run={page.run} group={page.group} task={page.task} aspects={page.aspects} />;
    case 'raw':
      return <Raw page={page} timeline={timeline} selection={selection} path={path} />;
    default:
      return tab satisfies never;
  }
}
