/**
 * What follows an agent's turn in the Qwen families, written by hand: quick, and right where the template itself would change the past (it drops earlier thoughts, and
 * puts an empty one into the newest header only). Here nothing is dropped: the policy's context is exactly what it read and said. Knows no ids.
 */
import type { ToolTurn, UserTurn } from '../../protocol/turn.ts';
import { type Guard } from './guard.ts';
import { resultJson } from './messages.ts';

/** qwen3 knows thoughts, hermes (Qwen2.5) does not. What stands before the agent's words is the template's to say: nothing, an empty thought, or the beginning of one. */
export type FamilyName = 'qwen3' | 'hermes';

export const opening = '<|im_start|>assistant\n';
export const end = '<|im_end|>';

/** The text after the agent's `<|im_end|>`; `header` begins with `opening`. Results that come together stand in one user turn, each between its own tags. */
export function chatmlAfter(turns: readonly (UserTurn | ToolTurn)[], header: string, guard: Guard): string {
  let text = '\n';
  turns.forEach((turn, index) => {
    if (turn.role === 'user') {
      text += `<|im_start|>user\n${guard(turn.text)}${end}\n`;
      return;
    }
    if (turns[index - 1]?.role !== 'tool') text += '<|im_start|>user';
    text += `\n<tool_response>\n${guard(resultJson(turn))}\n</tool_response>`;
    if (turns[index + 1]?.role !== 'tool') text += `${end}\n`;
  });
  return text + header;
}
