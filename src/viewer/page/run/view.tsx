/** One run: what it learns, where its curriculum stands, how its simulators do, its actors, its episodes, its config. */
import './run.css';
import { useCallback, useEffect, useMemo, useRef } from 'preact/hooks';
import type { RunPage } from '../../contract.ts';
import { refresh, useAnswer } from '../api.ts';
import { Filter } from '../filter/box.tsx';
import { figure, percent, plural, reward, whole } from '../format.ts';
import { StateBadge } from '../kit/badge.tsx';
import { Code } from '../kit/code.tsx';
import { Awaited, Notice } from '../kit/empty.tsx';
import { Panel } from '../kit/panel.tsx';
import { Stat, Stats } from '../kit/stat.tsx';
import { Tabs } from '../kit/tabs.tsx';
import { useKeys } from '../keys.ts';
import { throttled, useLive } from '../live.ts';
import { query, setQuery } from '../navigation.ts';
import { to } from '../router.ts';
import type { StreamEvent } from '../stream.ts';
import { Curves } from './curves.tsx';
import { doingOf } from './doing.ts';
import { Episodes } from './episodes.tsx';
import { Gauge } from './gauge.tsx';
import { Fates, Simulators } from './health.tsx';
import { Levels } from './levels.tsx';
import { Machines } from './machines.tsx';
import { type Steps, stepsOf } from './series.ts';
import { Step } from './step.tsx';

const tabs = [
  { key: 'overview', title: 'Overview' },
  { key: 'episodes', title: 'Episodes' },
  { key: 'simulators', title: 'Simulators' },
  { key: 'actors', title: 'Actors' },
  { key: 'config', title: 'Config' },
] as const;

export function RunView({ run }: { readonly run: string }) {
  const path = `/api${to.run(run)}`;
  const answer = useAnswer<RunPage>(path);
  const steps = useRef(0);
  steps.current = answer.value?.metrics.length ?? 0;
  useLive(run, useRefreshing(path, steps));
  const reading = answer.value?.read !== undefined;
  useEffect(() => {
    if (!reading) return undefined;
    const timer = setInterval(() => refresh(path), 1000);
    return () => clearInterval(timer);
  }, [reading, path]);
  return (
    <div class="page">
      {answer.value === undefined ? <h1>{run}</h1> : null}
      <Awaited answer={answer} lines={12}>
        {(page) => <Run page={page} />}
      </Awaited>
    </div>
  );
}

/** Asks again for what a live event changed, never more often than a person can follow, and the seldomer the longer the run: its rows come all at once. */
function useRefreshing(path: string, steps: { readonly current: number }): (event: StreamEvent) => void {
  const everything = useMemo(
    () =>
      throttled(
        () => 2000 + 2 * steps.current,
        () => refresh(path),
      ),
    [path],
  );
  const episodes = useMemo(
    () =>
      throttled(
        () => 2500,
        () => refresh(`${path}/episodes`),
      ),
    [path],
  );
  return useCallback(
    ({ kind, data }) => {
      if (kind === 'episode') episodes();
      // Of actors, only the run's own are shown here.
      else if (kind !== 'events' || data.includes('"run"')) everything();
    },
    [everything, episodes],
  );
}

function Run({ page }: { readonly page: RunPage }) {
  const steps = useMemo(() => stepsOf(page.metrics, page.timings), [page]);
  const asked = query.value.get('tab');
  // A fork has no step to look over.
  const home = page.parent === undefined ? 'overview' : 'episodes';
  const tab = tabs.find(({ key }) => key === asked)?.key ?? home;
  const pickTab = (key: string): void => setQuery({ tab: key === home ? null : key }, { push: true });
  useKeys(
    'Run',
    tabs.map(({ key, title }, i) => ({ keys: String(i + 1), what: title.toLowerCase(), act: () => pickTab(key) })),
  );
  return (
    <>
      <Head page={page} steps={steps} />
      <Tabs label="parts of the run" tabs={tabs} active={tab} onPick={pickTab}>
        {tab === 'overview' ? <Overview page={page} steps={steps} /> : null}
        {tab === 'episodes' ? <Episodes run={page.run} filter={(list, trouble) => <Filter list={list} trouble={trouble} />} /> : null}
        {tab === 'simulators' ? (
          <div class="stack">
            <Simulators page={page} />
          </div>
        ) : null}
        {tab === 'actors' ? <Machines page={page} /> : null}
        {tab === 'config' ? <Code value={page.config} label="config as it was resolved" /> : null}
      </Tabs>
    </>
  );
}

