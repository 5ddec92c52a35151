/** The curves of a run: what it learns, how sure the update was, what it cost. Only those whose figures exist. */
import { useMemo } from 'preact/hooks';
import type { RunPage } from '../../contract.ts';
import { duration, percent, reward, whole } from '../format.ts';
import { glossary } from '../glossary.ts';
import { First } from './first.tsx';
import { type Line, Plot, type PlotProps } from './plot.tsx';
import { combined, measured, orZero, phasesOf, smoothed, stacked, type Steps } from './series.ts';

type Curve = Pick<PlotProps, 'title' | 'about' | 'still' | 'lines' | 'range' | 'marks'>;

interface CurvesProps {
  readonly page: RunPage;
  readonly steps: Steps;
  readonly picked: number | null;
  readonly onPick: (step: number) => void;
}

export function Curves({ page, steps, picked, onPick }: CurvesProps) {
  const groups = useMemo(() => curvesOf(page, steps), [page, steps]);
  if (steps.numbers.length === 0) return <First page={page} />;
  return (
    <>
      {groups.map(({ title, curves }) => (
        <section key={title} class="curves" aria-label={title}>
          <h2>{title}</h2>
          <div class="plots">
            {curves.map((curve) => (
              <Plot key={curve.title} {...curve} steps={steps.numbers} picked={picked} onPick={onPick} />
            ))}
          </div>
        </section>
      ))}
    </>
  );
}

interface CurveGroup {
  readonly title: string;
  readonly curves: readonly Curve[];
}

function curvesOf(page: RunPage, steps: Steps): CurveGroup[] {
  const groups = [
    { title: 'Learning', curves: learning(page, steps) },
    { title: 'The update', curves: update(page, steps) },
    { title: 'Rollouts and time', curves: cost(page, steps) },
  ];
  return groups
    .map(({ title, curves }) => ({
      title,
      curves: curves
        .map((curve) => ({ ...curve, lines: curve.lines.filter(({ values }) => measured(values)) }))
        .filter(({ lines }) => lines.length > 0),
    }))
    .filter(({ curves }) => curves.length > 0);
}

/** Single steps faint, and their running mean, where there are enough steps for one. */
function noisy(name: string, values: Line['values'], colour: number, show?: Line['show']): Line[] {
  const shown = show === undefined ? {} : { show };
  if (values.length < 24) return [{ name, values, colour, ...shown }];
  return [
    { name, values, colour, faint: true, ...shown },
    { name: `${name}, mean of 10`, values: smoothed(values, 10), colour, ...shown },
  ];
}

function learning(page: RunPage, steps: Steps): Curve[] {
  const { lower, upper } = thresholds(page);
  return [
    {
      title: 'Mean reward',
      about: glossary.reward,
      lines: noisy('reward', steps.metric('meanReward'), 1, reward),
      range: [-1, 1],
      marks: [
        { at: upper, name: `D rises above ${upper}` },
        { at: lower, name: `falls below ${lower}` },
      ],
    },
    {
      title: 'Difficulty D',
      about: glossary['difficulty D'],
      lines: [{ name: 'D', values: steps.metric('difficulty'), colour: 4, stepped: true }],
      range: [0, 100],
    },
    { title: 'Success in training', lines: noisy('success', steps.metric('success'), 3, percent), range: [0, 1] },
  ];
}

/** The curriculum's, from the config the run was recorded with; TRUSTEE's where it says none. */
export function thresholds({ config }: RunPage): { readonly lower: number; readonly upper: number; readonly delta: number } {
  const rule = (config['curriculum'] ?? {}) as Record<string, unknown>;
  const number = (key: string, otherwise: number): number => (typeof rule[key] === 'number' ? rule[key] : otherwise);
  return { lower: number('lower', 0), upper: number('upper', 0.5), delta: number('delta', 3) };
}

const lessOne = (column: Line['values']): Line['values'] => column.map((value) => (value === null ? null : value - 1));

