/** The curriculum at a glance: where D stands between 1 and 100, where it has been, what moves it, and what it bounds. */
import type { AspectName } from '../../../protocol/task.ts';
import type { DrawnAspect, RunPage } from '../../contract.ts';
import { figure, plural, reward, stepNumber } from '../format.ts';
import { glossary } from '../glossary.ts';
import { thresholds } from './curves.tsx';
import type { Steps } from './series.ts';

export function Gauge({ page, steps }: { readonly page: RunPage; readonly steps: Steps }) {
  const D = page.difficulty;
  const history = steps.metric('difficulty').filter((value) => value !== null);
  const previous = history.at(-1) ?? null;
  const { lower, upper, delta } = thresholds(page);
  const mode = (page.config['curriculum'] as { mode?: unknown } | undefined)?.mode;
  return (
    <div class="gauge">
      <p class="now">
        <strong class="number">{figure(D)}</strong>
        <span class="muted">of 100</span>
        {D === null || previous === null || D === previous ? null : (
          <span class={D > previous ? 'up' : 'down'}>
            {D > previous ? '▲ +' : '▼ −'}
            {Math.abs(D - previous)}
          </span>
        )}
      </p>
      <Scale D={D} history={history} />
      <p class="muted">
        {mode === 'fixed' || mode === 'uniform'
          ? `D does not move: the curriculum is ${mode}.`
          : `Up ${delta} when a step’s mean reward is above ${upper}, down ${delta} when it is below ${lower}. Last mean reward: ${reward(page.meanReward)}.`}
      </p>
      <AspectRows aspects={page.aspects?.at(-1)} />
    </div>
  );
}

/** Width 396 = 4 px a point of D. */
function Scale({ D, history }: { readonly D: number | null; readonly history: readonly number[] }) {
  const at = (value: number): number => 6 + (value - 1) * 4;
  const visits = new Map<number, number>();
  for (const value of history) visits.set(value, (visits.get(value) ?? 0) + 1);
  const most = Math.max(1, ...visits.values());
  const trail = history.filter((_, i) => i % Math.ceil(history.length / 80) === 0 || i === history.length - 1);
  const path = trail.map((value, i) => `${at(value).toFixed(1)},${(34 + (i / Math.max(1, trail.length - 1)) * 40).toFixed(1)}`).join(' ');
  return (
    <svg
      class="scale"
      viewBox="0 0 408 92"
      role="img"
      aria-label={`D stands at ${figure(D)}; it went from ${figure(history[0])} through ${history.length} steps.`}
    >
      <rect class="scale-track" x="2" y="14" width="404" height="10" rx="5" />
      {[...visits].map(([value, count]) => (
        <rect key={value} class="visit" x={at(value) - 2} y="14" width="4" height="10" style={{ opacity: 0.15 + (0.75 * count) / most }} />
      ))}
      {D === null ? null : <path class="needle" d={`M${at(D)} 10l-5 -8h10zM${at(D)} 8v20`} />}
      <polyline class="trail" points={path} />
      {[1, 25, 50, 75, 100].map((value) => (
        <text key={value} x={at(value)} y="88" text-anchor={value === 1 ? 'start' : value === 100 ? 'end' : 'middle'}>
          {value}
        </text>
      ))}
    </svg>
  );
}

/** What an aspect counts or names, easy end first. Source: protocol/task.ts. */
const meanings: Readonly<
  Record<AspectName, { readonly title: string; readonly ends: readonly [number, number]; readonly words?: readonly string[] }>
> = {
  tools: { title: 'tools offered', ends: [1, 10] },
  calls: { title: 'calls expected', ends: [1, 3] },
  turns: { title: 'user turns', ends: [1, 2] },
  system: { title: 'system prompt', ends: [0, 2], words: ['detailed', 'short', 'generic'] },
  persona: { title: 'persona', ends: [0, 2], words: ['expert', 'beginner', 'novice'] },
  query: { title: 'query', ends: [0, 2], words: ['clear', 'vague', 'very vague'] },
  criteria: { title: 'criteria required', ends: [0, 4] },
};

function AspectRows({ aspects }: { readonly aspects: NonNullable<RunPage['aspects']>[number] | undefined }) {
  if (aspects === undefined) return <p class="muted">What the tasks draw of the seven aspects is shown with the first step’s tasks.</p>;
  return (
    <table class="aspects">
      <caption title={glossary.aspects}>
        Seven aspects in step {stepNumber(aspects.step)}: what {plural(aspects.tasks, 'task')} drew ━ and its mean ●, at most the bound ┃
      </caption>
      <tbody>
        {(Object.keys(meanings) as AspectName[]).map((name) => (
          <AspectRow key={name} name={name} drawn={aspects.drawn[name]} />
        ))}
      </tbody>
    </table>
  );
}

function AspectRow({ name, drawn }: { readonly name: AspectName; readonly drawn: DrawnAspect }) {
  const { title, ends, words } = meanings[name];
  const at = (value: number): number => 5 + ((value - ends[0]) / (ends[1] - ends[0])) * 130;
  const said = (value: number): string => words?.[value] ?? figure(value);
  const range = drawn.min === drawn.max ? said(drawn.min) : `${said(drawn.min)} – ${said(drawn.max)}`;
  return (
    <tr>
      <th scope="row">{title}</th>
      <td>
        <svg viewBox="0 0 140 16" aria-hidden="true">
          <line class="aspect-track" x1="5" x2="135" y1="8" y2="8" />
          <line class="drawn" x1={at(drawn.min)} x2={at(drawn.max)} y1="8" y2="8" />
          <line class="bound" x1={at(drawn.bound)} x2={at(drawn.bound)} y1="1" y2="15" />
          <circle cx={at(drawn.mean)} cy="8" r="3.5" />
        </svg>
      </td>
      <td class="number">
        {range} {drawn.max === drawn.bound ? null : <span class="muted">≤ {said(drawn.bound)}</span>}
      </td>
    </tr>
  );
}
