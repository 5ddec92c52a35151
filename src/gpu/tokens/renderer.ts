/** Turns messages into ids and sampled ids back into a turn. The agent's worker owns one; the broker sees ids only. */
import type { Task } from '../../protocol/task.ts';
import type { AgentTurn, ToolTurn, Turn, UserTurn } from '../../protocol/turn.ts';

export interface Renderer {
  readonly name: string;
  /** Token ids that end an agent turn when sampled. */
  readonly stop: readonly number[];
  /** Later prompts only ever append (rule L1). False: `extend` gives null, and every later turn begins a new trace with `reopen`. */
  readonly appends: boolean;
  /** The first prompt: system, tools, first user turn, and the agent's header. Nothing rendered later changes it (rule L1). */
  open(task: Task): Int32Array;
  /**
   * What follows a sampled agent turn: closing separators (part of the observation, rule L2), the new environment turns, the agent's header.
   * `stopped` tells whether the sampled turn ended with its stop token. If not, a template that cannot do without it gets one here: read by the policy,
   * never counted as sampled. null: the template does not append these turns; the trace ends, and `reopen` begins the next.
   */
  extend(turns: readonly (UserTurn | ToolTurn)[], stopped: boolean): Int32Array | null;
  /** The whole prompt again after `turns` (all since the task's query), as the template writes it now. The agent's turns are rendered from their reading, so they are not trained in this trace. */
  reopen(task: Task, turns: readonly Turn[]): Int32Array;
  /** Reads a sampled turn. Text that looks like a call and is not one is `malformed`: data, not an error. */
  parse(ids: Int32Array, task: Task): AgentTurn;
  /** The ids a teacher would sample for this turn, stop token included: the inverse of `parse`, used by imitation only. Throws RangeError for a turn the template has no place for. */
  write(turn: AgentTurn, task: Task): Int32Array;
  /** For people: the text of the ids. */
  text(ids: Int32Array): string;
}
