/**
 * Examines the judge that a language model plays: every so many steps it is asked about episodes of known verdict, in the same way as about any other, and what it said is kept.
 * Knows the truth, and tells nobody who is examined; rewards nobody.
 */
import type { Config } from '../config.ts';
import { CancelledFault } from '../errors.ts';
import { type Calibrated, calibrated, driftAfter, type Drift, noDrift, type Trial } from '../learning/calibration.ts';
import type { FrameOf } from '../protocol/frame.ts';
import { type GroupId, type PolicyVersion, stepId } from '../protocol/ids.ts';
import type { JsonValue } from '../protocol/json.ts';
import type { AskMessage } from '../protocol/messages.ts';
import type { Verdict } from '../protocol/outcome.ts';
import type { RunSummary } from '../protocol/summary.ts';
import { seedOf } from '../random.ts';
import type { JudgeSimulator, JudgeView } from '../simulation/contract.ts';
import { docketOf } from '../simulation/lm/judge.ts';
import type { Question } from './ask.ts';
import { canaries, type Canary } from './canaries.ts';
import type { Clock } from './clock.ts';
import type { GroupPorts } from './ports.ts';
import { poll } from './votes.ts';

export interface CalibrationPorts {
  readonly judge: JudgeSimulator;
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

/** Canaries that are being judged. */
type Sitting = Set<AbortController>;
/** Whatever is still being answered is not wanted any more. */
const over = new CancelledFault('the canary has its verdict');

export interface Calibration {
  /** Before the step with that number, where one is due and was not held. Resolves always, but when `signal` aborts. */
  hold(step: number, version: PolicyVersion, signal: AbortSignal): Promise<void>;
  readonly summary: RunSummary['judge'];
}

export function createCalibration(
  config: Pick<Config, 'seed' | 'eval' | 'simulation' | 'rollout'>,
  { judge, chat, clock, record, note, abandon, held }: CalibrationPorts,
): Calibration {
  const { calibrateEvery, calibrationEpisodes, alarm, votes, gates } = config.simulation.judge;
  const trials: Trial[] = [];
  let drift: Drift = noDrift;
  const take = (fresh: readonly Trial[]): void => {
    trials.push(...fresh);
    drift = driftAfter(drift, fresh, alarm);
  };
  const done = new Set<string>(held.map(({ step }) => step));
  for (const { trials: earlier } of held) take(earlier as unknown as Trial[]);

  const examined = async ({ id, view, truth }: Canary, group: GroupId, version: PolicyVersion, sitting: Sitting): Promise<Trial> => {
    const abort = new AbortController();
    sitting.add(abort);
    const question = (complaints: readonly string[], deadlineMs: number): Question<JudgeView, Verdict> => {
      const call = { scope: `${group}.${id}`, actor: 'judge', turn: 0, sample: complaints.length, version };
      return {
        simulator: judge,
        view,
        ask: 1,
        complaints,
        attempts: config.rollout.askAttempts,
        call,
        seed: seedOf(config.seed, call.scope, call.sample),
        group,
        priority: 0,
        deadlineMs,
        clock,
        chat: (request) => chat(request, abort.signal),
      };
    };
    const { askAttempts: attempts, deadlines } = config.rollout;
    const given = await verdictOn(question, { attempts, votes, ms: deadlines.turnMs, clock, signal: abort.signal });
    sitting.delete(abort);
    abort.abort(over);
    return trialOf(view, truth, given, gates);
  };

  return {
    hold: async (step, version, signal) => {
      const name = stepId(step);
      if (calibrateEvery === 0 || (step - 1) % calibrateEvery !== 0 || done.has(name) || signal.aborted) return;
      const group = `calibration.${name}` as GroupId;
      const drawn = canaries(calibrationEpisodes, seedOf(config.eval.seed, 'canaries', step));
      const sitting: Sitting = new Set();
      const cancel = (): void => {
        for (const abort of sitting) abort.abort(signal.reason);
      };
      signal.addEventListener('abort', cancel, { once: true });
      const fresh = await Promise.all(drawn.map((each) => examined(each, group, version, sitting)));
      signal.removeEventListener('abort', cancel);
      abandon(group);
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

interface Asking {
  readonly attempts: number;
  readonly votes: number;
  /** All attempts together. */
  readonly ms: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Asks as the ask chart does: again with the complaint, so many times, until the time is up. Null where no verdict came. */
function verdictOn(
  question: (complaints: readonly string[], deadlineMs: number) => Question<JudgeView, Verdict>,
  { attempts, votes, ms, clock, signal }: Asking,
): Promise<Verdict | null> {
  const dueAt = clock.now() + ms;
  return new Promise((resolve) => {
    const complaints: string[] = [];
    const end = (verdict: Verdict | null): void => {
      disarm();
      signal.removeEventListener('abort', cancel);
      resolve(verdict);
    };
    const cancel = (): void => end(null);
    const disarm = clock.after(ms, cancel);
    signal.addEventListener('abort', cancel, { once: true });
    const hear = (message: AskMessage<Verdict>): void => {
      if (message.type === 'ask.read') return end(message.answer);
      if (message.type !== 'ask.unreadable' || complaints.length + 1 >= attempts || signal.aborted) return end(null);
      complaints.push(message.complaint);
      ask();
    };
    const ask = (): void => poll(question([...complaints], Math.max(1, dueAt - clock.now())), votes, hear);
    ask();
  });
}

function trialOf(view: JudgeView, truth: Verdict, given: Verdict | null, gates: boolean): Trial {
  const said = view.turns.reduce((length, turn) => length + (turn.role === 'agent' ? turn.text.length : 0), 0);
  const { verdict, criteria } = docketOf(view, gates);
  const metIn = ({ criteria: found }: Verdict, name: string): boolean => found.find((each) => each.name === name)?.met === true;
  const asked = given === null || verdict !== undefined ? [] : criteria;
  return {
    truth: truth.reward,
    given: given?.reward ?? null,
    questions: asked.map((name) => ({ name, truth: metIn(truth, name), given: metIn(given as Verdict, name) })),
    length: said,
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function told({ agreement, model, unread }: Calibrated, alarmed: Calibrated | null): string {
  const figures = `${percent(agreement.mean)} of ${agreement.n} verdicts, ${percent(model.mean)} of the ${model.n} answers the model gave itself`;
  const lost = unread === 0 ? '' : `; ${unread} could not be read`;
  return alarmed === null
    ? `the judge agrees with episodes of known verdict in ${figures}${lost}`
    : `ALARM: the judge has become worse: it agrees with episodes of known verdict in ${figures}${lost}; over the run it was ${percent(alarmed.model.mean)}; look at what it says before you trust what is trained on it`;
}

const summaryOf = (
  { agreement, model, lenient, severe, length, unread }: Calibrated,
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
        },
      }),
});
