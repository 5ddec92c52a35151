/** A conversation in OpenAI's message form, for whoever renders it by a chat template: exports, other engines, parity checks. Knows no ids. */
import type { JsonObject } from '../../protocol/json.ts';
import type { Task } from '../../protocol/task.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import type { Turn } from '../../protocol/turn.ts';
import { resultWords } from './tiny.ts';

export const openAiTools = (tools: readonly ToolSpec[]): JsonObject[] =>
  tools.map(({ name, description, parameters }) => ({ type: 'function', function: { name, description, parameters } }));

/** System prompt, first request, then the given later turns. Arguments are objects, as transformers' templates take them; the thought is `reasoning_content`. */
export const openAiMessages = (task: Pick<Task, 'system' | 'query'>, turns: readonly Turn[]): JsonObject[] => [
  { role: 'system', content: task.system },
  { role: 'user', content: task.query },
  ...turns.map((turn): JsonObject => {
    switch (turn.role) {
      case 'user':
        return { role: 'user', content: turn.text };
      case 'tool':
        return { role: 'tool', content: resultWords(turn).join(' ') };
      case 'agent':
        return {
          role: 'assistant',
          content: turn.text,
          ...(turn.thought === '' ? {} : { reasoning_content: turn.thought }),
          ...(turn.calls.length === 0
            ? {}
            : { tool_calls: turn.calls.map((call): JsonObject => ({ type: 'function', function: { ...call } })) }),
        };
      default:
        return turn satisfies never;
    }
  }),
];
