/**
 * Our own prompts read back: which role is asked, and what it was shown. For whoever plays a role without a language model (the fake server), and for tests that nothing shown gets
 * lost or added. It trusts nobody: a page that is none of ours, or whose data has another shape, is no prompt.
 */
import type { ChatMessage } from '../../../protocol/inference.ts';
import type { TaskId } from '../../../protocol/ids.ts';
import type { JsonObject, JsonValue } from '../../../protocol/json.ts';
import { Aspects, CriterionName, Difficulty, ExpectedCall, Intent, Task } from '../../../protocol/task.ts';
import { ToolCall, ToolSpec } from '../../../protocol/tool.ts';
import { Turn } from '../../../protocol/turn.ts';
import { World } from '../../../protocol/world.ts';
import { isRecord } from '../../../tools/schema.ts';
import type { TaskView, ToolView, UserView } from '../../contract.ts';
import type { JudgeQuestion } from '../dialect.ts';
import { judgeSystem } from './judge.ts';
import { pageIn } from './page.ts';
import { taskSystem } from './task.ts';
import { toolSystem } from './tool.ts';
import { userSystem } from './user.ts';

/** What the writer is shown of a view: no name, no seed. */
export type ShownBrief = Pick<TaskView, 'split' | 'difficulty' | 'aspects' | 'tools'> & { readonly branch: Task['branch'] };

type Shown =
  | { readonly role: 'task'; readonly brief: ShownBrief }
  | { readonly role: 'user'; readonly view: UserView }
  | { readonly role: 'tool'; readonly view: ToolView }
  /** What the judge is not shown has neutral values: the task's name, split, difficulty, aspects, turns and seed, the parameters of its tools, the agent's thoughts. */
  | { readonly role: 'judge'; readonly question: JudgeQuestion };

/** `complaints`: how many answers to this question were refused before. */
export type AskedRole = Shown & { readonly complaints: number };

/** Undefined where the messages are no prompt of ours. */
export function readPrompt(messages: readonly ChatMessage[]): AskedRole | undefined {
  const page = pageIn(messages);
  if (page === undefined) return undefined;
  const shown = shownOn(page.system, page.data);
  return shown === undefined ? undefined : { ...shown, complaints: page.complaints };
}

function shownOn(system: string, data: JsonObject): Shown | undefined {
  try {
    switch (system) {
      case taskSystem:
        return { role: 'task', brief: briefOf(data) };
      case userSystem:
        return { role: 'user', view: userViewOf(data) };
      case toolSystem:
        return { role: 'tool', view: toolViewOf(data) };
      case judgeSystem:
        return { role: 'judge', question: questionOf(data) };
      default:
        return undefined;
    }
  } catch {
    // The protocol's schemas say what is wrong by throwing; a page of another shape is simply not ours.
    return undefined;
  }
}

const briefOf = (data: JsonObject): ShownBrief => ({
  branch: Task.shape.branch.parse(data['branch']),
  split: Task.shape.split.parse(data['split']),
  difficulty: Difficulty.parse(data['difficulty']),
  aspects: Aspects.parse(data['aspects']),
  tools: ToolSpec.array().parse(data['tools']),
});

const userViewOf = (data: JsonObject): UserView => ({
  persona: Task.shape.persona.parse(data['persona']),
  intent: Intent.parse(data['intent']),
  conversation: listOf(data['conversation']).map((said) => ({
    role: said['role'] === 'agent' ? 'agent' : 'user',
    text: Task.shape.query.parse(said['text']),
  })),
});

function toolViewOf(data: JsonObject): ToolView {
  const view = {
    tool: ToolSpec.parse(data['tool']),
    call: ToolCall.parse(data['call']),
    world: World.parse({ entities: data['world'], occurrences: data['occurrences'] ?? {} }),
  };
  const { peek } = data;
  if (!isRecord(peek)) return view;
  return { ...view, peek: { intent: Intent.parse(peek['intent']), expectedCalls: ExpectedCall.array().parse(peek['expectedCalls']) } };
}

const easiest = { bound: 0, value: 0 };
const one = { bound: 1, value: 1 };
const untold = {
  id: 'untold' as TaskId,
  split: 'train',
  difficulty: 1,
  aspects: { tools: one, calls: one, turns: one, system: easiest, persona: easiest, query: easiest, criteria: easiest },
  maxTurns: 1,
  seed: 0,
} as const;

function questionOf(data: JsonObject): JudgeQuestion {
  const told = recordOf(data['task']);
  const tools = listOf(told['tools']).map((tool) => ({ ...tool, parameters: { type: 'object' }, category: '', source: '' }));
  const before = World.parse(data['worldBefore']);
  const { entities: changes, occurrences } = recordOf(data['worldAfter']);
  const entities: { [collection: string]: JsonValue } = { ...before.entities, ...recordOf(changes) };
  for (const [name, records] of Object.entries(entities)) if (records === null) delete entities[name];
  return {
    criteria: CriterionName.array().parse(data['asked']),
    view: {
      task: Task.parse({ ...told, ...untold, tools, world: before }),
      turns: listOf(data['events']).map(turnOf),
      world: World.parse({ entities, occurrences }),
    },
  };
}

function turnOf(said: JsonObject): Turn {
  const turn: JsonObject = said['role'] === 'agent' ? { ...said, thought: '' } : { ...said };
  delete turn['event'];
  return Turn.parse(turn);
}

function recordOf(value: JsonValue | undefined): JsonObject {
  if (!isRecord(value)) throw new TypeError('no object');
  return value;
}

const listOf = (value: JsonValue | undefined): JsonObject[] => {
  if (!Array.isArray(value)) throw new TypeError('no list');
  return value.map(recordOf);
};
