/** Two episodes side by side, turn by turn. */
import { useState } from 'preact/hooks';
import type { EpisodePage } from '../../contract.ts';
import { useAnswer } from '../api.ts';
import { figure } from '../format.ts';
import { type Column, Columns } from '../group/columns.tsx';
import { MemberEnd, MemberHead } from '../group/member-head.tsx';
import { Awaited, Notice } from '../kit/empty.tsx';
import { useKeys } from '../keys.ts';
import { to } from '../router.ts';

interface Named {
  readonly run: string;
  readonly episode: string;
}

export function ComparedEpisodes({ a, b }: { readonly a: Named; readonly b: Named }) {
  const first = useAnswer<EpisodePage>(`/api${to.episode(a.run, a.episode)}`);
  const second = useAnswer<EpisodePage>(`/api${to.episode(b.run, b.episode)}`);
  return (
    <Awaited answer={first} lines={10}>
      {(left) => (
        <Awaited answer={second} lines={10}>
          {(right) => <Two a={left} b={right} />}
        </Awaited>
      )}
    </Awaited>
  );
}

function Two({ a, b }: { readonly a: EpisodePage; readonly b: EpisodePage }) {
  const [picked, setPicked] = useState(0);
  const [marks, setMarks] = useState(true);
  useKeys('Episodes', [{ keys: 'd', what: 'differences word by word, or not', act: () => setMarks(!marks) }]);
  const isOneTask = a.task.query === b.task.query && a.task.difficulty === b.task.difficulty;
  return (
    <>
      {isOneTask ? null : (
        <Notice tone="info">
          They are of different tasks: D {figure(a.task.difficulty)} and D {figure(b.task.difficulty)}. Turns stand beside each other by
          their place.
        </Notice>
      )}
      <div class="group-tools">
        <button type="button" class="button" aria-pressed={marks} onClick={() => setMarks(!marks)}>
          Differences word by word
        </button>
        {marks ? (
          <span class="muted">
            Compared with A: <ins>only here</ins> <del>only there</del>
          </span>
        ) : null}
      </div>
      <Columns
        label={`${a.id} of ${a.run} and ${b.id} of ${b.run}`}
        columns={[columnOf('A', a), columnOf('B', b)]}
        picked={picked}
        onPick={(index) => setPicked(Math.max(0, Math.min(1, index)))}
        against={marks ? 0 : null}
      />
    </>
  );
}

function columnOf(name: 'A' | 'B', { run, id, turns, outcome, reward, advantage }: EpisodePage): Column {
  return {
    key: name,
    name,
    turns,
    hrefOf: (turn) => to.episode(run, id, { turn }),
    head: (
      <MemberHead
        {...{ outcome, reward, advantage }}
        name={`${name} · ${run} · ${id}`}
        href={to.episode(run, id)}
        turns={turns.length}
        isReference={false}
        onReference={null}
      />
    ),
    end: <MemberEnd outcome={outcome} />,
  };
}
