/** A turn in one line, however long it is: what was said, called or answered, cut short. */
import type { JsonValue } from '../../../protocol/json.ts';
import type { ToolCall } from '../../../protocol/tool.ts';
import type { Turn } from '../../../protocol/turn.ts';
import { cutAt } from './clip.ts';

/** Characters of a line, of one value in it, and values of one call. */
const longest = { line: 120, value: 24, values: 4 } as const;

export function gistOf(turn: Turn): string {
  switch (turn.role) {
    case 'user':
      return beginning(turn.text);
    case 'agent':
      if (turn.malformed !== undefined) return 'unreadable call';
      return (
        beginning([...turn.calls.slice(0, longest.values).map(callGist), turn.text].filter((word) => word !== '').join(' ')) || '(nothing)'
      );
    case 'tool':
      return beginning(`${turn.call.name} ${turn.status === 'ok' ? `→ ${valueGist(turn.result)}` : turn.status}`);
    default:
      return turn satisfies never;
  }
}

/** Of a text of any length: one line. */
export const beginning = (text: string): string =>
  cutAt(
    text
      .slice(0, 2 * longest.line)
      .replaceAll(/\s+/g, ' ')
      .trim(),
    longest.line,
  );

function callGist({ name, arguments: given }: ToolCall): string {
  const values = Object.values(given);
  return `${name}(${values.slice(0, longest.values).map(valueGist).join(', ')}${values.length > longest.values ? ', …' : ''})`;
}

function valueGist(value: JsonValue): string {
  if (typeof value === 'string') return value.length > longest.value ? `${cutAt(value, longest.value)}…` : value;
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? `[${value.length}]` : `{${Object.keys(value).slice(0, longest.values).join(', ')}}`;
}
