/**
 * Examines the judge that a language model plays: every so many steps it is asked about episodes of known verdict, in the same way as about any other, and what it said is kept.
 * Knows the truth, and tells nobody who is examined; rewards nobody.
 */
import type { Config } from '../config.ts';
import { type Calibrated, calibrated, driftAfter, type Drift, noDrift, type Trial } from '../learning/calibration.ts';
import type { FrameOf } from '../protocol/frame.ts';
import { type GroupId, type PolicyVersion, stepId } from '../protocol/ids.ts';
import type { JsonValue } from '../protocol/json.ts';
import type { RunSummary } from '../protocol/summary.ts';
import { seedOf } from '../random.ts';
import type { JudgeSimulator, PanelSimulator } from '../simulation/contract.ts';
import { benches, canaries } from './canaries.ts';
import type { Clock } from './clock.ts';
import type { GroupPorts } from './ports.ts';
import { proctor } from './proctor.ts';

export interface CalibrationPorts {
  readonly judge: JudgeSimulator;
  /** Where episodes are judged side by side, so are canaries. */
  readonly panel?: PanelSimulator | undefined;
  readonly chat: NonNullable<GroupPorts['chat']>;
  readonly clock: Clock;
  record(frame: FrameOf<'judge.calibrated'>): void;
  /** Told of each examination, and of each alarm. */
  note(text: string): void;
  /** Nobody asks the group's calls again. */
  abandon(group: GroupId): void;
  /** Of earlier processes of this run. */
  readonly held: readonly FrameOf<'judge.calibrated'>[];
}

export interface Calibration {
  /** Before the step with that number, where one is due and was not held. Resolves always, but when `signal` aborts. */
  hold(step: number, version: PolicyVersion, signal: AbortSignal): Promise<void>;
  readonly summary: RunSummary['judge'];
}

export function createCalibration(
  config: Pick<Config, 'seed' | 'eval' | 'simulation' | 'rollout'>,
  { judge, panel, chat, clock, record, note, abandon, held }: CalibrationPorts,
): Calibration {
  const { calibrateEvery, calibrationEpisodes, alarm, votes, gates, scope } = config.simulation.judge;
  const trials: Trial[] = [];
  let drift: Drift = noDrift;
  const take = (fresh: readonly Trial[]): void => {
    trials.push(...fresh);
    drift = driftAfter(drift, fresh, alarm);
  };
  const done = new Set<string>(held.map(({ step }) => step));
  for (const { trials: earlier } of held) take(earlier as unknown as Trial[]);

  const { askAttempts: attempts, deadlines } = config.rollout;
  const examined = async (step: number, version: PolicyVersion, signal: AbortSignal): Promise<Trial[]> => {
    const group = `calibration.${stepId(step)}` as GroupId;
    const desk = proctor({ chat, clock, signal, group, version, seed: config.seed, attempts, votes, gates, ms: deadlines.turnMs });
    const seed = seedOf(config.eval.seed, 'canaries', step);
    const trials =
      scope === 'group' && panel !== undefined
        ? await desk.together(judge, panel, benches(calibrationEpisodes, seed))
        : await desk.alone(judge, canaries(calibrationEpisodes, seed));
    abandon(group);
    return trials;
  };

  return {
    hold: async (step, version, signal) => {
      const name = stepId(step);
      if (calibrateEvery === 0 || (step - 1) % calibrateEvery !== 0 || done.has(name) || signal.aborted) return;
      const fresh = await examined(step, version, signal);
      if (signal.aborted) return;
      done.add(name);
      const before = drift.alarms;
      take(fresh);
      record({ kind: 'judge.calibrated', step: name, trials: fresh as unknown as JsonValue });
      note(told(calibrated(fresh), drift.alarms > before ? calibrated(trials) : null));
    },
    get summary() {
      return trials.length === 0 ? undefined : summaryOf(calibrated(trials), drift);
    },
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function told({ agreement, model, unread }: Calibrated, alarmed: Calibrated | null): string {
  if (agreement.n === 0) return `the judge gave no verdict on any of ${unread} episodes of known verdict`;
  const figures = `${percent(agreement.mean)} of ${agreement.n} verdicts, ${percent(model.mean)} of the ${model.n} answers the model gave itself`;
  const lost = unread === 0 ? '' : `; ${unread} could not be read`;
  return alarmed === null
    ? `the judge agrees with episodes of known verdict in ${figures}${lost}`
    : `ALARM: the judge has become worse: it agrees with episodes of known verdict in ${figures}${lost}; over the run it was ${percent(alarmed.model.mean)}; look at what it says before you trust what is trained on it`;
}

const summaryOf = (
  { agreement, model, lenient, severe, length, position, unread }: Calibrated,
  { alarms }: Drift,
): NonNullable<RunSummary['judge']> => ({
  agreement: agreement.n === 0 ? 0 : agreement.mean,
  ci: [agreement.low, agreement.high],
  episodes: agreement.n,
  alarms,
  unread,
  ...(model.n === 0
    ? {}
    : {
        model: {
          agreement: model.mean,
          ci: [model.low, model.high],
          questions: model.n,
          ...(lenient.n === 0 ? {} : { lenient: lenient.mean }),
          ...(severe.n === 0 ? {} : { severe: severe.mean }),
          ...(length === null ? {} : { lengthBias: length.difference }),
          ...(position === null ? {} : { positionBias: position.difference }),
        },
      }),
});
