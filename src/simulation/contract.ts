/**
 * What a simulated task writer, user, tool and judge must do. Two implementations stand behind it: `procedural/` (code) and `lm/` (a language model).
 * A simulator never retries, never draws its own seed, never applies a patch: the `ask` machine retries, the caller draws, code applies.
 * Who may see what is the type of the view: the tool never sees intent or expected calls, the user never sees calls, nobody sees the agent's thought.
 */
import type { ChatMessage } from '../protocol/inference.ts';
import type { Defect } from '../protocol/health.ts';
import type { JsonObject, JsonValue } from '../protocol/json.ts';
import type { SimulatorRole, Verdict } from '../protocol/outcome.ts';
import type { Aspects, Difficulty, Intent, Task } from '../protocol/task.ts';
import type { ToolCall, ToolSpec } from '../protocol/tool.ts';
import type { ToolStatus, Turn, UserTurn } from '../protocol/turn.ts';
import type { Patch, World } from '../protocol/world.ts';
import type { TaskId } from '../protocol/ids.ts';
import type { Seed } from '../random.ts';

/** What the simulator wants said: either its reply at once (code), or the prompt a language model must answer. */
export type Posed =
  /** `known`: it is an answer that a model gave before. */
  | { readonly kind: 'reply'; readonly reply: JsonValue; readonly known?: true }
  | {
      readonly kind: 'chat';
      readonly messages: readonly ChatMessage[];
      readonly schema?: JsonObject;
      readonly maxTokens: number;
      readonly temperature: number;
    };

/** A reply that was read and validated by code, or why it was not: the complaint goes into the next attempt's prompt. */
export type Reading<Answer> =
  | { readonly ok: true; readonly answer: Answer }
  /** `defect`: what kind of wrong, for the count; default `malformed`. */
  | { readonly ok: false; readonly complaint: string; readonly defect?: Defect };

export interface Simulator<View, Answer> {
  readonly role: SimulatorRole;
  /** `complaints`: one per unreadable earlier attempt, oldest first. `seed` is fresh for each attempt. */
  pose(view: View, complaints: readonly string[], seed: Seed): Posed;
  /** Parses and validates a reply; a string comes from a language model, anything else from code. */
  read(reply: JsonValue, view: View): Reading<Answer>;
}

export interface TaskView {
  readonly id: TaskId;
  readonly split: Task['split'];
  readonly difficulty: Difficulty;
  readonly aspects: Aspects;
  /** The candidate tools, already sampled at this difficulty (same category first). */
  readonly tools: readonly ToolSpec[];
  readonly seed: Seed;
}

export interface UserView {
  readonly persona: string;
  readonly intent: Intent;
  /** Text only: user turns, and agent turns as what was said. Calls, results and thoughts are stripped. */
  readonly conversation: readonly { readonly role: 'user' | 'agent'; readonly text: string }[];
}
/** `done`: the user has nothing more to ask; `text` is then not shown to the agent. */
export interface UserAnswer {
  readonly text: string;
  readonly done: boolean;
}

export interface ToolView {
  readonly tool: ToolSpec;
  /** Already validated against the tool's parameters by code. */
  readonly call: ToolCall;
  readonly world: World;
  /** Only in the ablation that lets tools see what the user wants, as the paper's do (`simulators.toolSeesIntent`). */
  readonly peek?: { readonly intent: Intent; readonly expectedCalls: Task['expectedCalls'] };
}
/** Errors are decided by code, and `patch` is validated by code before code applies it. */
export interface ToolAnswer {
  readonly status: ToolStatus;
  readonly observation: JsonValue;
  readonly patch: Patch;
}

export interface JudgeView {
  readonly task: Task;
  /** Parsed events as data, thoughts stripped (AgentTurn.thought is ''). */
  readonly turns: readonly Turn[];
  /** The world after the last patch. */
  readonly world: World;
}

/** Episodes of one task, to be judged side by side, in the order in which they are shown. */
export interface PanelView {
  readonly views: readonly JudgeView[];
}

export type TaskWriter = Simulator<TaskView, Task>;
export type UserSimulator = Simulator<UserView, UserAnswer>;
export type ToolSimulator = Simulator<ToolView, ToolAnswer>;
export type JudgeSimulator = Simulator<JudgeView, Verdict>;
/** One verdict for each episode, in the view's order. */
export type PanelSimulator = Simulator<PanelView, readonly Verdict[]>;

/** The cast of one environment. */
export interface Simulators {
  readonly task: TaskWriter;
  readonly user: UserSimulator;
  readonly tool: ToolSimulator;
  readonly judge: JudgeSimulator;
  /** The judge, asked about several episodes at once; absent where nobody can be. */
  readonly panel?: PanelSimulator;
}

/** The conversation as the user may see it. */
export function conversationOf(turns: readonly Turn[]): UserView['conversation'] {
  return turns.flatMap((turn): { role: 'user' | 'agent'; text: string }[] => {
    if (turn.role === 'user') return [{ role: 'user', text: (turn satisfies UserTurn).text }];
    if (turn.role === 'agent' && turn.text !== '') return [{ role: 'agent', text: turn.text }];
    return [];
  });
}
