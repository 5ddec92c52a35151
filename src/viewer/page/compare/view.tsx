/** Two runs, or two episodes, side by side: whatever the address names, and a choice where it names too little. */
import './compare.css';
import type { RunCard, RunPage } from '../../contract.ts';
import { useAnswer } from '../api.ts';
import { Awaited, Empty, Notice } from '../kit/empty.tsx';
import { Icon } from '../kit/icon.tsx';
import { useKeys } from '../keys.ts';
import { query, setQuery } from '../navigation.ts';
import { to } from '../router.ts';
import { ConfigTable } from './config-table.tsx';
import { Overlay } from './curves.tsx';
import { ComparedEpisodes } from './episodes.tsx';
import { Measured } from './measured.tsx';
import { RunHeads } from './run-heads.tsx';

export function CompareView() {
  const [a, b, ea, eb] = ['a', 'b', 'ea', 'eb'].map((key) => query.value.get(key) ?? '');
  const answer = useAnswer<readonly RunCard[]>('/api/runs');
  const swap = (): void => setQuery({ a: b, b: a, ea: eb, eb: ea }, { push: true });
  useKeys('Compare', [{ keys: 'x', what: 'exchange the two', act: swap }]);
  return (
    <div class="page compare-page">
      <header class="page-head">
        <h1>Compare</h1>
        <Awaited answer={answer} lines={1}>
          {(runs) => (
            <span class="sides">
              <Side name="a" runs={runs} chosen={a ?? ''} />
              <button type="button" class="button" onClick={swap} title="exchange the two (x)" aria-label="exchange the two">
                ⇄
              </button>
              <Side name="b" runs={runs} chosen={b ?? ''} />
            </span>
          )}
        </Awaited>
      </header>
      {a === undefined || b === undefined || a === '' || b === '' ? (
        <Empty title="Choose two runs">
          <p>
            Above, or tick them in <a href={to.runs()}>the list of runs</a>.
          </p>
        </Empty>
      ) : ea !== undefined && ea !== '' && eb !== undefined && eb !== '' ? (
        <>
          <p>
            <button type="button" class="button" onClick={() => setQuery({ ea: null, eb: null }, { push: true })}>
              <Icon name="close" /> Back to the runs
            </button>
          </p>
          <ComparedEpisodes a={{ run: a, episode: ea }} b={{ run: b, episode: eb }} />
        </>
      ) : (
        <TwoRuns a={a} b={b} />
      )}
    </div>
  );
}

function Side({ name, runs, chosen }: { readonly name: 'a' | 'b'; readonly runs: readonly RunCard[]; readonly chosen: string }) {
  return (
    <label class="side" data-side={name}>
      <span class="side-mark">{name.toUpperCase()}</span>
      <select
        class="field"
        aria-label={`run ${name.toUpperCase()}`}
        value={chosen}
        onChange={(event) => setQuery({ [name]: event.currentTarget.value, ea: null, eb: null }, { push: true })}
      >
        <option value="">choose a run</option>
        {chosen !== '' && !runs.some(({ run }) => run === chosen) ? <option value={chosen}>{chosen} (not here)</option> : null}
        {runs.map(({ run }) => (
          <option key={run} value={run}>
            {run}
          </option>
        ))}
      </select>
    </label>
  );
}

function TwoRuns({ a, b }: { readonly a: string; readonly b: string }) {
  const first = useAnswer<RunPage>(`/api${to.run(a)}`);
  const second = useAnswer<RunPage>(`/api${to.run(b)}`);
  return (
    <>
      {a === b ? <Notice tone="info">Both are the same run.</Notice> : null}
      <Awaited answer={first} lines={10}>
        {(left) => (
          <Awaited answer={second} lines={10}>
            {(right) => (
              <>
                <RunHeads a={left} b={right} />
                <div class="compare-columns">
                  <div class="stack">
                    <Overlay a={left} b={right} />
                  </div>
                  <div class="stack">
                    <ConfigTable a={left} b={right} />
                    <Measured a={left} b={right} />
                  </div>
                </div>
              </>
            )}
          </Awaited>
        )}
      </Awaited>
    </>
  );
}
