/** An episode as rules read it: each agent turn with what had been said before it, and all results in order. Decides nothing. */
import type { Task } from '../../protocol/task.ts';
import type { AgentTurn, ToolTurn, Turn } from '../../protocol/turn.ts';
import { type Heard, hearing, leavesOf, nothingHeard } from '../hearing.ts';

export interface Scene {
  /** What the tools say of themselves: their agent has read it, so to repeat it is no invention. */
  readonly manual: Heard;
  readonly said: readonly { readonly turn: AgentTurn; readonly heard: Heard }[];
  readonly results: readonly ToolTurn[];
}

export function sceneOf(task: Task, turns: readonly Turn[]): Scene {
  let heard = hearing(nothingHeard, [task.system, task.query]);
  const said: { turn: AgentTurn; heard: Heard }[] = [];
  const results: ToolTurn[] = [];
  for (const turn of turns) {
    if (turn.role === 'agent') said.push({ turn, heard });
    else if (turn.role === 'user') heard = hearing(heard, [turn.text]);
    else {
      results.push(turn);
      heard = hearing(heard, leavesOf(turn.result).map(String));
    }
  }
  return { manual: manualOf(task), said, results };
}

const manualOf = ({ tools }: Task): Heard =>
  hearing(
    nothingHeard,
    tools.flatMap(({ name, description, parameters }) => [name, description, ...leavesOf(parameters).map(String)]),
  );
