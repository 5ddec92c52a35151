/**
 * The procedural tool: reads and changes explicit records, the same answer for the same call on the same world. Never sees what the user wants.
 * How each tool behaves is itself part of the world, in the collection `rules`, or follows from its schemas, so any list of tools can be played.
 */
import { SimulatorFault } from '../../errors.ts';
import type { JsonValue } from '../../protocol/json.ts';
import type { ToolAnswer, ToolSimulator, ToolView } from '../contract.ts';
import { occurrenceKey, occurrencesOf } from '../state.ts';
import { complaintAboutResult } from '../validate.ts';
import { behaviourOf } from './behaviour.ts';
import { act } from './rule.ts';

export { type Rule, rulesCollection } from './rule.ts';

export const proceduralTool: ToolSimulator = {
  role: 'tool',
  pose: (view) => ({ kind: 'reply', reply: answer(view) as unknown as JsonValue }),
  read: (reply, { tool }) => {
    const said = reply as unknown as ToolAnswer;
    const complaint = said.status === 'ok' ? complaintAboutResult(tool, said.observation) : undefined;
    return complaint === undefined ? { ok: true, answer: said } : { ok: false, complaint };
  },
};

/** Errors say their status alone: what the agent is told is one word. */
function answer({ tool, call, world }: ToolView): ToolAnswer {
  const behaviour = behaviourOf(world, tool);
  if (behaviour === undefined) throw new SimulatorFault(`the world has no rule for ${tool.name}`);
  if (occurrencesOf(world, call) < behaviour.rule.busy)
    return { status: 'transient', observation: null, patch: [{ op: 'count', key: occurrenceKey(call) }] };
  const done = act(behaviour, call, world);
  return done === undefined
    ? { status: 'notFound', observation: null, patch: [] }
    : { status: 'ok', observation: done.result, patch: done.patch };
}
