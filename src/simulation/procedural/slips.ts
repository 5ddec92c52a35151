/**
 * Agents that slip in known ways, over the oracle: what judges are tried on, since the world's own rules say what each slip costs. Trains nobody.
 * Some slips break rules that code can read; others are made in words alone, and only who reads them can tell.
 */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { Task } from '../../protocol/task.ts';
import type { AgentTurn, Turn } from '../../protocol/turn.ts';
import { type Seed, seedOf, stream, type Stream } from '../../random.ts';
import { people, slots, speech, things } from './lexicon.ts';
import { type Agent, oracle } from './oracle.ts';
import { inWords } from './values.ts';

/** A slip in words leaves all calls as they should be. */
export const wordSlips = ['misclosed', 'invented', 'idle', 'chatty'] as const;
export const callSlips = [
  'stranger',
  'detour',
  'ungrounded',
  'swapped',
  'skipped',
  'broken',
  'mended',
  'repeated',
  'silent',
  'random',
] as const;
export type Slip = (typeof wordSlips)[number] | (typeof callSlips)[number];

const say = (text: string): AgentTurn => ({ role: 'agent', thought: '', text, calls: [] });
const call = (name: string, args: JsonObject): AgentTurn => ({ role: 'agent', thought: '', text: '', calls: [{ name, arguments: args }] });

/** The oracle, but for one slip at a turn that the seed draws (or what comes of it). The same seed always slips the same way. */
export function slipping(slip: Slip, seed: Seed): Agent {
  return (task, turns) => {
    const taken = turns.filter(({ role }) => role === 'agent').length;
    const draws = stream(seedOf(seed, slip));
    const scene: Scene = { task, turns, taken, right: oracle(task, turns), draws, here: stream(seedOf(seed, slip, taken)) };
    return slipsBy[slip](scene) ?? scene.right;
  };
}

interface Scene {
  readonly task: Task;
  readonly turns: readonly Turn[];
  /** Agent turns before this one. */
  readonly taken: number;
  readonly right: AgentTurn;
  /** The same draws at every turn of the episode. */
  readonly draws: Stream;
  /** Draws of this turn alone. */
  readonly here: Stream;
}

const closings: ReadonlySet<string> = new Set([speech.done, speech.missing, speech.none, speech.answer]);
const closes = ({ text }: AgentTurn): boolean => closings.has(text.split(' ', 1)[0] ?? '');

