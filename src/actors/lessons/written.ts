/** A procedural task as the tiny model would have written it, from which the lessons of writer, user and tools are made. Shows nothing to anybody. */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { Task } from '../../protocol/task.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import type { TaskView } from '../../simulation/contract.ts';
import type { TaskBrief, TaskDraft } from '../../simulation/lm/dialect.ts';
import { recordFor } from '../../simulation/lm/words/records.ts';
import { type Deed, spoken } from '../../simulation/lm/words/speech.ts';
import { words } from '../../simulation/lm/words/words.ts';
import { pointer } from '../../simulation/procedural/lexicon.ts';
import type { WorldMix } from '../../simulation/procedural/plan.ts';
import { type Rule, rulesCollection } from '../../simulation/procedural/rule.ts';
import { solutionOf } from '../../simulation/procedural/solution.ts';
import { writeTask } from '../../simulation/procedural/task.ts';

/** A task as the tiny model would have written it: the draft, the brief it answers, and the task that code makes of it. */
export interface WrittenTask {
  readonly brief: TaskBrief;
  readonly draft: TaskDraft;
  /** The procedural task it was made from, with its rules. */
  readonly source: Task;
  readonly task: Task;
}

/** A procedural task in the writer's own form; undefined for one that this form cannot say. Errors are decided by code there, so none are drawn. */
export function writtenTask(view: TaskView, mix: WorldMix): WrittenTask | undefined {
  const source = writeTask(view, { ...mix, scramble: 0, transient: 0, absent: 0 });
  const brief: TaskBrief = { view: { ...view, tools: source.tools }, branch: source.branch };
  const { results } = solutionOf(source);
  if (results.some(({ status }) => status !== 'ok')) return undefined;
  const deeds = source.expectedCalls.map(({ name }) => ruleOf(source, name).deed);
  const entities: Record<string, Record<string, JsonObject>> = {};
  for (const [index, call] of source.expectedCalls.entries()) {
    const tool = source.tools.find(({ name }) => name === call.name) as ToolSpec;
    const record = recordFor(deeds[index] as Deed, tool, call.arguments, results[index]?.result ?? null);
    (entities[tool.category] ??= {})[`r${index + 1}`] = record;
  }
  const draft: TaskDraft = {
    system: source.system,
    persona: source.persona,
    intent: source.intent,
    calls: source.expectedCalls.map(({ name, turn }, index) => ({ name, arguments: asMentioned(source, index), turn })),
    ...(source.expectedAnswer === undefined ? {} : { answer: source.expectedAnswer }),
    entities,
  };
  const reading = words.task.read(words.task.write(draft, brief), brief);
  if (!reading.ok) return undefined;
  const { answer } = reading;
  // Two calls may name the same parameter, and only one of its values is a fact: such a task could be read otherwise.
  if (JSON.stringify(answer.calls) !== JSON.stringify(draft.calls)) return undefined;
  const task: Task = {
    ...source,
    rehearsal: results.map(({ status, result }) => ({ status, result, patch: [] })),
    world: { entities: answer.entities, occurrences: {} },
  };
  return { brief, draft: answer, source, task };
}

export const ruleOf = (task: Task, name: string): Rule => task.world.entities[rulesCollection]?.[name] as unknown as Rule;

/** The arguments in the order in which the request mentions them, so that a writer can say one after the other; what it does not mention comes last. */
function asMentioned(task: Task, index: number): JsonObject {
  const call = task.expectedCalls[index] as Task['expectedCalls'][number];
  const { results } = solutionOf(task);
  const request = ` ${task.intent.requests[call.turn] ?? ''} `;
  const placeOf = (value: JsonValue): number => {
    const place = request.indexOf(` ${spoken(value)} `);
    if (place >= 0) return place;
    const from = call.needs.find((earlier) => spoken(results[earlier]?.result) === spoken(value));
    if (from === undefined) return Infinity;
    const said = request.indexOf(` ${from === index - 1 ? pointer.it : pointer.first} `);
    return said >= 0 ? said : Infinity;
  };
  const ordered = Object.entries(call.arguments).map(([name, value]) => ({ name, value, place: placeOf(value) }));
  return Object.fromEntries(ordered.sort((a, b) => a.place - b.place).map(({ name, value }) => [name, value]));
}
