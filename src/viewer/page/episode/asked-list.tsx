/** The prompts of an episode, one line each; those in sight are in the document. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { CallList } from '../../contract.ts';
import { revealed, windowOf } from '../run/rows.ts';
import { type Asked, endings, sparedWords } from './asked.ts';
import { WhoMark, whoOf } from './who.tsx';

interface AskedListProps {
  readonly asked: readonly Asked[];
  readonly list: CallList | null;
  readonly at: number;
  readonly onPick: (index: number) => void;
}

const row = 26;

export function AskedList({ asked, list, at, onPick }: AskedListProps) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const read = (): void => {
    const { scrollTop: top = 0, clientHeight: height = 600 } = box.current ?? {};
    setView((now) => (now.top === top && now.height === height ? now : { top, height }));
  };
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const resized = new ResizeObserver(read);
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (box.current === null) return;
    box.current.scrollTop = revealed(at, box.current.scrollTop, box.current.clientHeight, row);
    read();
  }, [at]);
  const { from, until } = windowOf(view.top, view.height, row, asked.length);
  return (
    <div class="turn-list" ref={box} onScroll={read}>
      <ol aria-label="prompts" style={{ height: `${asked.length * row}px` }}>
        {asked.slice(from, until).map((one, i) => (
          <li key={from + i} style={{ top: `${(from + i) * row}px` }} aria-setsize={asked.length} aria-posinset={from + i + 1}>
            <button type="button" aria-current={from + i === at ? 'true' : undefined} onClick={() => onPick(from + i)}>
              <WhoMark who={whoOf(one.actor)} word={one.actor === 'agent' ? 'policy' : one.actor} />
              <span class="muted number asked-turn">{one.turn < 0 ? '' : one.turn}</span>
              <Came one={one} list={list} />
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** What came of it in a few words: trouble in its colour, the usual quietly. */
function Came({ one, list }: { readonly one: Asked; readonly list: CallList | null }) {
  const { tone, mark, words } = endings[one.end];
  if (one.end !== 'accepted')
    return (
      <span class={tone === 'bad' ? 'one-line trouble' : 'one-line'}>
        <span aria-hidden="true">{mark}</span> {words}
      </span>
    );
  const spared = list === null ? null : sparedWords(one, list);
  if (spared !== null)
    return (
      <span class="one-line muted">
        <span aria-hidden="true">○</span> {spared}
      </span>
    );
  const isTold = one.actor === 'agent' || one.source === 'model';
  return <span class="one-line">{!isTold ? 'not recorded' : one.attempt === 0 ? 'asked' : `asked, attempt ${one.attempt + 1}`}</span>;
}
