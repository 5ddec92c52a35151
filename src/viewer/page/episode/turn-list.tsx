/** The turns as a list to run down: who, and how it begins. One line each. */
import type { EpisodePage } from '../../contract.ts';
import { RowList } from '../kit/row-list.tsx';
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

export function TurnList({ page, parts, at, onPick }: TurnListProps) {
  return (
    <RowList
      label="turns"
      count={parts.length}
      height={26}
      at={at ?? -1}
      onPick={(index) => {
        const part = parts[index];
        if (part !== undefined) onPick(part);
      }}
      row={(index) => {
        const part = parts[index];
        return part === undefined ? null : <Line part={part} page={page} />;
      }}
    />
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
