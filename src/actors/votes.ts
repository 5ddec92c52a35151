/** Puts one question to the judge several times, with seeds of their own, and delivers what the majority says as one answer. It knows no criterion; the chart repairs and gives up as for one answer. */
import type { AskMessage, Source } from '../protocol/messages.ts';
import type { Verdict } from '../protocol/outcome.ts';
import { seedOf } from '../random.ts';
import type { JudgeView, Simulator } from '../simulation/contract.ts';
import { disputedIn, majorityOf, tallied } from '../simulation/verdict/votes.ts';
import { pose, type Question } from './ask.ts';

/** Equal answers are no second opinion: at temperature 0 all would be. */
const leastTemperature = 0.7;

type Vote = Exclude<AskMessage<Verdict>, { type: 'deadline.expired' }>;

/**
 * `deliver` hears one message: the verdict, as soon as the votes to come cannot change it; else, when too few could be read, the first complaint or fault.
 * What cannot be read voids itself alone. Code answers at once, and once.
 */
export function poll(question: Question<JudgeView, Verdict>, votes: number, deliver: (message: AskMessage<Verdict>) => void): void {
  const cast: Vote[] = [];
  let isOver = false;
  const end = (message: AskMessage<Verdict>): void => {
    isOver = true;
    deliver(message);
  };
  const count = (): void => {
    if (isOver) return;
    const read = cast.flatMap((vote) => (vote.type === 'ask.read' ? [vote.answer] : []));
    const verdict = tallied(read, votes, cast.length === votes);
    const { ask, complaints, counted } = question;
    if (verdict !== undefined) {
      counted?.health.settled(counted.asking, false);
      counted?.health.voted(votes === 1 ? 0 : read.length, disputedIn(read));
      end({ type: 'ask.read', ask, attempt: complaints.length, answer: verdict, ...sourceOf(cast) });
    } else if (cast.length === votes) {
      const failure = cast.find(({ type }) => type === 'ask.unreadable') ?? cast.find(({ type }) => type !== 'ask.read');
      if (failure !== undefined) end({ ...failure, ...sourceOf(cast) });
    } else if (cast.length - read.length > votes - majorityOf(votes)) {
      // Too many cannot be read: the rest cannot make a majority.
      end({ ...(cast.find(({ type }) => type !== 'ask.read') as Vote), ...sourceOf(cast) });
    }
  };
  const posed = (vote: number): void => {
    pose(votes === 1 ? question : ballot(question, vote), (message) => {
      if (message.type === 'deadline.expired') return;
      cast.push(message);
      if (!isFirst) count();
    });
  };
  let isFirst = true;
  posed(0);
  isFirst = false;
  const [known] = cast;
  // Nothing that a model says comes before its question is put: this is code's.
  if (known !== undefined) return end(known);
  for (let vote = 1; vote < votes; vote++) posed(vote);
}

/** All calls that were cast, whoever of them decided. */
function sourceOf(cast: readonly Vote[]): { readonly source?: Source } {
  const calls = cast.flatMap(({ source }) => (source?.from === 'model' ? source.calls : []));
  return calls.length === 0 ? {} : { source: { from: 'model', calls } };
}

/** The same question, once more; the first is the question itself. */
function ballot(question: Question<JudgeView, Verdict>, vote: number): Question<JudgeView, Verdict> {
  const { call, seed, counted, simulator, asker } = question;
  const told = asker === undefined ? {} : { asker: { ...asker, vote } };
  if (vote === 0) return { ...question, ...told };
  return {
    ...question,
    ...told,
    simulator: warmed(simulator),
    call: { ...call, actor: `${call.actor}.${vote}` },
    seed: seedOf(seed, 'vote', vote),
    ...(counted === undefined
      ? {}
      : { counted: { ...counted, asking: { ...counted.asking, seat: `${counted.asking.seat} vote ${vote}` } } }),
  };
}

const warmed = (simulator: Simulator<JudgeView, Verdict>): Simulator<JudgeView, Verdict> => ({
  ...simulator,
  pose: (view, complaints, seed) => {
    const posed = simulator.pose(view, complaints, seed);
    return posed.kind === 'reply' ? posed : { ...posed, temperature: Math.max(posed.temperature, leastTemperature) };
  },
});
