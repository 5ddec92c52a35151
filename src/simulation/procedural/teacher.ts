/** The teacher of the supervised stage: right episodes of the oracle, and lessons in getting over a slip. Sees what no policy may see. */
import type { Aspects, Task } from '../../protocol/task.ts';
import type { AgentTurn, Turn } from '../../protocol/turn.ts';
import { type Seed, stream } from '../../random.ts';
import type { TaskView } from '../contract.ts';
import type { Drill } from './sheet.ts';
import { people, things } from './lexicon.ts';
import { type Agent, oracle, play } from './oracle.ts';
import { agentHeader, agentWords, heardWords, toolWords, turnWords } from './phrase.ts';
import { type WorldMix, defaultMix } from './plan.ts';
import { writeTask } from './task.ts';

/** The whole right episode, the task's query first. */
export const teacherEpisode = (task: Task, isBusy?: Parameters<typeof play>[2]): Turn[] => [...play(task, oracle, isBusy).turns];

/** The aspects with that many calls and at least as many tools: chains at any difficulty, which the curriculum alone shows too rarely to be learnt. */
export function withCalls(aspects: Aspects, calls: 1 | 2 | 3): Aspects {
  const atLeast = ({ bound, value }: Aspects['tools']): Aspects['tools'] => ({
    bound: Math.max(bound, calls),
    value: Math.max(value, calls),
  });
  return { ...aspects, tools: atLeast(aspects.tools), calls: { bound: Math.max(aspects.calls.bound, calls), value: calls } };
}

const onlyCalls: WorldMix['branches'] = { call: 1, ask: 0, answer: 0, none: 0 };

/** A task of the branch `call`, or `ask`, with as many calls as the view's aspects say, and many arguments from earlier results. Draw the view with `withCalls`. */
export const chainTask = (view: TaskView, mix: WorldMix = defaultMix, branch: 'call' | 'ask' = 'call'): Task =>
  writeTask(view, {
    ...mix,
    branches: { call: 0, ask: 0, answer: 0, none: 0, [branch]: 1 },
    vague: 0,
    dependent: Math.max(0.6, mix.dependent),
  });

/**
 * An episode in which the agent slips once and the tool says so, as words: what follows the slip is trained, the slip itself is only read.
 * Slips: a required argument left out (`invalid`), a value nobody said (`missing`); busy tools are frequent here.
 */
export function recoveryDrill(view: TaskView, seed: Seed, mix: WorldMix = defaultMix): Drill {
  const task = writeTask(view, { ...mix, branches: onlyCalls, vague: 0, transient: 0.4 });
  const draws = stream(seed);
  const slips = new Set<AgentTurn>();
  const agent: Agent = (played, turns) => {
    const right = oracle(played, turns);
    const [call] = right.calls;
    const names = call === undefined ? [] : Object.keys(call.arguments);
    if (call === undefined || names.length === 0 || slips.size > 0 || draws.chance(0.3)) return right;
    const tool = task.tools.find(({ name }) => name === call.name);
    const required = tool?.parameters['required'] as string[];
    const name = draws.pick(required.length > 0 ? required : names);
    const value = call.arguments[name];
    const reads = tool?.effects === 'read';
    // A wrong value must not change the world: only a look-up may slip that way.
    const { [name]: _, ...rest } = call.arguments;
    const args =
      reads && typeof value === 'string' && draws.chance(0.5)
        ? { ...call.arguments, [name]: draws.pick(draws.chance(0.5) ? things : people) }
        : rest;
    const slip: AgentTurn = { ...right, calls: [{ name: call.name, arguments: args }] };
    slips.add(slip);
    return slip;
  };
  return drillOf(task, play(task, agent).turns, slips);
}

/** A played episode as words; the agent's turns are trained but for `untrained`. */
function drillOf(task: Task, turns: readonly Turn[], untrained: ReadonlySet<AgentTurn>): Drill {
  const words: string[] = [];
  const trained: boolean[] = [];
  const put = (said: readonly string[], train: boolean): void => {
    for (const word of said) {
      words.push(word);
      trained.push(train);
    }
  };
  put(turnWords('system', [...task.system.split(' '), ...task.tools.flatMap(toolWords)]), false);
  for (const turn of turns) {
    if (turn.role !== 'agent') put(heardWords(turn), false);
    else {
      put(agentHeader, false);
      put(agentWords(turn), !untrained.has(turn));
    }
  }
  return { words, trained };
}