function update({ config }: RunPage, steps: Steps): Curve[] {
  const weight = (config['trainer'] as { readonly kl?: unknown } | undefined)?.kl;
  const line = (name: string, key: string, colour: number, more: Partial<Line> = {}): Line => ({
    name,
    values: steps.metric(key),
    colour,
    ...more,
  });
  return [
    {
      title: 'KL to the base',
      about: glossary['KL to the base'],
      lines: [line('KL', 'kl', 1)],
      ...(weight === 0 ? { still: 'no KL term: its weight β (trainer.kl) is 0, so it is not measured' } : {}),
    },
    {
      title: 'Ratio of trainer to sampler, less 1',
      about: glossary.ratio,
      lines: [
        { name: 'mean', values: lessOne(steps.metric('ratioMean')), colour: 1 },
        { name: 'least', values: lessOne(steps.metric('ratioMin')), colour: 6, dashed: true },
        { name: 'most', values: lessOne(steps.metric('ratioMax')), colour: 2, dashed: true },
      ],
    },
    { title: 'Entropy', about: glossary.entropy, lines: [line('entropy', 'entropy', 3)] },
    { title: 'Gradient norm', about: glossary['gradient norm'], lines: [line('norm', 'gradNorm', 5)] },
    {
      title: 'Gap of log-probs, sampler to trainer',
      about: glossary.gap,
      lines: [line('mean of a step', 'gap', 4), line('largest of the canary', 'canaryGap', 2, { dashed: true })],
    },
    {
      title: 'Tokens clipped, masked, effective',
      about: glossary.clipped,
      lines: [
        line('clipped', 'clipFraction', 1, { show: percent }),
        line('masked', 'maskedFraction', 2, { show: percent, dashed: true }),
        line('effective sample', 'ess', 6, { show: percent }),
      ],
      range: [0, 1],
    },
    { title: 'Staleness, in versions', about: glossary.staleness, lines: [line('mean lag', 'lag', 5)] },
  ];
}

function cost(page: RunPage, steps: Steps): Curve[] {
  const phases = phasesOf(page.timings);
  const layers = phases.map((phase) => steps.timing(`${phase}Ms`));
  const sums = stacked(layers).map((sum) => sum.map((ms) => (ms === null ? null : ms / 1000)));
  const seconds = sums.at(-1) ?? [];
  return [
    {
      title: 'Sampled tokens an episode',
      lines: [{ name: 'tokens', values: combined(steps.metric('sampledTokens'), steps.metric('members'), (n, of) => n / of), colour: 1 }],
    },
    { title: 'Turns an episode', lines: [{ name: 'turns', values: steps.metric('turns'), colour: 2 }] },
    {
      title: 'Sampled tokens a second',
      lines: [{ name: 'tokens/s', values: combined(steps.metric('sampledTokens'), seconds, (n, of) => n / of), colour: 3, show: whole }],
    },
    {
      // The topmost layer first, so that the lower ones are drawn over it.
      title: 'Seconds of a step',
      lines: phases
        .map((phase, i) => ({
          name: phase,
          values: sums[i] ?? [],
          said: layers[i] ?? [],
          colour: (i % 6) + 1,
          filled: true,
          show: duration,
        }))
        .toReversed(),
    },
    {
      title: 'Episodes',
      lines: [
        { name: 'trained on', values: steps.metric('trained'), colour: 1 },
        { name: 'without gradient', values: orZero(steps.metric('fates.zeroVariance'), steps.metric('members')), colour: 6, dashed: true },
        { name: 'lost', values: steps.metric('lost'), colour: 5 },
      ],
    },
    {
      title: 'Slots of the servers in use, so far',
      about: glossary.occupancy,
      lines: [{ name: 'share', values: steps.timing('occupancy'), colour: 4, show: percent }],
      range: [0, 1],
    },
  ];
}