function Head({ page, steps }: { readonly page: RunPage; readonly steps: Steps }) {
  const tokens = steps.metric('sampledTokens').reduce<number>((sum, value) => sum + (value ?? 0), 0);
  const members = steps.metric('members').reduce<number>((sum, value) => sum + (value ?? 0), 0);
  const doing = doingOf(page);
  const lost = steps.metric('lost').reduce<number>((sum, value) => sum + (value ?? 0), 0);
  return (
    <>
      <header class="page-head">
        <h1>{page.run}</h1>
        <StateBadge state={page.state} />
        {page.read === undefined ? null : <span class="muted">reading its journal: {percent(page.read)} so far</span>}
        {doing === null ? null : <span class="muted">{doing}</span>}
        <span class="grow" />
        {/* A fork is one episode: none of this is there. */}
        {page.parent !== undefined ? null : (
          <Stats>
            <Stat label="steps" term="step" hint={page.ofSteps === null ? undefined : `of ${whole(page.ofSteps)}`}>
              {whole(page.steps)}
            </Stat>
            <Stat label="difficulty D" term="difficulty D" hint="of 100">
              {figure(page.difficulty)}
            </Stat>
            <Stat label="mean reward" term="reward">
              {reward(page.meanReward)}
            </Stat>
            <Stat label="success">{percent(page.success)}</Stat>
            <Stat label="training episodes" term="episode">
              {whole(members)}
            </Stat>
            <Stat label="lost" term="lost" hint={members === 0 ? undefined : percent(lost / members)}>
              {whole(lost)}
            </Stat>
            <Stat label="sampled tokens">{whole(tokens)}</Stat>
          </Stats>
        )}
      </header>
      {page.parent === undefined ? null : (
        <Notice tone="info">
          <span>
            A fork of <a href={to.run(page.parent.run)}>{page.parent.run}</a>: one episode,{' '}
            <a href={to.episode(page.run, page.parent.episode, { turn: page.parent.turn })}>{page.parent.episode}</a>, played anew from turn{' '}
            {page.parent.turn}.
          </span>
        </Notice>
      )}
      {page.trouble === null ? null : <Notice>The record: {page.trouble}. Everything else of it is shown.</Notice>}
      {page.halted === null || page.halted.reason === 'done' ? null : (
        <Notice tone={page.halted.reason === 'fault' ? 'bad' : 'info'}>
          Ended: {page.halted.reason}. <span class="said">{page.halted.detail}</span>
        </Notice>
      )}
    </>
  );
}

function Overview({ page, steps }: { readonly page: RunPage; readonly steps: Steps }) {
  const step = query.value.get('step');
  const number = step === null ? null : (steps.numbers[steps.ids.indexOf(step)] ?? null);
  const pick = (picked: number): void => setQuery({ step: steps.ids[steps.numbers.indexOf(picked)] ?? null });
  const move = (by: number): void => {
    const at = step === null ? steps.ids.length - 1 : steps.ids.indexOf(step) + by;
    const next = steps.ids[Math.max(0, Math.min(steps.ids.length - 1, at))];
    if (next !== undefined) setQuery({ step: next });
  };
  useKeys('Steps', [
    { keys: 'j', what: 'next step', act: () => move(1) },
    { keys: 'k', what: 'previous step', act: () => move(-1) },
    { keys: 'Escape', what: 'no step', act: () => setQuery({ step: null }) },
  ]);
  return (
    <div class="overview">
      <div class="main-column">
        {step === null ? (
          steps.ids.length === 0 ? null : (
            <p class="muted">Click a curve, or press j and k, to see the groups of a step. Drag to zoom, double-click to see all.</p>
          )
        ) : (
          <Step page={page} step={step} />
        )}
        <Curves page={page} steps={steps} picked={number} onPick={pick} />
      </div>
      <div class="side-column">
        <Panel title="Curriculum" term="difficulty D">
          <Gauge page={page} steps={steps} />
        </Panel>
        <Panel title="Success by difficulty" term="held out">
          <Levels page={page} steps={steps} />
        </Panel>
        <Panel title="What became of the episodes" side={<span class="muted">{plural(steps.ids.length, 'step')}</span>}>
          <Fates page={page} />
        </Panel>
      </div>
    </div>
  );
}
