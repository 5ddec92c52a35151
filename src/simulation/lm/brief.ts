/** What a task writer is asked for beyond its view: the branch, and how many calls and requests it comes to. Drawn and counted by code; knows no wording. */
import type { Branch } from '../../protocol/task.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import { seedOf, stream } from '../../random.ts';
import { isRecord } from '../../tools/schema.ts';
import type { TaskView } from '../contract.ts';
import type { TaskBrief } from './dialect.ts';

/** Below this D every task is a plain call, as in the procedural world. */
const plainBelow = 8;

/** The same view always gets the same branch. `ask` is possible only where a tool requires something that can be left out. */
export function branchOf({ seed, difficulty, tools }: TaskView, shares: Readonly<Record<Branch, number>>): Branch {
  if (difficulty < plainBelow) return 'call';
  let at = stream(seedOf(seed, 'branch')).next() * (shares.call + shares.ask + shares.answer + shares.none);
  const branch = (['ask', 'answer', 'none'] as const).find((name) => (at -= shares[name]) < 0) ?? 'call';
  return branch === 'ask' && !tools.some((tool) => requiredOf(tool).length > 0) ? 'call' : branch;
}

/** How many a right task has: nothing is called where the branch has no calls, and only a plain task of calls goes on for a second request, since whoever is asked back speaks twice anyway. */
export const wantedOf = ({ view, branch }: TaskBrief): { readonly calls: number; readonly requests: number } => ({
  calls: branch === 'call' || branch === 'ask' ? view.aspects.calls.value : 0,
  requests: branch === 'call' ? view.aspects.turns.value : 1,
});

/** Names of the parameters that must be given. */
export function requiredOf({ parameters }: ToolSpec): readonly string[] {
  const { required, properties } = parameters;
  if (!Array.isArray(required) || !isRecord(properties)) return [];
  return required.filter((name): name is string => typeof name === 'string' && Object.hasOwn(properties, name));
}
