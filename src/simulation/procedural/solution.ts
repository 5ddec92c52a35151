/** What solving a task comes to: the results and the world its expected calls lead to, how each request is closed, and in how few turns. */
import { TaskFault } from '../../errors.ts';
import type { JsonValue } from '../../protocol/json.ts';
import type { Task } from '../../protocol/task.ts';
import type { World } from '../../protocol/world.ts';
import { applyPatch } from '../state.ts';
import { behaviourOf } from './behaviour.ts';
import { heardBefore, isGrounded } from './grounding.ts';
import { speech } from './lexicon.ts';
import { type Behaviour, act, rulesCollection } from './rule.ts';

export interface Solution {
  /** One per expected call. */
  readonly results: readonly { readonly status: 'ok' | 'notFound'; readonly result: JsonValue }[];
  readonly world: World;
  /** What is said when a request is served: one text per request. */
  readonly closings: readonly string[];
  /** The parameter of the first call that only the user can tell; undefined when nothing is missing. */
  readonly asks: string | undefined;
  /** Agent turns of the shortest solution, retries of busy tools included. */
  readonly agentTurns: number;
}

const known = new WeakMap<Task, Solution>();

/** A task's solution; a task that one process plays many times is solved once. */
export function solutionOf(task: Task): Solution {
  let solution = known.get(task);
  if (solution === undefined) {
    solution = solve(task);
    known.set(task, solution);
  }
  return solution;
}

function solve(task: Task): Solution {
  const { results, world, retries } = isRehearsed(task) ? rehearsed(task) : acted(task);
  const closings = task.intent.requests.map((_, turn): string => {
    const last = task.expectedCalls.findLastIndex((call) => call.turn === turn);
    if (last >= 0) return results[last]?.status === 'notFound' ? speech.missing : speech.done;
    const answer = task.expectedAnswer ?? (turn > 0 ? firstScalar(results.at(-1)?.result) : undefined);
    return answer === undefined ? speech.none : `${speech.answer} ${answer}`;
  });
  const asks = task.branch === 'ask' ? missingSlot(task) : undefined;
  const agentTurns = task.expectedCalls.length + retries + closings.length + (asks === undefined ? 0 : 1);
  return { results, world, closings, asks, agentTurns };
}

type Course = Pick<Solution, 'results' | 'world'> & { readonly retries: number };

/** What a task came to when it was rehearsed stands above what its tools' schemas say; the world's own rules stand above both. */
const isRehearsed = ({ rehearsal, expectedCalls, world }: Task): boolean =>
  rehearsal !== undefined && rehearsal.length === expectedCalls.length && !Object.hasOwn(world.entities, rulesCollection);

function rehearsed({ rehearsal = [], world: before }: Task): Course {
  const world = rehearsal.reduce((after, { patch }) => applyPatch(after, patch), before);
  const results = rehearsal.map(({ status, result }) => ({ status: status === 'notFound' ? status : 'ok', result }) as const);
  return { results, world, retries: 0 };
}

function acted(task: Task): Course {
  let world = task.world;
  let retries = 0;
  const results = task.expectedCalls.map((call): Solution['results'][number] => {
    const behaviour = behaviourAt(task, call.name);
    retries += behaviour.rule.busy;
    const done = act(behaviour, call, world);
    if (done === undefined) return { status: 'notFound', result: null };
    world = applyPatch(world, done.patch);
    return { status: 'ok', result: done.result };
  });
  return { results, world, retries };
}

/** What a question about a result is answered by, where the task does not say: the first thing the result says. */
function firstScalar(result: JsonValue | undefined): string | undefined {
  if (result === undefined || result === null) return undefined;
  if (typeof result !== 'object') return String(result);
  for (const part of Object.values(result)) {
    const found = firstScalar(part);
    if (found !== undefined) return found;
  }
  return undefined;
}

function behaviourAt({ id, tools, world }: Task, name: string): Behaviour {
  const tool = tools.find((each) => each.name === name);
  const behaviour = tool === undefined ? undefined : behaviourOf(world, tool);
  if (behaviour === undefined) throw new TaskFault(`task ${id} expects a call of ${name}, of which its world knows nothing`);
  return behaviour;
}

/** The argument of the first call that nothing said so far tells. */
function missingSlot(task: Task): string | undefined {
  const heard = heardBefore(task);
  const [first] = task.expectedCalls;
  return first === undefined ? undefined : Object.keys(first.arguments).find((name) => !isGrounded(heard, first.arguments[name]));
}
