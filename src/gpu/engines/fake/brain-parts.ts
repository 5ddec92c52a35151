/** The four roles played rightly from a prompt alone, by the procedural world: what a good language model would answer. Draws nothing but what the seed says. */
import type { SimulatorRole } from '../../../protocol/outcome.ts';
import type { CriterionName } from '../../../protocol/task.ts';
import type { TaskId } from '../../../protocol/ids.ts';
import type { ToolSpec } from '../../../protocol/tool.ts';
import type { Turn } from '../../../protocol/turn.ts';
import { TaskFault } from '../../../errors.ts';
import type { ToolView, UserAnswer, UserView } from '../../../simulation/contract.ts';
import { examine } from '../../../simulation/verdict/gates.ts';
import type { JudgeDraft, JudgeQuestion, TaskBrief, TaskDraft, ToolDraft } from '../../../simulation/lm/dialect.ts';
import type { AskedRole } from '../../../simulation/lm/prose/reading.ts';
import { prose } from '../../../simulation/lm/prose/prose.ts';
import { behaviourOf } from '../../../simulation/procedural/behaviour.ts';
import { judge } from '../../../simulation/procedural/judge.ts';
import { defaultMix } from '../../../simulation/procedural/plan.ts';
import { act, rulesCollection } from '../../../simulation/procedural/rule.ts';
import { writeTask } from '../../../simulation/procedural/task.ts';
import { proceduralUser } from '../../../simulation/procedural/user.ts';

interface Part<Role extends SimulatorRole, View, Draft> {
  readonly role: Role;
  readonly view: View;
  readonly draft: Draft;
  /** The reply that says a draft. */
  write(this: void, draft: Draft): string;
}
/** A role, what it was shown, its right answer, and how any answer of it is written. */
export type Answered =
  | Part<'task', TaskBrief, TaskDraft>
  | Part<'user', UserView, UserAnswer>
  | Part<'tool', ToolView, ToolDraft>
  | Part<'judge', JudgeQuestion, JudgeDraft>;

/** Undefined where the tools are such that no task can be written about them. */
export function rightAnswer(asked: AskedRole, seed: number): Answered | undefined {
  switch (asked.role) {
    case 'task': {
      const { branch, ...shown } = asked.brief;
      const view = { ...shown, tools: shown.tools.map(interned), id: 'draft' as TaskId, seed };
      const draft = taskDraft({ view, branch });
      return draft === undefined
        ? undefined
        : { role: 'task', view: { view, branch }, draft, write: (said) => prose.task.write(said, { view, branch }) };
    }
    case 'user': {
      const { view } = asked;
      const posed = proceduralUser.pose(view, [], seed);
      const draft = (posed.kind === 'reply' ? posed.reply : { text: '', done: true }) as unknown as UserAnswer;
      return { role: 'user', view, draft, write: (said) => prose.user.write(said, view) };
    }
    case 'tool': {
      const view = { ...asked.view, tool: interned(asked.view.tool) };
      return { role: 'tool', view, draft: toolDraft(view), write: (said) => prose.tool.write(said, view) };
    }
    case 'judge': {
      const { question } = asked;
      return { role: 'judge', view: question, draft: findings(question), write: (said) => prose.judge.write(said, question) };
    }
    default:
      return asked satisfies never;
  }
}

/** What follows from a tool's schemas is worked out once for each tool, however often it is shown. */
const specs = new Map<string, ToolSpec>();
const mostSpecs = 4096;
function interned(tool: ToolSpec): ToolSpec {
  const key = JSON.stringify(tool);
  let known = specs.get(key);
  if (known === undefined) {
    if (specs.size >= mostSpecs) specs.clear();
    specs.set(key, (known = tool));
  }
  return known;
}

const noBranches = { call: 0, ask: 0, answer: 0, none: 0 } as const;

function taskDraft({ view, branch }: TaskBrief): TaskDraft | undefined {
  try {
    const task = writeTask(view, { ...defaultMix, names: 'own', branches: { ...noBranches, [branch]: 1 }, vague: 0 });
    const { system, persona, intent, expectedCalls, expectedAnswer, world } = task;
    return {
      system,
      persona,
      intent,
      calls: expectedCalls.map(({ name, arguments: args, turn }) => ({ name, arguments: args, turn })),
      // Elsewhere an answer follows from what the calls give.
      ...(branch === 'answer' && expectedAnswer !== undefined ? { answer: expectedAnswer } : {}),
      entities: world.entities,
    };
  } catch (error) {
    if (error instanceof TaskFault) return undefined;
    throw error;
  }
}

const nothing: ToolDraft = { found: false, observation: null, patch: [] };

/** Whether a call meets a transient error is never a tool's to say, so a rule's `busy` counts for nothing here. */
function toolDraft({ tool, call, world }: ToolView): ToolDraft {
  const behaviour = behaviourOf(world, tool);
  const done = behaviour === undefined ? undefined : act(behaviour, call, world);
  return done === undefined ? nothing : { found: true, observation: done.result, patch: done.patch };
}

/** By the solution, where the world's rules or a rehearsal tell it; else by what rules of judging alone can see. */
function findings({ view, criteria }: JudgeQuestion): JudgeDraft {
  const { task } = view;
  const isKnown = Object.hasOwn(task.world.entities, rulesCollection) || task.rehearsal !== undefined || task.expectedCalls.length === 0;
  const met = isKnown
    ? new Map(judge(view).criteria.map((criterion) => [criterion.name, criterion.met]))
    : new Map(Object.entries(examine(view).findings).map(([name, finding]) => [name as CriterionName, finding.met]));
  return Object.fromEntries(
    criteria.map((name) => [name, { met: met.get(name) === true, evidence: met.get(name) === true ? evidenceFor(name, view.turns) : '' }]),
  );
}

/** That an intent is met needs a quotation: what the agent said last, else the last call. */
export function evidenceFor(name: CriterionName, turns: readonly Turn[]): string {
  if (name !== 'intent') return '';
  const said = turns.findLast((turn) => turn.role === 'agent' && turn.text !== '');
  if (said?.role === 'agent') return said.text;
  const called = turns.findLast((turn) => turn.role === 'tool');
  return called?.role === 'tool' ? called.call.name : '';
}
