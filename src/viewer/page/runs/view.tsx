/** The list of runs: how each stands, one line a run. */
import './runs.css';
import { useMemo, useState } from 'preact/hooks';
import type { RunCard } from '../../contract.ts';
import { refresh, useAnswer } from '../api.ts';
import { figure, percent, plural, reward, whole } from '../format.ts';
import { StateBadge } from '../kit/badge.tsx';
import { Awaited, Empty } from '../kit/empty.tsx';
import { Spark } from '../kit/spark.tsx';
import { type Column, Table } from '../kit/table.tsx';
import { useKeys } from '../keys.ts';
import { throttled, useLive } from '../live.ts';
import { navigate } from '../navigation.ts';
import { to } from '../router.ts';

export function RunsView() {
  const answer = useAnswer<readonly RunCard[]>('/api/runs');
  const changed = useMemo(
    () =>
      throttled(
        () => 2000,
        () => refresh('/api/runs'),
      ),
    [],
  );
  useLive(null, changed);
  return (
    <div class="page">
      {answer.value === undefined ? <h1>Runs</h1> : null}
      <Awaited answer={answer} lines={8}>
        {(runs) => (runs.length === 0 ? <NoRuns /> : <Runs runs={running(runs)} />)}
      </Awaited>
    </div>
  );
}

/** What goes on comes first, then the newest: they come oldest first. */
const running = (runs: readonly RunCard[]): RunCard[] =>
  runs.toReversed().sort((a, b) => Number(b.state === 'running') - Number(a.state === 'running'));

function NoRuns() {
  return (
    <Empty title="No runs here yet">
      <p>Start one in a terminal; it appears here by itself:</p>
      <p>
        <code>node dist/run.js configs/smoke.yaml</code> (seconds) or <code>node dist/run.js configs/quickstart.yaml</code> (minutes).
      </p>
      <p>
        Runs elsewhere? Name their folder: <code>node dist/run.js view &lt;folder&gt;</code>.
      </p>
    </Empty>
  );
}

function Runs({ runs }: { readonly runs: readonly RunCard[] }) {
  const [picked, setPicked] = useState(0);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const at = Math.min(picked, runs.length - 1);
  const move = (by: number): void => {
    const next = Math.max(0, Math.min(runs.length - 1, at + by));
    setPicked(next);
    document.querySelector<HTMLElement>(`[data-run-row="${next}"]`)?.focus();
  };
  useKeys('Runs', [
    { keys: 'j', what: 'next run', act: () => move(1) },
    { keys: 'k', what: 'previous run', act: () => move(-1) },
    { keys: 'g g', what: 'first run', act: () => move(-runs.length) },
    { keys: 'G', what: 'last run', act: () => move(runs.length) },
  ]);
  // The two chosen last.
  const toggle = (run: string): void =>
    setChosen(chosen.includes(run) ? chosen.filter((other) => other !== run) : [...chosen, run].slice(-2));
  const [a, b] = chosen;
  return (
    <>
      <header class="page-head">
        <h1>Runs</h1>
        <span class="muted">{plural(runs.length, 'run')}</span>
        <span class="grow" />
        <button
          type="button"
          class="button"
          disabled={a === undefined || b === undefined}
          title={b === undefined ? 'Tick two runs to compare them' : undefined}
          onClick={() => a !== undefined && b !== undefined && navigate(to.compare(a, b))}
        >
          Compare {chosen.length === 2 ? `${a} and ${b}` : 'two runs'}
        </button>
      </header>
      <section class="panel">
        <Table caption="Runs" columns={columnsOf(runs, chosen, toggle, at)} rows={runs} keyOf={({ run }) => run} />
      </section>
    </>
  );
}

function columnsOf(runs: readonly RunCard[], chosen: readonly string[], toggle: (run: string) => void, at: number): Column<RunCard>[] {
  return [
    {
      key: 'pick',
      title: <span class="unseen">compare</span>,
      cell: ({ run }) => (
        <input type="checkbox" aria-label={`compare ${run}`} checked={chosen.includes(run)} onChange={() => toggle(run)} />
      ),
    },
    {
      key: 'run',
      title: 'Run',
      cell: (card) => {
        const row = runs.indexOf(card);
        return (
          <>
            <a class="run-name" href={to.run(card.run)} data-run-row={row} data-picked={row === at}>
              {card.run}
            </a>
            {card.parent === undefined ? null : <span class="muted"> fork of {card.parent.run}</span>}
          </>
        );
      },
    },
    { key: 'state', title: 'State', cell: ({ state }) => <StateBadge state={state} /> },
    { key: 'steps', title: 'Steps', cell: (card) => <Progress card={card} /> },
    { key: 'D', title: 'Difficulty D', right: true, cell: ({ difficulty }) => figure(difficulty) },
    { key: 'success', title: 'Success', right: true, cell: ({ success }) => percent(success) },
    { key: 'reward', title: 'Mean reward', right: true, cell: ({ meanReward }) => reward(meanReward) },
    { key: 'spark', title: 'Reward by step', cell: (card) => <Rewards card={card} /> },
    {
      key: 'trouble',
      title: 'Record',
      cell: ({ trouble }) => (trouble === null ? <span class="muted">whole</span> : <span class="trouble">! {trouble}</span>),
    },
  ];
}

function Progress({ card: { run, parent, steps, ofSteps } }: { readonly card: RunCard }) {
  // One episode, and no step.
  if (parent !== undefined)
    return (
      <a href={to.episode(run, parent.episode, { turn: parent.turn })}>
        {parent.episode} <span class="muted">from turn {parent.turn}</span>
      </a>
    );
  if (ofSteps === null) return <>{whole(steps)}</>;
  return (
    <span class="progress">
      <progress value={steps} max={Math.max(1, ofSteps)} aria-label={`${steps} of ${ofSteps} steps`} />
      {whole(steps)} <span class="muted">of {whole(ofSteps)}</span>
    </span>
  );
}

function Rewards({ card: { rewards, run } }: { readonly card: RunCard }) {
  if (rewards === undefined || rewards.length < 2) return <span class="muted">–</span>;
  const last = rewards.findLast((value) => value !== null) ?? null;
  return <Spark values={rewards} low={-1} high={1} label={`mean reward of ${run}, ${rewards.length} steps, last ${reward(last)}`} />;
}
