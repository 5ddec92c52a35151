/** The turns as a list to run down: who, and how it begins. One line each, of a fixed height, only those in sight in the document. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { EpisodePage } from '../../contract.ts';
import { revealed, windowOf } from '../run/rows.ts';
import { beginning, gistOf } from './gist.ts';
import type { Part } from './story.ts';
import { WhoMark, whoOf } from './who.tsx';

interface TurnListProps {
  readonly page: EpisodePage;
  readonly parts: readonly Part[];
  /** Index of the part that is looked at. */
  readonly at: number | null;
  readonly onPick: (part: Part) => void;
}

const row = 26;

export function TurnList({ page, parts, at, onPick }: TurnListProps) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const read = (): void => {
    const { scrollTop = 0, clientHeight = 800 } = box.current ?? {};
    setView((now) => (now.top === scrollTop && now.height === clientHeight ? now : { top: scrollTop, height: clientHeight }));
  };
  useLayoutEffect(() => {
    read();
    const element = box.current;
    if (element === null) return undefined;
    const resized = new ResizeObserver(read);
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (at === null || box.current === null) return;
    box.current.scrollTop = revealed(at, box.current.scrollTop, box.current.clientHeight, row);
    read();
  }, [at]);
  const { from, until } = windowOf(view.top, view.height, row, parts.length);
  return (
    <div class="turn-list" ref={box} onScroll={read}>
      <ol aria-label="turns" style={{ height: `${parts.length * row}px` }}>
        {parts.slice(from, until).map((part, i) => {
          const index = from + i;
          return (
            <li key={index} style={{ top: `${index * row}px` }} aria-setsize={parts.length} aria-posinset={index + 1}>
              <button type="button" aria-current={index === at ? 'true' : undefined} onClick={() => onPick(part)}>
                <Line part={part} page={page} />
              </button>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function Line({ part, page }: { readonly part: Part; readonly page: EpisodePage }) {
  switch (part.kind) {
    case 'system':
      return (
        <>
          <WhoMark who="system" />
          <span class="one-line muted">{beginning(page.task.system)}</span>
        </>
      );
    case 'trouble':
      return (
        <>
          <WhoMark who={whoOf(part.actor)} />
          <span class={part.turn < 0 ? 'one-line muted' : 'one-line trouble'}>
            {part.turn < 0 ? '↺ given up: ' : '! '}
            {part.type}
          </span>
        </>
      );
    case 'end':
      return (
        <>
          <WhoMark who={page.outcome?.kind === 'scored' ? 'judge' : 'episode'} />
          <span class="one-line">{page.outcome === null ? 'goes on' : page.outcome.kind}</span>
        </>
      );
    case 'turn': {
      const turn = page.turns[part.turn];
      if (turn === undefined) return null;
      const isBad = (turn.role === 'tool' && turn.status !== 'ok') || (turn.role === 'agent' && turn.malformed !== undefined);
      return (
        <>
          <WhoMark who={turn.role} word={part.step === null ? turn.role : `agent ${part.step}`} />
          <span class={isBad ? 'one-line trouble' : 'one-line'}>
            {isBad ? '✕ ' : ''}
            {gistOf(turn)}
          </span>
        </>
      );
    }
    default:
      return part satisfies never;
  }
}
