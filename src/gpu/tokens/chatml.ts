/**
 * What follows an agent's turn in the Qwen families, written by hand: quick, and right where the template itself would change the past (it drops earlier thoughts, and
 * puts an empty one into the newest header only). Here nothing is dropped: the policy's context is exactly what it read and said. Knows no ids.
 */
import type { ToolTurn, UserTurn } from '../../protocol/turn.ts';
import { type Guard } from './guard.ts';
import { resultJson } from './messages.ts';

export const families = {
  /** `header`: what the template writes before the agent speaks. */
  qwen3: { header: (thinking: boolean) => `<|im_start|>assistant\n${thinking ? '' : '<think>\n\n</think>\n\n'}` },
  hermes: { header: () => '<|im_start|>assistant\n' },
} as const;
export type FamilyName = keyof typeof families;

export const end = '<|im_end|>';

/** The text after the agent's `<|im_end|>`. Results that come together stand in one user turn, each between its own tags. */
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
