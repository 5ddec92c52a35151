/** Calls of every kind on procedural worlds, with what the world's own tools answer: right ones, and wrong ones made of them. For tests of the ledger, which knows no rule. */
import type { JsonObject, JsonValue } from '../../src/protocol/json.ts';
import type { Task } from '../../src/protocol/task.ts';
import type { ToolCall, ToolSpec } from '../../src/protocol/tool.ts';
import type { Patch, World } from '../../src/protocol/world.ts';
import { type Stream, seedOf, stream } from '../../src/random.ts';
import type { ToolAnswer, ToolView } from '../../src/simulation/contract.ts';
import type { ToolDraft } from '../../src/simulation/lm/dialect.ts';
import { applyPatch } from '../../src/simulation/state.ts';
import { proceduralTool, rulesCollection } from '../../src/simulation/procedural/tool.ts';
import { people, things } from '../../src/simulation/procedural/lexicon.ts';
import { validateCall } from '../../src/simulation/validate.ts';

export interface Case {
  readonly view: ToolView;
  readonly right: ToolDraft;
  /** The field of a record that the result is. */
  readonly gives: string;
}

const propertiesOf = ({ parameters }: ToolSpec): [string, JsonObject][] =>
  Object.entries((parameters['properties'] ?? {}) as Record<string, JsonObject>);
const needed = ({ parameters }: ToolSpec): readonly unknown[] => (Array.isArray(parameters['required']) ? parameters['required'] : []);
const recordsOf = (world: World, collection: string): [string, JsonObject][] => Object.entries(world.entities[collection] ?? {});

export const drawArguments = (tool: ToolSpec, draws: Stream): JsonObject =>
  Object.fromEntries(
    propertiesOf(tool).flatMap(([name, schema]) =>
      needed(tool).includes(name) || draws.chance(0.4) ? [[name, anyValue(schema, draws)]] : [],
    ),
  );

function drawCall(tool: ToolSpec, task: Pick<Task, 'expectedCalls'>, world: World, draws: Stream): ToolCall {
  const expected = task.expectedCalls.filter(({ name }) => name === tool.name);
  if (expected.length > 0 && draws.chance(0.4)) {
    const { name, arguments: args } = draws.pick(expected);
    return { name, arguments: args };
  }
  const records = recordsOf(world, tool.category);
  const like = records.length > 0 && draws.chance(0.8) ? draws.pick(records)[1] : {};
  const args: JsonObject = {};
  for (const [name, schema] of propertiesOf(tool)) {
    if (!needed(tool).includes(name) && draws.chance(0.6)) continue;
    const held = like[name];
    args[name] = held !== undefined && typeof held !== 'object' && draws.chance(0.9) ? held : anyValue(schema, draws);
  }
  return { name: tool.name, arguments: args };
}

function anyValue(schema: JsonObject, draws: Stream): JsonValue {
  if (Array.isArray(schema['enum'])) return draws.pick(schema['enum']);
  if (schema['type'] === 'boolean') return draws.chance(0.5);
  if (schema['type'] === 'integer' || schema['type'] === 'number') return 1 + draws.int(20);
  return draws.pick(draws.chance(0.3) ? people : things);
}

const answerOf = (view: ToolView): ToolAnswer => {
  const posed = proceduralTool.pose(view, [], 0);
  if (posed.kind !== 'reply') throw new TypeError('code answers at once');
  const reading = proceduralTool.read(posed.reply, view);
  if (!reading.ok) throw new TypeError(reading.complaint);
  return reading.answer;
};

const without = (patch: Patch): Patch => patch.filter(({ op }) => op !== 'count');

/** A walk through a task's world, each call on what the ones before it left. */
export function walk(task: Pick<Task, 'tools' | 'world' | 'expectedCalls'>, seed: number, steps: number): Case[] {
  let { world } = task;
  const draws = stream(seedOf(seed, 'walk'));
  const cases: Case[] = [];
  for (let step = 0; step < steps; step++) {
    const call = drawCall(draws.pick(task.tools), task, world, draws);
    const check = validateCall(task.tools, call);
    if (!check.ok) continue;
    const view = { tool: check.tool, call, world };
    const { status, observation, patch } = answerOf(view);
    world = applyPatch(world, patch);
    if (status === 'transient') continue;
    const rule = view.world.entities[rulesCollection]?.[call.name];
    const gives = typeof rule?.['gives'] === 'string' ? rule['gives'] : '';
    cases.push({
      view,
      right: { found: status === 'ok', observation: status === 'ok' ? observation : null, patch: without(patch) },
      gives,
    });
  }
  return cases;
}

