/** The episode as it was spoken: every turn, trouble between turns where it came, and how it ended. The selected part is marked and brought into sight. */
import { useCallback, useMemo, useRef } from 'preact/hooks';
import type { EpisodePage } from '../../contract.ts';
import type { Fault } from '../../../protocol/fault.ts';
import { Badge } from '../kit/badge.tsx';
import { Flow, type Reveal } from './flow.tsx';
import { Ending, FaultBox, outcomeWord } from './head.tsx';
import { LongText } from './long-text.tsx';
import { RawText } from './raw-text.tsx';
import { type Part, partOfEvent, partOfTurn, turnOfPart } from './story.ts';
import { turnText } from './evidence.ts';
import type { Selection } from './selection.ts';
import type { Timeline } from './timeline.ts';
import { TurnBody } from './turn-card.tsx';
import { type Who, WhoMark, whoOf } from './who.tsx';
import { useEvent } from './windows.ts';

interface TranscriptProps {
  readonly page: EpisodePage;
  readonly parts: readonly Part[];
  readonly timeline: Timeline | null;
  readonly selection: Selection;
  /** Address of the episode's API. */
  readonly path: string;
}

export function Transcript({ page, parts, timeline, selection, path }: TranscriptProps) {
  const at = currentPart(parts, timeline, selection);
  // What is being played is followed, until something is picked.
  const seen = at ?? (page.outcome === null ? parts.length - 1 : null);
  /** Index of the part that was picked because it is being read: it stands where it is wanted. */
  const reading = useRef<number | null>(null);
  const reveal = useMemo<Reveal | null>(() => {
    if (seen === null || seen === reading.current) return null;
    reading.current = null;
    return { index: seen };
  }, [seen]);
  const read = (index: number): void => {
    const part = parts[index];
    // At the end of what is being played one goes on with it.
    if (part === undefined || (page.outcome === null && part.kind === 'end')) return;
    const turn = turnOfPart(part, page.turns.length) ?? 0;
    reading.current = part.kind === 'trouble' ? index : partOfTurn(parts, turn);
    if (reading.current === at) return;
    if (part.kind === 'trouble') selection.pickEvent(part.event);
    else selection.pickTurn(turn);
  };
  const estimate = useCallback((index: number) => estimateOf(parts[index], page), [parts, page]);
  return (
    <Flow
      label="transcript"
      count={parts.length}
      estimate={estimate}
      keyOf={(index) => keyOf(parts[index])}
      reveal={reveal}
      onRead={read}
      render={(index) => {
        const part = parts[index];
        return part === undefined ? null : <PartView part={part} page={page} isCurrent={index === at} path={path} selection={selection} />;
      }}
    />
  );
}

/** Index of the part that is looked at; null where nothing was asked for. */
export function currentPart(parts: readonly Part[], timeline: Timeline | null, { isEnd, isByTurn, event, turn }: Selection): number | null {
  if (isEnd) return null;
  return timeline === null || isByTurn ? partOfTurn(parts, turn) : partOfEvent(parts, timeline, event);
}

const keyOf = (part: Part | undefined): string =>
  part === undefined ? '' : part.kind === 'turn' ? `turn ${part.turn}` : part.kind === 'trouble' ? `event ${part.event}` : part.kind;

/** Pixels, from the length of what is said. */
function estimateOf(part: Part | undefined, page: EpisodePage): number {
  if (part === undefined) return 0;
  if (part.kind !== 'turn') return 72;
  const turn = page.turns[part.turn];
  if (turn === undefined) return 0;
  return 56 + Math.ceil(Math.min(4000, turnText(turn).length) / 80) * 19;
}

interface PartProps {
  readonly part: Part;
  readonly page: EpisodePage;
  readonly isCurrent: boolean;
  readonly path: string;
  readonly selection: Selection;
}

