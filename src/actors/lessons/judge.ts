/** What the tiny model is shown of judging: episodes of the oracle and of agents that slip, with the procedural verdict on them. */
import type { JudgeQuestion } from '../../simulation/lm/dialect.ts';
import type { Task } from '../../protocol/task.ts';
import type { AgentTurn, Turn } from '../../protocol/turn.ts';
import type { Stream } from '../../random.ts';
import { docketOf } from '../../simulation/lm/judge.ts';
import { words } from '../../simulation/lm/words/words.ts';
import { slots, speech, things } from '../../simulation/procedural/lexicon.ts';
import { type Agent, oracle, play } from '../../simulation/procedural/oracle.ts';
import { callSlips, type Slip, slipping, wordSlips } from '../../simulation/procedural/slips.ts';
import { solutionOf } from '../../simulation/procedural/solution.ts';
import type { Lesson } from './lesson.ts';

const otherSlips: readonly Slip[] = [...callSlips, 'idle', 'chatty', 'mended', 'detour', 'repeated'];
/** Share of agent turns that slip, in episodes that slip at all. */
const slips = 0.4;

/** Undefined where the episode ended without a verdict, or where rules alone decide it: that is never asked. */
export function judgeLesson(task: Task, complaints: readonly string[], draws: Stream): Lesson | undefined {
  const { turns, world, verdict } = play(task, agentOf(draws));
  if (verdict === null) return undefined;
  const { results } = solutionOf(task);
  const rehearsal = results.map(({ status, result }) => ({ status, result, patch: [] }));
  const view = { task: { ...task, rehearsal }, turns: turns.map(silent), world };
  const docket = docketOf(view, true);
  if (docket.verdict !== undefined) return undefined;
  const question: JudgeQuestion = { view, criteria: docket.criteria };
  const findings = Object.fromEntries(verdict.criteria.map(({ name, met }) => [name, { met, evidence: '' }]));
  const reply = words.judge.write(findings, question);
  // Most episodes are right in most ways: too easy a thing to say.
  if (!reply.includes('false') && draws.chance(0.8)) return undefined;
  return { messages: words.judge.prompt(question, complaints), reply, read: (text) => words.judge.read(text, question) };
}

const silent = (turn: Turn): Turn => (turn.role === 'agent' ? { ...turn, thought: '' } : turn);
const say = (text: string): AgentTurn => ({ role: 'agent', thought: '', text, calls: [] });

/** The oracle, an agent that slips once in a known way, or one that errs wherever it goes. */
function agentOf(draws: Stream): Agent {
  const at = draws.next();
  if (at < 0.3) return oracle;
  return at < 0.7 ? slipping(draws.pick([...wordSlips, ...otherSlips]), draws.int(2 ** 32)) : erring(draws);
}

/** The oracle, now and then doing something else. */
function erring(draws: Stream): Agent {
  return (task, turns) => {
    const right = oracle(task, turns);
    return draws.chance(slips) ? otherwise(right, task, turns, draws) : right;
  };
}

function otherwise(right: AgentTurn, task: Task, turns: readonly Turn[], draws: Stream): AgentTurn {
  const [call] = right.calls;
  const made = turns.flatMap((turn) => (turn.role === 'tool' ? [turn] : []));
  const at = draws.next();
  if (at < 0.5) {
    // A closing that is not due, or not the one that is due.
    const result = made.at(-1)?.result;
    const answers = [`${speech.answer} ${draws.pick(things)}`, ...(typeof result === 'string' ? [`${speech.answer} ${result}`] : [])];
    return say(draws.pick([speech.done, speech.done, speech.missing, speech.none, ...answers]));
  }
  if (at < 0.55)
    return say(`${speech.ask} ${draws.pick(call === undefined ? slots.map(({ word }) => word) : Object.keys(call.arguments))}`);
  const again = made.at(-1)?.call;
  if (at < 0.85 && again !== undefined) return { ...right, text: '', calls: [again] };
  if (at < 0.92) {
    const expected = task.expectedCalls.length > 0 ? draws.pick(task.expectedCalls).arguments : {};
    return { ...right, text: '', calls: [{ name: draws.pick(task.tools).name, arguments: expected }] };
  }
  return say(Array.from({ length: 1 + draws.int(3) }, () => draws.pick(things)).join(' '));
}
