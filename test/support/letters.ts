/** A renderer whose tokens are letters and whose turns are JSON: exact both ways, so that a test can say what the policy answers as a turn. */
import type { Renderer } from '../../src/gpu/tokens/renderer.ts';
import type { Task } from '../../src/protocol/task.ts';
import type { AgentTurn } from '../../src/protocol/turn.ts';

export const STOP = 0;

export const letters = (text: string): Int32Array => Int32Array.from(text, (letter) => letter.codePointAt(0) as number);
export const textOf = (ids: Int32Array): string => String.fromCodePoint(...[...ids].filter((id) => id !== STOP));

export const lettersRenderer: Renderer = {
  name: 'letters',
  stop: [STOP],
  appends: true,
  open: (task: Task) => letters(`${task.system}|${task.query}>`),
  extend: (turns, stopped) =>
    letters(`${stopped ? '' : '…'}${turns.map((turn) => (turn.role === 'user' ? turn.text : JSON.stringify(turn.result))).join('|')}>`),
  reopen: (task, turns) => letters(`${task.system}|${task.query}>${turns.map((turn) => JSON.stringify(turn)).join('|')}>`),
  parse: (ids) => {
    const text = textOf(ids);
    if (!text.startsWith('{')) return { role: 'agent', thought: '', text, calls: [] };
    try {
      return { role: 'agent', thought: '', text: '', calls: [], ...(JSON.parse(text) as Partial<AgentTurn>) };
    } catch {
      return { role: 'agent', thought: '', text: '', calls: [], malformed: { raw: text, reason: 'not a call' } };
    }
  },
  write: (turn) => Int32Array.from([...letters(JSON.stringify({ thought: turn.thought, text: turn.text, calls: turn.calls })), STOP]),
  text: textOf,
};
