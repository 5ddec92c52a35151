/** The curves of two runs over one axis of steps. Only those that either has figures for. */
import { useMemo } from 'preact/hooks';
import type { RunPage } from '../../contract.ts';
import { percent, reward } from '../format.ts';
import { Panel } from '../kit/panel.tsx';
import { type Line, Plot } from '../run/plot.tsx';
import { measured, smoothed } from '../run/series.ts';
import { alignedSteps } from './overlay.ts';

interface Drawn {
  readonly title: string;
  readonly path: string;
  readonly range?: readonly [number, number];
  readonly stepped?: boolean;
  readonly show?: (value: number) => string;
  /** Single steps are noise: the mean of the last ten where there are enough. */
  readonly noisy?: boolean;
}

const drawn: readonly Drawn[] = [
  { title: 'Mean reward', path: 'meanReward', range: [-1, 1], show: reward, noisy: true },
  { title: 'Difficulty D', path: 'difficulty', range: [0, 100], stepped: true },
  { title: 'Success in training', path: 'success', range: [0, 1], show: percent, noisy: true },
  { title: 'KL to the base', path: 'kl' },
  { title: 'Ratio of trainer to sampler, mean', path: 'ratioMean' },
  { title: 'Entropy', path: 'entropy' },
  { title: 'Gradient norm', path: 'gradNorm' },
  { title: 'Gap of log-probs, sampler to trainer', path: 'gap' },
  { title: 'Turns an episode', path: 'turns', noisy: true },
  { title: 'Sampled tokens of a step', path: 'sampledTokens' },
  { title: 'Episodes without gradient', path: 'fates.zeroVariance' },
  { title: 'Episodes lost', path: 'lost' },
];

const smoothFrom = 24;

export function Overlay({ a, b }: { readonly a: RunPage; readonly b: RunPage }) {
  const { numbers, curves } = useMemo(() => curvesOf(a, b), [a, b]);
  return (
    <Panel title="Curves" side={<span class="muted">A drawn through, B dashed</span>}>
      {curves.length === 0 ? <p class="muted">Neither run has committed a step.</p> : null}
      <div class="plots">
        {curves.map(({ title, range, lines }) => (
          <Plot
            key={title}
            title={title}
            steps={numbers}
            lines={lines}
            {...(range === undefined ? {} : { range })}
            picked={null}
            onPick={() => undefined}
          />
        ))}
      </div>
    </Panel>
  );
}

function curvesOf(a: RunPage, b: RunPage) {
  const { numbers, column } = alignedSteps(a.metrics, b.metrics);
  const curves = drawn.flatMap(({ title, path, range, stepped, show, noisy }) => {
    const columns = column(path);
    if (!columns.some(measured)) return [];
    const smooth = noisy === true && numbers.length >= smoothFrom;
    const lines = columns.map((values, i): Line => ({
      name: `${i === 0 ? 'A' : 'B'} ${(i === 0 ? a : b).run}`,
      // A mean goes on over steps that a run has not: it ends where the run ends.
      values: smooth ? smoothed(values, 10).map((value, at) => (values[at] === null ? null : value)) : values,
      colour: i === 0 ? 1 : 2,
      dashed: i === 1,
      ...(stepped === true ? { stepped } : {}),
      ...(show === undefined ? {} : { show }),
    }));
    return [{ title: smooth ? `${title}, mean of 10` : title, range, lines }];
  });
  return { numbers, curves };
}