export interface Wrong {
  readonly kind: 'swapped' | 'invented' | 'denied' | 'claimed' | 'unknownId' | 'changingRead' | 'untraced' | 'astray';
  readonly draft: ToolDraft;
}

/** Answers that a model could give in place of the right one, where the world tells which is right. */
export function wrongs({ view, right, gives }: Case, seed: number): Wrong[] {
  const draws = stream(seedOf(seed, 'wrong'));
  const { tool, call, world } = view;
  const collection = tool.category;
  const records = recordsOf(world, collection);
  const made: Wrong[] = [];
  const type = typeof right.observation;
  const others = records.map(([, record]) => record[gives]).filter((value) => typeof value === type && value !== right.observation);
  if (!right.found) {
    const claims = records.map(([, record]) => record[gives]).filter((value) => value !== undefined && fitsReturn(tool, value));
    if (claims.length > 0 && tool.effects === 'read')
      made.push({ kind: 'claimed', draft: { found: true, observation: draws.pick(claims) as JsonValue, patch: [] } });
    return made;
  }
  const writes = right.patch.length > 0;
  made.push({
    kind: 'unknownId',
    draft: { ...right, patch: [...right.patch, { op: 'merge', collection, id: 'nobody', fields: { ...call.arguments } }] },
  });
  if (isStated({ view, right, gives })) {
    if (others.length > 0 && type !== 'boolean')
      made.push({ kind: 'swapped', draft: { ...right, observation: draws.pick(others) as JsonValue } });
    if (type === 'string') made.push({ kind: 'invented', draft: { ...right, observation: `q${draws.int(1e9).toString(36)}` } });
    if (type === 'number') made.push({ kind: 'invented', draft: { ...right, observation: 21 + draws.int(1e6) } });
  }
  const [operation] = right.patch;
  if (!writes && records.length > 0) {
    const [id] = draws.pick(records);
    const change = draws.chance(0.5)
      ? { op: 'delete' as const, collection, id }
      : { op: 'put' as const, collection, id, record: { [gives]: right.observation } };
    made.push({ kind: 'changingRead', draft: { ...right, patch: [change] } });
    if (Object.keys(call.arguments).length > 0) made.push({ kind: 'denied', draft: { found: false, observation: null, patch: [] } });
  }
  if (writes && Object.keys(call.arguments).length > 0) {
    if (operation?.op === 'put')
      made.push({ kind: 'untraced', draft: { ...right, patch: [{ ...operation, record: { [gives]: right.observation } }] } });
    if (operation?.op === 'merge' || operation?.op === 'delete') {
      const target = world.entities[collection]?.[operation.id] ?? {};
      const keys = (world.entities[rulesCollection]?.[call.name]?.['keys'] ?? []) as string[];
      // A record that answers to the same keys is no stranger: the world does not say which of them is meant.
      const strangers = records.filter(([, record]) => keys.some((key) => record[key] !== target[key]));
      if (strangers.length > 0) made.push({ kind: 'astray', draft: { ...right, patch: [{ ...operation, id: draws.pick(strangers)[0] }] } });
      made.push({ kind: 'denied', draft: { found: false, observation: null, patch: [] } });
    }
  }
  return made;
}

const fitsReturn = (tool: ToolSpec, value: JsonValue): boolean => {
  const wanted = tool.returns?.['type'];
  return wanted === 'integer' || wanted === 'number' ? typeof value === 'number' : typeof value === wanted;
};

/** Does a record, before or after, say the result in so many words? */
export function isStated({ view, right, gives }: Case): boolean {
  const after = applyPatch(view.world, right.patch);
  return [view.world, after].some(({ entities }) =>
    Object.values(entities[view.tool.category] ?? {}).some((record) => record[gives] === right.observation),
  );
}