function PartView({ part, page, isCurrent, path, selection }: PartProps) {
  const turn = turnOfPart(part, page.turns.length);
  const choose = (event: MouseEvent): void => {
    // Not while words are being marked, nor where something else was meant.
    if (getSelection()?.isCollapsed === false || (event.target as Element).closest('button, a, summary, pre') !== null) return;
    if (part.kind === 'trouble') selection.pickEvent(part.event);
    else if (turn !== null) selection.pickTurn(turn);
  };
  const body = useMemo(() => <PartBody part={part} page={page} path={path} onTurn={selection.pickTurn} />, [part, page, path]);
  return (
    <div
      class="part"
      data-who={whoOfPart(part, page)}
      data-current={isCurrent}
      aria-current={isCurrent ? 'true' : undefined}
      onClick={choose}
    >
      <div class="part-head">
        <WhoMark who={whoOfPart(part, page)} word={wordOf(part, page)} />
        {part.kind === 'trouble' ? (
          <Badge tone="warn" mark="!">
            {part.type}
          </Badge>
        ) : null}
        <span class="grow" />
        {part.kind === 'trouble' && part.turn < 0 ? <span class="muted">in an attempt that was given up</span> : null}
        {turn === null || part.kind === 'trouble' ? null : (
          <a class="part-link muted number" href={`?turn=${turn}`} title="Link to this turn">
            {part.kind === 'end' ? 'end' : `turn ${turn}`}
          </a>
        )}
      </div>
      <div class="part-body">{body}</div>
    </div>
  );
}

function whoOfPart(part: Part, page: EpisodePage): Who {
  switch (part.kind) {
    case 'system':
      return 'system';
    case 'turn':
      return whoOf(page.turns[part.turn]?.role ?? '');
    case 'trouble':
      return whoOf(part.actor);
    case 'end':
      return page.outcome?.kind === 'scored' ? 'judge' : 'episode';
    default:
      return part satisfies never;
  }
}

function wordOf(part: Part, page: EpisodePage): string {
  if (part.kind === 'turn' && part.step !== null) return `agent ${part.step}`;
  if (part.kind === 'end') return page.outcome === null ? 'goes on' : page.outcome.kind === 'scored' ? 'judge' : outcomeWord(page.outcome);
  return whoOfPart(part, page);
}

function PartBody({ part, page, path, onTurn }: Pick<PartProps, 'part' | 'page' | 'path'> & { readonly onTurn: (turn: number) => void }) {
  switch (part.kind) {
    case 'system':
      return (
        <p>
          <LongText text={page.task.system} />
          <span class="muted"> (and {page.task.tools.map(({ name }) => name).join(', ')})</span>
        </p>
      );
    case 'turn': {
      const turn = page.turns[part.turn];
      return turn === undefined ? null : <TurnBody turn={turn} />;
    }
    case 'trouble':
      return <Trouble event={part.event} path={path} />;
    case 'end':
      if (page.outcome === null) return <p class="muted">The episode is being played; what comes next appears here.</p>;
      return <Ending outcome={page.outcome} turns={page.turns} onTurn={onTurn} />;
    default:
      return part satisfies never;
  }
}

const textIn = (event: object, key: string): string | null => {
  const value = (event as Readonly<Record<string, unknown>>)[key];
  return typeof value === 'string' ? value : null;
};

/** What an event says of trouble, once it was asked for. */
function Trouble({ event: index, path }: { readonly event: number; readonly path: string }) {
  const { event: seen, trouble } = useEvent(path, index);
  if (seen === undefined) return <p class="muted">{trouble ?? '…'}</p>;
  const { event } = seen;
  const fault = (event as { readonly fault?: Fault }).fault;
  const said = textIn(event, 'complaint') ?? textIn(event, 'reason') ?? textIn(event, 'deadline');
  const raw = textIn(event, 'raw');
  return (
    <>
      {said === null ? null : (
        <p>
          <LongText text={said} />
        </p>
      )}
      {fault === undefined ? null : <FaultBox fault={fault} />}
      {raw === null ? null : <RawText text={raw} label="raw text" />}
    </>
  );
}
