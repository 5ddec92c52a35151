/** The agent that solves a task from its expected calls: it proves tasks solvable before they are used, and it is the teacher of imitation. Sees what no policy may see. */
import type { Verdict } from '../../protocol/outcome.ts';
import type { Task } from '../../protocol/task.ts';
import type { ToolCall } from '../../protocol/tool.ts';
import type { AgentTurn, ToolTurn, Turn } from '../../protocol/turn.ts';
import type { World } from '../../protocol/world.ts';
import { canonical } from '../../protocol/json.ts';
import { seedOf } from '../../random.ts';
import { conversationOf, type ToolAnswer, type ToolView } from '../contract.ts';
import { applyPatch, occurrenceKey } from '../state.ts';
import { validateCall } from '../validate.ts';
import { speech } from './lexicon.ts';
import { proceduralJudge } from './judge.ts';
import { solutionOf } from './solution.ts';
import { proceduralTool } from './tool.ts';
import { proceduralUser } from './user.ts';
import type { Simulator } from '../contract.ts';

/** Any player of the agent's part: the next turn from the transcript so far. */
export type Agent = (task: Task, turns: readonly Turn[]) => AgentTurn;

const say = (text: string): AgentTurn => ({ role: 'agent', thought: '', text, calls: [] });

/** The next right turn after `turns`: a question where something is missing, the next expected call (again where the tool was busy), or the closing. */
export const oracle: Agent = (task, turns) => {
  const { closings, asks, results } = solutionOf(task);
  const said = turns.filter((turn): turn is AgentTurn => turn.role === 'agent' && turn.text !== '').map(({ text }) => text);
  const asked = said.some((text) => text.startsWith(speech.ask));
  if (asks !== undefined && !asked) return say(`${speech.ask} ${asks}`);
  const request = said.filter((text) => !text.startsWith(speech.ask)).length;
  const answered = turns.filter((turn): turn is ToolTurn => turn.role === 'tool');
  // Equal expected calls must each be made, so an answer serves one of them only.
  const used = new Set<ToolTurn>();
  for (const [index, { name, arguments: args, turn }] of task.expectedCalls.entries()) {
    if (turn > request) break;
    const key = canonical(args);
    const made = answered.find(
      (result) =>
        !used.has(result) &&
        result.status === results[index]?.status &&
        result.call.name === name &&
        canonical(result.call.arguments) === key,
    );
    if (made === undefined) {
      const thought = task.tools.find((tool) => tool.name === name)?.description ?? '';
      return { role: 'agent', thought, text: '', calls: [{ name, arguments: args }] };
    }
    used.add(made);
  }
  return say(closings[request] ?? speech.done);
};

export interface Played {
  readonly turns: readonly Turn[];
  readonly world: World;
  /** Null when the agent ran out of turns. */
  readonly verdict: Verdict | null;
}

/** Plays one whole episode in this thread, at once: the agent against the procedural user, tools and judge. `isBusy`: calls that meet a transient error beside those the world's rules name. */
export function play(task: Task, agent: Agent, isBusy: (view: ToolView) => boolean = () => false): Played {
  const turns: Turn[] = [{ role: 'user', text: task.query }];
  let world = task.world;
  for (let count = 0; count < task.maxTurns; count++) {
    const turn = agent(task, turns);
    turns.push(turn);
    for (const call of turn.calls) {
      const check = validateCall(task.tools, call);
      if (!check.ok) {
        turns.push({ role: 'tool', call, status: check.status, result: null, patch: [] });
        continue;
      }
      const view = { tool: check.tool, call, world };
      const { status, observation, patch } = isBusy(view) ? busyAnswer(call) : answered(proceduralTool, view);
      turns.push({ role: 'tool', call, status, result: observation, patch });
      world = applyPatch(world, patch);
    }
    if (turn.calls.length > 0) continue;
    const reply = answered(
      proceduralUser,
      { persona: task.persona, intent: task.intent, conversation: conversationOf(turns) },
      seedOf(task.seed, 'user', count),
    );
    if (reply.done) {
      const silent = turns.map((said) => (said.role === 'agent' ? { ...said, thought: '' } : said));
      return { turns, world, verdict: answered(proceduralJudge, { task, turns: silent, world }) };
    }
    turns.push({ role: 'user', text: reply.text });
  }
  return { turns, world, verdict: null };
}

const busyAnswer = (call: ToolCall): ToolAnswer => ({
  status: 'transient',
  observation: null,
  patch: [{ op: 'count', key: occurrenceKey(call) }],
});

function answered<View, Answer>(simulator: Simulator<View, Answer>, view: View, seed = 0): Answer {
  const posed = simulator.pose(view, [], seed);
  if (posed.kind !== 'reply') throw new TypeError(`the procedural ${simulator.role} answers at once`);
  const reading = simulator.read(posed.reply, view);
  if (!reading.ok) throw new TypeError(`the procedural ${simulator.role} said ${reading.complaint}`);
  return reading.answer;
}

/** Is the task solvable, and by its expected calls? Proven by playing it. */
export function rehearse(task: Task): { readonly solved: true } | { readonly solved: false; readonly why: string } {
  const { verdict } = play(task, oracle);
  if (verdict === null) return { solved: false, why: 'the oracle ran out of turns' };
  if (verdict.reward === 1) return { solved: true };
  const failures = [
    ...verdict.gates.filter(({ passed }) => !passed).map(({ name, detail }) => `${name}: ${detail ?? ''}`),
    ...verdict.criteria.filter((criterion) => !criterion.met).map(({ name, evidence }) => `${name}: ${evidence ?? ''}`),
  ];
  return { solved: false, why: failures.join('; ') };
}
