/**
 * What follows an agent's turn by a template nobody of us has read: a short conversation is rendered with a mark in the agent's place, and what stands behind the mark is taken.
 * The conversation is a dummy, so the cost does not grow with the real one; two dummies must agree, or the template looks further back than we may. Knows no ids.
 */
import type { AgentTurn, ToolTurn, Turn, UserTurn } from '../../protocol/turn.ts';
import { PLACE } from './guard.ts';

/** A conversation as text: dummy turns, those of the agent possibly holding `PLACE`, then real ones. `reply`: with the header of the agent's next turn. */
export type Rendered = (dummies: readonly Turn[], turns: readonly (UserTurn | ToolTurn)[], reply: boolean) => string;

/** The text after the marker that ends an agent's turn, and that marker. */
export interface Behind {
  readonly end: string;
  readonly text: string;
}

const agent = (changes: Partial<AgentTurn>): AgentTurn => ({ role: 'agent', thought: '', text: '', calls: [], ...changes });
const user = (text: string): UserTurn => ({ role: 'user', text });
export const probeCall = { name: 'look', arguments: { place: 'here' } };
const result: ToolTurn = { role: 'tool', call: probeCall, status: 'ok', result: { found: 2 }, patch: [] };

/** What an episode's agent may be told between two of its turns. */
export const probes: readonly (readonly (UserTurn | ToolTurn)[])[] = [
  [],
  [user('and then?')],
  [result],
  [result, { ...result, status: 'transient', result: null }],
];

/** Null where the template does not append these turns to what stood before, or closes the agent's turn with none of `ends`. */
export function behind(rendered: Rendered, turns: readonly (UserTurn | ToolTurn)[], ends: readonly string[]): Behind | null {
  const calls = turns.flatMap((turn) => (turn.role === 'tool' ? [{ name: turn.call.name, arguments: { [PLACE]: PLACE } }] : []));
  const said = agent(calls.length === 0 ? { text: PLACE } : { calls });
  const [one, other] = [[], [agent({ text: 'yes' }), user('so?')]].map((earlier) => cut(rendered([...earlier, said], turns, true), ends));
  return one != null && one.end === other?.end && one.text === other.text ? one : null;
}

/** What stands behind the last mark and the first end after it. */
function cut(text: string, ends: readonly string[]): Behind | null {
  const from = text.lastIndexOf(PLACE);
  if (from < 0) return null;
  const found = ends.map((end) => ({ end, at: text.indexOf(end, from) })).filter(({ at }) => at >= 0);
  const first = found.toSorted((a, b) => a.at - b.at)[0];
  return first === undefined ? null : { end: first.end, text: text.slice(first.at + first.end.length) };
}

/** Whether each prompt begins with the one before it and still holds what the agent said and thought in between, in conversations of every kind we have. */
export function isAppendOnly(rendered: Rendered, thoughts: boolean): boolean {
  const thought = thoughts ? 'hm' : '';
  const calling = agent({ thought, calls: [probeCall] });
  const talking = agent({ thought, text: 'fine' });
  const chats: readonly (readonly Turn[])[] = [
    [talking, user('and?'), talking, user('so?'), calling, result],
    [calling, result, calling, result, result, talking, user('and?'), calling, result],
  ];
  return chats.every((turns) => {
    // A prompt ends before each agent turn, and at the end.
    const cuts = turns.flatMap((turn, index) => (turn.role === 'agent' ? [index] : [])).concat(turns.length);
    const prompts = cuts.map((length) => rendered(turns.slice(0, length), [], true));
    return prompts.every(
      (prompt, index) =>
        index === 0 || (prompt.startsWith(prompts[index - 1] as string) && prompt.slice(prompts[index - 1]?.length).includes(thought)),
    );
  });
}
