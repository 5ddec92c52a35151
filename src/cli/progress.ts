/** Live progress on stderr: a line that is written over on a terminal, one plain line a step otherwise. Knows how to say it, not how a run works. */
import { pooled, ratesOf } from '../learning/health.ts';
import type { SimulatorHealth } from '../protocol/health.ts';
import type { Phase, Progress } from '../protocol/progress.ts';
import type { LevelResult } from '../protocol/summary.ts';
import { printableLine } from './printable.ts';
import type { Terminal } from './terminal.ts';

const bars = '▁▂▃▄▅▆▇█';
/** Steps of D the sparkline shows. */
const shownSteps = 24;

export interface ProgressView {
  readonly show: (progress: Progress) => void;
  /** Leaves the cursor on an empty line. */
  end(): void;
}

export function progressView(terminal: Terminal): ProgressView {
  const difficulties: number[] = [];
  let last: Extract<Progress, { kind: 'step' }> | null = null;
  let drawn = false;

  const erase = (): void => {
    if (drawn) terminal.raw('\r\u001b[2K');
    drawn = false;
  };
  const line = (text: string): void => {
    erase();
    terminal.say(text);
  };
  const draw = (text: string): void => {
    if (!terminal.live) return;
    erase();
    terminal.raw(text.slice(0, Math.max(20, terminal.width - 1)));
    drawn = true;
  };

  return {
    show: (progress) => {
      switch (progress.kind) {
        case 'phase':
          draw(`${phaseText(progress)}${last === null ? '' : `  ${liveText(last, difficulties)}`}`);
          return;
        case 'step':
          last = progress;
          difficulties.push(progress.nextDifficulty);
          if (difficulties.length > shownSteps) difficulties.shift();
          if (terminal.live) draw(`step ${progress.step}/${progress.steps}  ${liveText(progress, difficulties)}`);
          else line(stepText(progress));
          return;
        case 'evaluation':
          line(levelsText(progress.when, progress.levels));
          return;
        case 'note':
          line(printableLine(progress.text));
          return;
        default:
          progress satisfies never;
      }
    },
    end: () => {
      // The last state stays on the screen.
      if (drawn) terminal.raw('\n');
      drawn = false;
    },
  };
}

const phaseText = ({ phase, step, steps, done, of }: { phase: Phase; step: number; steps: number; done: number; of: number }): string =>
  `${phase === 'evaluating' ? 'evaluating' : `step ${step}/${steps} ${phase}`}${of > 0 ? ` ${done}/${of}` : ''}`;

type Step = Extract<Progress, { kind: 'step' }>;

/** One line a step, stable enough to be read by eyes and by grep. */
export function stepText(step: Step): string {
  return [
    `step ${step.step}/${step.steps}`,
    `D ${step.difficulty} → ${step.nextDifficulty}`,
    `reward ${figure(step.meanReward)}`,
    `success ${figure(step.success)}`,
    `${rate(step.tokensPerSecond)} tokens/s`,
    `dropped ${step.dropped}/${step.groups}`,
    ...agreementText(step),
    ...healthText(step.simulators),
    ...faultText(step.faults),
    `ETA ${duration(step.eta)}`,
  ].join('  ');
}

/** What sampler and trainer disagree by, where there are two of them to disagree; the lag is part of the mean then, and not of the canary's. */
const agreementText = ({ gap, canaryGap, lag }: Step): string[] => [
  ...(typeof gap === 'number' && typeof canaryGap === 'number' ? [`|Δ log-prob| ${gap.toExponential(1)}`] : []),
  ...(typeof canaryGap === 'number' ? [`canary ${canaryGap.toExponential(1)}`] : []),
  ...(typeof lag === 'number' ? [`lag ${lag.toFixed(2)}`] : []),
];

/** All roles together; the audit's mean where episodes were audited. By role and tool: `show`. */
function healthText(simulators: SimulatorHealth | undefined): string[] {
  if (simulators === undefined) return [];
  const { defects, repaired, masked } = ratesOf(pooled(simulators));
  const { audit } = simulators;
  return [
    `simulators ${[
      `${percent(defects.malformed)} malformed`,
      ...(defects.inconsistent.mean > 0 ? [`${percent(defects.inconsistent)} inconsistent`] : []),
      `${percent(repaired)} repaired`,
      `${percent(masked)} masked`,
      ...(audit === undefined || audit.episodes === 0 ? [] : [`fidelity ${(audit.fidelity / audit.episodes).toFixed(2)}`]),
    ].join(', ')}`,
  ];
}

/** Nothing of nothing is 0. */
const percent = ({ mean }: { readonly mean: number }): string => `${(100 * (Number.isNaN(mean) ? 0 : mean)).toFixed(1)} %`;

const liveText = (step: Step, difficulties: readonly number[]): string =>
  [
    `D ${step.nextDifficulty} ${sparkline(difficulties)}`,
    `reward ${figure(step.meanReward)}`,
    `success ${figure(step.success)}`,
    `${rate(step.tokensPerSecond)} tok/s`,
    ...faultText(step.faults),
    `ETA ${duration(step.eta)}`,
    // Last: a narrow terminal cuts here.
    ...healthText(step.simulators),
  ].join('  ');

/** Against 1..100, so that its height means the same at any time. */
export const sparkline = (difficulties: readonly number[]): string =>
  difficulties.map((d) => bars[Math.min(bars.length - 1, Math.floor((Math.max(1, Math.min(100, d)) - 1) / (99 / bars.length)))]).join('');

const faultText = (faults: Readonly<Record<string, number>>): string[] => {
  const entries = Object.entries(faults);
  return entries.length === 0 ? [] : [`lost ${entries.map(([reason, n]) => `${printableLine(reason)} ${n}`).join(', ')}`];
};

const levelsText = (when: string, levels: readonly LevelResult[]): string =>
  `held-out success ${when}: ${levels.map(({ D, greedy, sampled }) => `D${D} ${figure(greedy ?? sampled)}`).join('  ')}`;

const figure = (value: number | null): string => (value === null ? '–' : value.toFixed(2));
const rate = (value: number): string => (value >= 10_000 ? `${(value / 1000).toFixed(0)}k` : value.toFixed(0));

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, '0')}s`;
  return `${Math.floor(whole / 3600)}h${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')}m`;
}
