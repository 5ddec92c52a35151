/** Which of the calls that were made are the ones a task expects, and what the world would be had only those been made. Knows no tool and reads no text. */
import { canonical, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import type { ExpectedCall, Task } from '../../protocol/task.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import type { ToolTurn } from '../../protocol/turn.ts';
import type { World } from '../../protocol/world.ts';
import { applyPatch, complaintsAbout, occurrenceKey } from '../state.ts';

export interface Matching {
  /** One per expected call: the index among the results that made it, or -1. */
  readonly made: readonly number[];
}

/**
 * Makes each expected call by the earliest result that fits, after those it needs. It fits with equal arguments; or, where the rehearsal tells what came of the expected call, with the same
 * arguments but for letter case and defaults, or with the same result. That two changes are answered alike ("cancelled") does not make them one: such a call must hold all that is
 * expected of it, or change the same. A look-up that was to find nothing proves nothing unless it looked for the right thing. One result serves one expected call, but that an equal
 * look-up need not be made twice.
 */
export function matched(task: Task, results: readonly ToolTurn[]): Matching {
  const taken = new Set<number>();
  const made: number[] = [];
  for (const [index, expected] of task.expectedCalls.entries()) {
    const rehearsed = task.rehearsal?.[index];
    const key = occurrenceKey(expected);
    const tool = task.tools.find(({ name }) => name === expected.name);
    const reads = tool?.effects === 'read';
    const needed = expected.needs.map((need) => made[need] ?? -1);
    const after = needed.includes(-1) ? Infinity : Math.max(-1, ...needed);
    const free = results.flatMap((turn, at) =>
      at > after && turn.call.name === expected.name && (reads || !taken.has(at)) && isAnswer(turn, rehearsed?.status)
        ? [{ turn, at }]
        : [],
    );
    const hit =
      free.find(({ turn }) => occurrenceKey(turn.call) === key) ??
      (rehearsed === undefined ? undefined : free.find(({ turn }) => isAlike(turn, expected, rehearsed, tool)));
    made.push(hit?.at ?? -1);
    if (hit !== undefined) taken.add(hit.at);
  }
  return { made };
}

const isAnswer = ({ status }: ToolTurn, rehearsed: ToolTurn['status'] | undefined): boolean =>
  rehearsed === undefined ? status === 'ok' || status === 'notFound' : status === rehearsed;

type Rehearsed = NonNullable<Task['rehearsal']>[number];

function isAlike({ call, result, patch }: ToolTurn, expected: ExpectedCall, rehearsed: Rehearsed, tool: ToolSpec | undefined): boolean {
  const [given, wanted] = [plainly(call.arguments, tool), plainly(expected.arguments, tool)];
  if (canonical(given) === canonical(wanted)) return true;
  if (rehearsed.status !== 'ok' || canonical(result) !== canonical(rehearsed.result)) return false;
  return tool?.effects === 'read' || holdsAll(given, wanted) || canonical(patch) === canonical(rehearsed.patch);
}

const holdsAll = (given: JsonObject, wanted: JsonObject): boolean =>
  Object.entries(wanted).every(([name, value]) => canonical(given[name] ?? null) === canonical(value));

/** Arguments but for letter case, blanks around, and what the tool would have taken anyway. */
function plainly(args: JsonObject, tool: ToolSpec | undefined): JsonObject {
  const properties = asRecord(tool?.parameters['properties']);
  const isPreset = ([name, value]: [string, JsonValue]): boolean => {
    const preset = Object.hasOwn(properties, name) ? asRecord(properties[name])['default'] : undefined;
    return preset !== undefined && canonical(preset) === canonical(value);
  };
  return Object.fromEntries(
    Object.entries(args)
      .filter((entry) => !isPreset(entry))
      .map(([name, value]) => [name, lowered(value)]),
  );
}

const asRecord = (value: JsonValue | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};

function lowered(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value.trim().toLowerCase();
  if (Array.isArray(value)) return value.map(lowered);
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, lowered(part)]))
    : value;
}

/** What a call changed by itself. A look-up may write down what nobody had written, for all to find again: that is the world's doing, and nobody asked for it. */
export const changes = ({ tools }: Task, { call, patch }: ToolTurn): boolean =>
  patch.some(({ op }) => op !== 'count') && tools.find(({ name }) => name === call.name)?.effects !== 'read';

/** A result that changed the world beyond what the expected calls did; undefined where the world is what they and the look-ups alone make of it. */
export function sideEffect(task: Task, results: readonly ToolTurn[], { made }: Matching, world: World): ToolTurn | undefined {
  const extra = results.filter((turn, at) => !made.includes(at) && changes(task, turn));
  const [first] = extra;
  if (first === undefined) return undefined;
  let alone = task.world;
  for (const turn of results) {
    if (extra.includes(turn)) continue;
    if (complaintsAbout(alone, turn.patch).length > 0) return first;
    alone = applyPatch(alone, turn.patch);
  }
  return canonical(alone.entities) === canonical(world.entities) ? undefined : first;
}
