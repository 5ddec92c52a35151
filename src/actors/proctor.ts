/** Puts canaries to the judge, each alone or a bench of them side by side, and compares what it says with what is known. Draws none, and keeps no figures. */
import { CancelledFault } from '../errors.ts';
import type { Trial } from '../learning/calibration.ts';
import type { GroupId, PolicyVersion } from '../protocol/ids.ts';
import type { AskMessage } from '../protocol/messages.ts';
import type { Verdict } from '../protocol/outcome.ts';
import { type Seed, seedOf } from '../random.ts';
import type { JudgeSimulator, JudgeView, PanelSimulator, PanelView, Simulator } from '../simulation/contract.ts';
import { docketOf } from '../simulation/lm/judge.ts';
import { pose, type Question } from './ask.ts';
import type { Canary } from './canaries.ts';
import type { Clock } from './clock.ts';
import type { GroupPorts } from './ports.ts';
import { poll } from './votes.ts';

export interface Examining {
  readonly chat: NonNullable<GroupPorts['chat']>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly group: GroupId;
  readonly version: PolicyVersion;
  readonly seed: Seed;
  readonly attempts: number;
  readonly votes: number;
  readonly gates: boolean;
  /** Milliseconds for one question, all attempts together. */
  readonly ms: number;
}

/** Whatever is still being answered is not wanted any more. */
const over = new CancelledFault('the canary has its verdict');

export interface Proctor {
  alone(judge: JudgeSimulator, drawn: readonly Canary[]): Promise<Trial[]>;
  together(judge: JudgeSimulator, panel: PanelSimulator, drawn: readonly (readonly Canary[])[]): Promise<Trial[]>;
}

/** Every promise resolves: a verdict that does not come is a trial without one. */
export function proctor(examining: Examining): Proctor {
  const { signal, gates, votes } = examining;
  const sitting = new Set<AbortController>();
  const inTime = async <T>(work: () => Promise<T>): Promise<T> => {
    const cancel = (): void => {
      for (const abort of sitting) abort.abort(signal.reason);
    };
    signal.addEventListener('abort', cancel, { once: true });
    const result = await work();
    signal.removeEventListener('abort', cancel);
    return result;
  };
  const asked = async <View, Answer>(
    simulator: Simulator<View, Answer>,
    view: View,
    scope: string,
    attempts: number,
    put: Put<View, Answer>,
  ): Promise<Answer | null> => {
    const abort = new AbortController();
    sitting.add(abort);
    const answer = await answerTo(simulator, view, scope, { ...examining, attempts }, abort, put);
    sitting.delete(abort);
    abort.abort(over);
    return answer;
  };
  const oneOf =
    (judge: JudgeSimulator) =>
    async ({ id, view, truth }: Canary): Promise<Trial> => {
      const given = await asked(judge, view, id, examining.attempts, (question, hear) => poll(question, votes, hear));
      return trialOf(view, truth, given, gates);
    };
  const benchOf =
    (judge: JudgeSimulator, panel: PanelSimulator) =>
    async (bench: readonly Canary[]): Promise<Trial[]> => {
      const view: PanelView = { views: bench.map((canary) => canary.view) };
      // Side by side nothing is repaired: who cannot be judged so is judged alone (actors/panel.ts).
      const given = await asked(panel, view, `${bench[0]?.id ?? ''} panel`, 1, pose);
      if (given === null) return Promise.all(bench.map(oneOf(judge)));
      return bench.map((canary, position): Trial => ({ ...trialOf(canary.view, canary.truth, given[position] ?? null, gates), position }));
    };
  return {
    alone: (judge, drawn) => inTime(() => Promise.all(drawn.map(oneOf(judge)))),
    together: (judge, panel, drawn) => inTime(async () => (await Promise.all(drawn.map(benchOf(judge, panel)))).flat()),
  };
}

type Put<View, Answer> = (question: Question<View, Answer>, hear: (message: AskMessage<Answer>) => void) => void;

/** Asks as the ask chart does: again with the complaint, so many times, until the time is up. Null where no answer came. */
function answerTo<View, Answer>(
  simulator: Simulator<View, Answer>,
  view: View,
  scope: string,
  { attempts, ms, clock, chat, group, version, seed }: Examining,
  { signal }: AbortController,
  put: Put<View, Answer>,
): Promise<Answer | null> {
  const dueAt = clock.now() + ms;
  return new Promise((resolve) => {
    const complaints: string[] = [];
    const end = (answer: Answer | null): void => {
      disarm();
      signal.removeEventListener('abort', cancel);
      resolve(answer);
    };
    const cancel = (): void => end(null);
    const disarm = clock.after(ms, cancel);
    signal.addEventListener('abort', cancel, { once: true });
    const hear = (message: AskMessage<Answer>): void => {
      if (message.type === 'ask.read') return end(message.answer);
      if (message.type !== 'ask.unreadable' || complaints.length + 1 >= attempts || signal.aborted) return end(null);
      complaints.push(message.complaint);
      ask();
    };
    const ask = (): void => {
      const call = { scope: `${group}.${scope}`, actor: 'judge', turn: 0, sample: complaints.length, version };
      put(
        {
          simulator,
          view,
          ask: 1,
          complaints: [...complaints],
          attempts,
          call,
          seed: seedOf(seed, call.scope, call.sample),
          group,
          priority: 0,
          deadlineMs: Math.max(1, dueAt - clock.now()),
          clock,
          chat: (request) => chat(request, signal),
        },
        hear,
      );
    };
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
