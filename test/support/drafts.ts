/** Procedural tasks as a writer in words would have written them: the truth, for tests of what checks such writing. */
import type { Branch, Task } from '../../src/protocol/task.ts';
import type { TaskView } from '../../src/simulation/contract.ts';
import type { TaskDraft } from '../../src/simulation/lm/dialect.ts';
import type { LmSettings } from '../../src/simulation/lm/settings.ts';
import { defaultMix } from '../../src/simulation/procedural/plan.ts';
import { writeTask } from '../../src/simulation/procedural/task.ts';
import { viewOf, type ViewWish } from './arbitraries.ts';

export const draftOf = (task: Task): TaskDraft => ({
  system: task.system,
  persona: task.persona,
  intent: task.intent,
  calls: task.expectedCalls.map(({ name, arguments: args, turn }) => ({ name, arguments: args, turn })),
  // Of a plain call the rehearsal shows it.
  ...(task.branch === 'answer' && task.expectedAnswer !== undefined ? { answer: task.expectedAnswer } : {}),
  entities: task.world.entities,
});

/** A task and what its writer was given: the tools under the names the task shows. */
export function sound(wish: ViewWish, mix = defaultMix): { readonly task: Task; readonly view: TaskView } {
  const view = viewOf(wish);
  const task = writeTask(view, mix);
  return { task, view: { ...view, tools: task.tools } };
}

export const only = (branch: Branch): Readonly<Record<Branch, number>> => ({ call: 0, ask: 0, answer: 0, none: 0, [branch]: 1 });

export const lmSettings = (branches: LmSettings['branches'], changes: Partial<LmSettings> = {}): LmSettings => ({
  dialect: 'prose',
  temperature: { task: 1, user: 0.8, tool: 0, judge: 0 },
  maxTokens: { task: 2048, user: 256, tool: 1024, judge: 1024 },
  structured: true,
  worldCharacters: 4096,
  branches,
  gates: true,
  ...changes,
});
