/** The prompts of an episode, one line each. */
import type { CallList } from '../../contract.ts';
import { RowList } from '../kit/row-list.tsx';
import { type Asked, endings, sparedWords } from './asked.ts';
import { WhoMark, whoOf } from './who.tsx';

interface AskedListProps {
  readonly asked: readonly Asked[];
  readonly list: CallList | null;
  readonly at: number;
  readonly onPick: (index: number) => void;
}

export function AskedList({ asked, list, at, onPick }: AskedListProps) {
  return (
    <RowList
      label="prompts"
      count={asked.length}
      height={26}
      at={at}
      onPick={onPick}
      row={(index) => {
        const one = asked[index];
        return one === undefined ? null : (
          <>
            <WhoMark who={whoOf(one.actor)} word={one.actor === 'agent' ? 'policy' : one.actor} />
            <span class="muted number asked-turn">{one.turn < 0 ? '' : one.turn}</span>
            <Came one={one} list={list} />
          </>
        );
      }}
    />
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