const slipsBy: Readonly<Record<Slip, (scene: Scene) => AgentTurn | undefined>> = {
  /** The last word is another than the right one. */
  misclosed: ({ right, here, task }) => {
    if (!closes(right)) return undefined;
    const others = [speech.done, speech.missing, speech.none, `${speech.answer} ${here.pick(saidWords(task))}`];
    return say(here.pick(others.filter((text) => text !== right.text)));
  },
  /** An answer that nothing said. */
  invented: ({ right, here, task }) => {
    if (!closes(right)) return undefined;
    return say(`${speech.answer} ${unsaid(task, here)}`);
  },
  /** A question whose answer is known, or that nobody asked for. */
  idle: ({ taken, here, task }) => (taken === 0 ? say(`${speech.ask} ${here.pick(askable(task))}`) : undefined),
  /** Words that mean nothing to the user, before anything is done. */
  chatty: ({ taken, here }) => (taken === 0 ? say(here.pick(things)) : undefined),

  stranger: ({ taken, here }) => (taken === 0 ? call(`no${here.int(1000)}`, {}) : undefined),
  /** Another of the task's tools, with what was said. */
  detour: ({ taken, task, here }) => {
    if (taken !== 0) return undefined;
    const expected = new Set(task.expectedCalls.map(({ name }) => name));
    const spare = task.tools.filter(({ name }) => !expected.has(name));
    if (spare.length === 0) return undefined;
    const tool = here.pick(spare);
    const args = saidArguments(task, tool.parameters, here);
    return args === undefined ? undefined : call(tool.name, args);
  },
  ungrounded: ({ taken, right, task, here }) => {
    const [made] = right.calls;
    const name = Object.keys(made?.arguments ?? {}).find((key) => typeof made?.arguments[key] === 'string');
    if (taken !== 0 || made === undefined || name === undefined) return undefined;
    return call(made.name, { ...made.arguments, [name]: unsaid(task, here) });
  },
  /** A value that was said, in the wrong place. */
  swapped: ({ taken, right, task, here }) => {
    const [made] = right.calls;
    const name = Object.keys(made?.arguments ?? {}).find((key) => typeof made?.arguments[key] === 'string');
    if (taken !== 0 || made === undefined || name === undefined) return undefined;
    const others = saidWords(task).filter((word) => word !== made.arguments[name]);
    return others.length === 0 ? undefined : call(made.name, { ...made.arguments, [name]: here.pick(others) });
  },
  /** The last expected call is left out, and claimed. */
  skipped: ({ right, task }) => {
    const [made] = right.calls;
    return made !== undefined && made.name === task.expectedCalls.at(-1)?.name ? say(speech.done) : undefined;
  },
  broken: ({ right, here }) => {
    const [made] = right.calls;
    return made === undefined ? undefined : here.chance(0.5) ? call(made.name, { zzz: 'x' }) : say(speech.done);
  },
  mended: ({ taken, right }) => {
    const [made] = right.calls;
    return taken === 0 && made !== undefined ? call(made.name, { zzz: 'x' }) : undefined;
  },
  /** What was answered last is asked once more. */
  repeated: ({ turns, right, draws }) => {
    const [last, before] = [turns.at(-1), turns.at(-3)];
    if (last?.role !== 'tool' || (before?.role === 'tool' && draws.chance(0.8)) || right.calls.length > 0) return undefined;
    return call(last.call.name, last.call.arguments);
  },
  silent: ({ right }) => (right.calls.length > 0 ? say(speech.done) : undefined),
  random: ({ task, here, right }) => {
    if (here.chance(0.3)) return right;
    if (here.chance(0.4))
      return say(here.pick([speech.done, speech.missing, speech.none, `${speech.answer} ${here.pick(things)}`, here.pick(things)]));
    const tool = here.pick(task.tools);
    const properties = (tool.parameters['properties'] ?? {}) as Record<string, JsonValue>;
    const names = Object.keys(properties).filter(() => here.chance(0.8));
    return call(
      tool.name,
      Object.fromEntries(
        names.map((name) => [name, here.pick<JsonValue>([here.pick(saidWords(task)), 1 + here.int(20), here.chance(0.5)])]),
      ),
    );
  },
};

const values: ReadonlySet<string> = new Set([...things, ...people]);
/** Names of things and people that the task says; the query's first word where it says none. */
function saidWords({ system, query }: Task): string[] {
  const said = `${system} ${query}`.split(' ').filter((word) => values.has(word));
  return said.length > 0 ? said : [query.split(' ', 1)[0] ?? ''];
}

/** A name that neither prompt nor user says. */
function unsaid({ system, intent }: Task, draws: Stream): string {
  const said = new Set([system, ...intent.requests, ...Object.values(intent.facts)].flatMap((text) => text.split(' ')));
  const free = things.filter((word) => !said.has(word));
  return draws.pick(free.length > 0 ? free : things);
}

function askable({ expectedCalls, tools }: Task): string[] {
  const names = expectedCalls.flatMap(({ arguments: args }) => Object.keys(args));
  const spare = tools.flatMap(({ parameters }) => Object.keys((parameters['properties'] ?? {}) as JsonObject));
  const words = [...names, ...spare];
  return words.length > 0 ? words : slots.map(({ word }) => word);
}

/** Arguments made of what the task says; undefined where it says none that fits. */
function saidArguments(task: Task, { properties = {}, required = [] }: JsonObject, draws: Stream): JsonObject | undefined {
  const args: JsonObject = {};
  for (const name of required as string[]) {
    const schema = (properties as Record<string, JsonObject>)[name] ?? {};
    const offered = schema['enum'] as JsonValue[] | undefined;
    const said = `${task.system} ${task.query}`.split(' ');
    const words: JsonValue[] =
      offered !== undefined
        ? offered.filter((value) => said.includes(inWords(value)))
        : schema['type'] === 'string'
          ? saidWords(task)
          : said.filter((word) => /^\d+$/.test(word)).map(Number);
    if (words.length === 0) return undefined;
    args[name] = draws.pick(words);
  }
  return args;
}
