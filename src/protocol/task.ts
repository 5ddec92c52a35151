/** A task and the difficulty it was drawn at. Source: TRUSTEE (arXiv 2604.17739): T = (persona, intent, query, expected calls). */
import { z } from 'zod';
import { TaskId } from './ids.ts';
import { JsonObject, JsonValue } from './json.ts';
import { ToolSpec } from './tool.ts';
import { ToolStatus } from './turn.ts';
import { Patch, World } from './world.ts';

/** 1 (easy) .. 100 (hard). */
export const Difficulty = z.number().min(1).max(100);
export type Difficulty = z.infer<typeof Difficulty>;

/** The hardest an aspect may be at this difficulty, and what was drawn for this task (soft curriculum: value ≤ bound). */
const aspect = (min: number, max: number) => z.strictObject({ bound: z.int().min(min).max(max), value: z.int().min(min).max(max) });

/** The seven aspects TRUSTEE moves with difficulty, in the paper's order. */
export const Aspects = z.strictObject({
  /** Tools available to the agent, 1..10. */
  tools: aspect(1, 10),
  /** Expected tool calls, 1..3. */
  calls: aspect(1, 3),
  /** Expected user turns, 1..2. */
  turns: aspect(1, 2),
  /** System prompt: 0 detailed, 1 short, 2 generic. */
  system: aspect(0, 2),
  /** Persona: 0 expert, 1 beginner, 2 novice. */
  persona: aspect(0, 2),
  /** Query: 0 clear, 1 somewhat ambiguous, 2 highly ambiguous. */
  query: aspect(0, 2),
  /** Criteria required for full reward beyond the intent: 0 none, then tools, no hallucination, no redundancy, efficiency. */
  criteria: aspect(0, 4),
});
export type Aspects = z.infer<typeof Aspects>;
export type AspectName = keyof Aspects;

/** What a good agent does first: DEER's decision branches. */
export const Branch = z.enum(['call', 'ask', 'answer', 'none']);
export type Branch = z.infer<typeof Branch>;

/** In the order in which difficulty makes them required. */
export const CriterionName = z.enum(['intent', 'tools', 'grounded', 'concise', 'efficient']);
export type CriterionName = z.infer<typeof CriterionName>;

/** A call the solution needs. `needs` lists the earlier expected calls (indices) whose results its arguments come from. */
export const ExpectedCall = z.strictObject({
  name: z.string(),
  arguments: JsonObject,
  needs: z.array(z.int().min(0)),
  /** The user turn (0-based) that asks for it. */
  turn: z.int().min(0),
});
export type ExpectedCall = z.infer<typeof ExpectedCall>;

/** What the user wants and knows. Only the user (and the judge) may see it. */
export const Intent = z.strictObject({
  summary: z.string(),
  /** What the user says, one text per expected user turn; the first is the task's query. */
  requests: z.array(z.string()).min(1),
  /** What the user can answer when asked: slot (the word a question names it by) → the answer. */
  facts: z.record(z.string(), z.string()),
});
export type Intent = z.infer<typeof Intent>;

export const Task = z.strictObject({
  id: TaskId,
  split: z.enum(['train', 'heldOut']),
  difficulty: Difficulty,
  aspects: Aspects,
  branch: Branch,
  /** What the agent may call, names as the agent sees them. */
  tools: z.array(ToolSpec).min(1),
  /** The system prompt's own words, without the tool list (the renderer adds that). */
  system: z.string(),
  persona: z.string(),
  intent: Intent,
  query: z.string(),
  /** Empty for the branches `answer` and `none`. */
  expectedCalls: z.array(ExpectedCall),
  /** What each expected call was answered when the task was rehearsed, in their order; the group's tools answer them so. Absent where the world's own rules say it. */
  rehearsal: z.array(z.strictObject({ status: ToolStatus, result: JsonValue, patch: Patch })).optional(),
  /** The text a right answer must contain, where the branch is `answer`. */
  expectedAnswer: z.string().optional(),
  /** The world before the first turn, the same for every member of the group. */
  world: World,
  /** Criteria that must be met for reward 1; `intent` is always among them. */
  criteria: z.array(CriterionName).min(1),
  /** Agent turns after which the episode is truncated (by the policy). */
  maxTurns: z.int().positive(),
  seed: z.int().min(0),
});
export type Task = z.infer<typeof Task>;
