/** A conversation in OpenAI's message form, for whoever renders it by a chat template: our own renderers, exports, parity checks. Knows no ids. */
import type { JsonObject } from '../../protocol/json.ts';
import type { Task } from '../../protocol/task.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import type { ToolStatus, ToolTurn, Turn } from '../../protocol/turn.ts';
import { spacedJson } from './strict-json.ts';
import { resultWords } from './tiny.ts';

export const openAiTools = (tools: readonly ToolSpec[]): JsonObject[] =>
  tools.map(({ name, description, parameters }) => ({ type: 'function', function: { name, description, parameters } }));

export interface MessageForm {
  /** What the policy reads of a result. */
  result(turn: ToolTurn): string;
  /** Where a thought goes: beside the content, or, for templates that know no thoughts, into it. */
  readonly thought: 'reasoning_content' | 'content';
}

/** Results as the words of our own template. */
export const wordForm: MessageForm = { result: (turn) => resultWords(turn).join(' '), thought: 'reasoning_content' };

const statusName: Readonly<Record<ToolStatus, string>> = {
  ok: 'ok',
  unknownTool: 'unknown_tool',
  invalidArgument: 'invalid_argument',
  notFound: 'not_found',
  transient: 'try_again',
};

/** `{"status": "ok", "result": …}`: how the call ended, then what came of it, as JSON; nothing is said of a result that is null. */
export const resultJson = ({ status, result }: ToolTurn): string =>
  spacedJson({ status: statusName[status], ...(result === null ? {} : { result }) });

/** System prompt, first request, then the given later turns. */
export const openAiMessages = (
  task: Pick<Task, 'system' | 'query'>,
  turns: readonly Turn[],
  form: MessageForm = wordForm,
): JsonObject[] => [{ role: 'system', content: task.system }, { role: 'user', content: task.query }, ...turnMessages(turns, form)];

/** Arguments are objects, as transformers' templates take them. What could not be read as a call stands as it was said. */
export const turnMessages = (turns: readonly Turn[], form: MessageForm): JsonObject[] =>
  turns.map((turn): JsonObject => {
    switch (turn.role) {
      case 'user':
        return { role: 'user', content: turn.text };
      case 'tool':
        return { role: 'tool', name: turn.call.name, content: form.result(turn) };
      case 'agent': {
        // Without calls a thought has no place in the content: it would be said aloud.
        const aside = form.thought === 'content' && turn.calls.length > 0 ? turn.thought : '';
        const said = [aside, turn.text, turn.malformed?.raw ?? ''];
        return {
          role: 'assistant',
          content: said.filter((part) => part !== '').join('\n'),
          ...(turn.thought === '' || form.thought === 'content' ? {} : { reasoning_content: turn.thought }),
          ...(turn.calls.length === 0
            ? {}
            : { tool_calls: turn.calls.map((call): JsonObject => ({ type: 'function', function: { ...call } })) }),
        };
      }
      default:
        return turn satisfies never;
    }
  });
