/** What the tiny model is shown of playing tools: a call, right or not quite, on records with look-alikes among them, and what a faithful tool does. */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { ToolCall, ToolSpec } from '../../protocol/tool.ts';
import type { World } from '../../protocol/world.ts';
import type { Stream } from '../../random.ts';
import { applyPatch } from '../../simulation/state.ts';
import { keysOf, recordsOf } from '../../simulation/lm/words/records.ts';
import { type Deed, deeds, givesOf, said, spoken } from '../../simulation/lm/words/speech.ts';
import { lmTool } from '../../simulation/lm/tool.ts';
import { words } from '../../simulation/lm/words/words.ts';
import { people, things } from '../../simulation/procedural/lexicon.ts';
import { kindOf } from '../../simulation/procedural/families.ts';
import { numbersWithin } from '../../simulation/procedural/values.ts';
import { type Lesson, readers } from './lesson.ts';
import { ruleOf, type WrittenTask } from './written.ts';

const reader = lmTool(words.tool, readers);

/** One call of the task, in the world that the calls before it lead to. */
export function toolLesson(written: WrittenTask, complaints: readonly string[], draws: Stream): Lesson | undefined {
  const { task } = written;
  if (task.expectedCalls.length === 0) return undefined;
  const index = draws.int(task.expectedCalls.length);
  let world = draws.chance(0.6) ? withLookAlikes(task.world, task.tools, draws) : task.world;
  for (const call of task.expectedCalls.slice(0, index)) world = after(written, call, world, draws);
  const expected = task.expectedCalls[index] as ToolCall;
  const call = draws.chance(0.5) ? expected : slipped(expected, written, draws);
  if (draws.chance(0.1)) world = after(written, call, world, draws);
  const tool = toolOf(written, call);
  const reply = answerTo(written, call, world, draws);
  const view = { tool, call, world };
  return { messages: words.tool.prompt(view, complaints), reply, read: (text) => reader.read(text, view) };
}

const toolOf = ({ task }: WrittenTask, { name }: ToolCall): ToolSpec => task.tools.find((tool) => tool.name === name) as ToolSpec;
const deedOf = ({ source }: WrittenTask, { name }: ToolCall): Deed => ruleOf(source, name).deed;

/** What a faithful tool answers: from the first record the call is about; of its own where there is a record and nobody wrote the value. */
function answerTo(written: WrittenTask, call: ToolCall, world: World, draws: Stream): string {
  const tool = toolOf(written, call);
  const deed = deedOf(written, call);
  const keys = keysOf(deed, tool, call.arguments);
  const gives = givesOf(tool);
  const names = Object.keys(tool.parameters['properties'] as JsonObject);
  const about = recordsOf(world, tool).filter(({ record }) =>
    deed === 'create'
      ? record[gives] !== undefined && names.every((name) => record[name] === undefined)
      : keys.every((name) => record[name] === call.arguments[name]),
  );
  const holder = about.find(({ record }) => record[gives] !== undefined);
  if (holder === undefined && about.length === 0 && deed !== 'create') return said.missing;
  return `${deeds[deed]} ${spoken(holder?.record[gives] ?? madeUp(tool, draws))}`;
}

function after(written: WrittenTask, call: ToolCall, world: World, draws: Stream): World {
  const view = { tool: toolOf(written, call), call, world };
  const reading = words.tool.read(answerTo(written, call, world, draws), view);
  return reading.ok && reading.answer.found ? applyPatch(world, reading.answer.patch) : world;
}

/** A value of the kind the tool gives. */
function madeUp(tool: ToolSpec, draws: Stream): JsonValue {
  const { type, enum: values } = tool.returns ?? {};
  if (Array.isArray(values) && values.length > 0) return draws.pick(values);
  if (type === 'integer' || type === 'number') return draws.pick(numbersWithin({ kind: 'number' }));
  if (type === 'boolean') return draws.chance(0.5);
  return draws.pick(kindOf(givesOf(tool)) === 'person' ? people : things);
}

/** Beside some records one that differs in a single field, before or after it, and gives something else. */
function withLookAlikes(world: World, tools: readonly ToolSpec[], draws: Stream): World {
  const entities = Object.fromEntries(
    Object.entries(world.entities).map(([collection, records]) => {
      const entries = Object.entries(records).flatMap(([id, record], index) => {
        const names = Object.keys(record);
        const gives = names.at(-1) as string;
        const tool = tools.find((each) => each.category === collection && givesOf(each) === gives);
        if (tool === undefined || names.length < 2 || draws.chance(0.4)) return [[id, record] as const];
        const name = draws.pick(names.slice(0, -1));
        const other = otherValue(record[name] as JsonValue, tool, name, draws);
        const alike = [`d${index + 1}`, { ...record, [name]: other, [gives]: madeUp(tool, draws) }] as const;
        return draws.chance(0.5) ? [alike, [id, record] as const] : [[id, record] as const, alike];
      });
      return [collection, Object.fromEntries(entries)];
    }),
  );
  return { ...world, entities };
}

/** A call as a careless agent makes it: an argument left out, another value, a call of another tool. Always one its schema allows. */
function slipped(call: ToolCall, written: WrittenTask, draws: Stream): ToolCall {
  const tool = toolOf(written, call);
  const names = Object.keys(call.arguments);
  const required = new Set(tool.parameters['required'] as string[]);
  const optional = names.filter((name) => !required.has(name));
  const at = draws.next();
  if (at < 0.3 && optional.length > 0) {
    const { [draws.pick(optional)]: _, ...rest } = call.arguments;
    return { name: call.name, arguments: rest };
  }
  if (at < 0.75 && names.length > 0) {
    const name = draws.pick(names);
    return { name: call.name, arguments: { ...call.arguments, [name]: otherValue(call.arguments[name] as JsonValue, tool, name, draws) } };
  }
  const other = draws.pick(written.task.tools);
  const heard = Object.values(call.arguments).filter((value) => typeof value === 'string');
  const args = (other.parameters['required'] as string[]).map((name): [string, JsonValue] => {
    const fresh = otherValue('', other, name, draws);
    return [name, typeof fresh === 'string' && !isChoice(other, name) && heard.length > 0 && draws.chance(0.5) ? draws.pick(heard) : fresh];
  });
  return { name: other.name, arguments: Object.fromEntries(args) };
}

const schemaOf = (tool: ToolSpec, name: string): JsonObject => ((tool.parameters['properties'] as JsonObject)[name] ?? {}) as JsonObject;
const isChoice = (tool: ToolSpec, name: string): boolean => Array.isArray(schemaOf(tool, name)['enum']);

function otherValue(value: JsonValue, tool: ToolSpec, name: string, draws: Stream): JsonValue {
  const { type, enum: values } = schemaOf(tool, name);
  const pool: readonly JsonValue[] = Array.isArray(values)
    ? values
    : type === 'integer' || type === 'number'
      ? numbersWithin({ kind: 'number' })
      : type === 'boolean'
        ? [true, false]
        : kindOf(name) === 'person'
          ? people
          : things;
  const others = pool.filter((other) => other !== value);
  return draws.pick(others.length > 0 ? others : pool);
}
