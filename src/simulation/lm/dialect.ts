/**
 * How the four roles are asked, and how they answer, in writing. Two dialects: `prose/` for models that follow instructions (English around JSON) and `words/` for the tiny
 * model (words of its own vocabulary). A dialect knows form only: whether an answer is right is decided by the role, in code, the same for both.
 */
import type { ChatMessage } from '../../protocol/inference.ts';
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { SimulatorRole } from '../../protocol/outcome.ts';
import type { Branch, CriterionName, Intent } from '../../protocol/task.ts';
import type { ToolCall } from '../../protocol/tool.ts';
import type { Patch, World } from '../../protocol/world.ts';
import type { JudgeView, Reading, TaskView, ToolView, UserAnswer, UserView } from '../contract.ts';

export interface Script<View, Draft> {
  readonly role: SimulatorRole;
  /** Counts up with every change of the wording; it is part of what a run records. */
  readonly version: number;
  /** `complaints`: why earlier attempts were refused, oldest first; a repair prompt ends with the newest. */
  prompt(view: View, complaints: readonly string[]): ChatMessage[];
  /** JSON Schema of the reply, for servers that can constrain to it; undefined where the dialect is no JSON. */
  schema(view: View): JsonObject | undefined;
  /** The draft that a text says. Text from a language model is hostile. */
  read(text: string, view: View): Reading<Draft>;
  /** A right reply as text: the inverse of `read`. Teachers and fakes speak so. */
  write(draft: Draft, view: View): string;
}

/** What the writer is asked for: the branch is drawn by code, in the config's shares. */
export interface TaskBrief {
  readonly view: TaskView;
  readonly branch: Branch;
}
/** What a writer writes of a task; the rest (id, tools, criteria, turns) is code's. */
export interface TaskDraft {
  readonly system: string;
  readonly persona: string;
  readonly intent: Intent;
  readonly calls: readonly (ToolCall & { readonly turn: number })[];
  /** What a right answer must contain, where the branch is `answer`. */
  readonly answer?: string;
  readonly entities: World['entities'];
}

/** A tool's own words: errors are decided by code, but for a look-up that finds nothing. */
export interface ToolDraft {
  readonly found: boolean;
  readonly observation: JsonValue;
  readonly patch: Patch;
}

/** What the judge is asked: only what code cannot decide, and only what this difficulty requires. */
export interface JudgeQuestion {
  readonly view: JudgeView;
  readonly criteria: readonly CriterionName[];
}
export type JudgeDraft = Readonly<Partial<Record<CriterionName, { readonly met: boolean; readonly evidence: string }>>>;

export interface Dialect {
  readonly name: 'prose' | 'words';
  readonly task: Script<TaskBrief, TaskDraft>;
  readonly user: Script<UserView, UserAnswer>;
  readonly tool: Script<ToolView, ToolDraft>;
  readonly judge: Script<JudgeQuestion, JudgeDraft>;
  /** The judge, asked about several episodes of one task side by side; absent where the dialect has no room for it. */
  readonly panel?: Script<readonly JudgeQuestion[], readonly JudgeDraft[]>;
}
