/** Where a value could have come from: what the system prompt, the user and earlier results said. Knows words only. */
import type { JsonValue } from '../../protocol/json.ts';
import type { Task } from '../../protocol/task.ts';

/** Text heard so far, padded with blanks so that whole words match. */
export type Heard = string;

export const heardBefore = (task: Task): Heard => ` ${task.system} | ${task.query} `;
export const hear = (heard: Heard, text: string): Heard => (text === '' ? heard : `${heard}| ${text} `);

/** A scalar as words; null for what no request can say. */
const spoken = (value: JsonValue | undefined): string | null =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;

/** A result as words: of a list or an object every scalar in it, each by itself. */
export function heardOf(result: JsonValue): string {
  if (result === null) return '';
  return typeof result === 'object'
    ? Object.values(result)
        .map(heardOf)
        .filter((words) => words !== '')
        .join(' | ')
    : String(result);
}

/** Was this value said, word for word? */
export function isGrounded(heard: Heard, value: JsonValue | undefined): boolean {
  const words = spoken(value);
  return words !== null && words !== '' && heard.includes(` ${words} `);
}
