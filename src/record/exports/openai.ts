/**
 * Episodes as OpenAI's chat messages, one JSON line each, with the tools the agent had and what came of it. Knows the public transcript; tokens are tokens.ts's, and an agent's thoughts are left out:
 * the form has no place for them.
 *
 * A call that could not be read stands as one named `unreadable_call` whose arguments are the raw text: the API says itself that arguments need not be JSON, and its complaint needs a call to answer.
 */
import type { ToolCall, ToolSpec } from '../../protocol/tool.ts';
import type { ToolTurn, Turn } from '../../protocol/turn.ts';
import { outcomeName, outcomeReason } from '../projections/episodes.ts';
import type { Member } from './member.ts';

interface CallMessage {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

export type Message =
  | { role: 'system' | 'user'; content: string }
  | { role: 'assistant'; content: string | null; tool_calls?: CallMessage[] }
  | { role: 'tool'; tool_call_id: string; content: string };

export interface Conversation {
  messages: Message[];
  tools: { type: 'function'; function: { name: string; description: string; parameters: ToolSpec['parameters'] } }[];
  /** Texts only, at most 16 of at most 512 characters: as the API has it. */
  metadata: Record<string, string>;
}

/** What an agent reads of a result. */
export type ResultText = (turn: ToolTurn) => string;

/** With its newline. */
export const openAiLine = (member: Member, resultText: ResultText): string => `${JSON.stringify(conversationOf(member, resultText))}\n`;

export function conversationOf({ run, group, episode, advantage }: Member, resultText: ResultText): Conversation {
  const metadata = {
    run,
    step: group.step,
    group: group.id,
    episode: episode.id,
    split: group.task.split,
    branch: group.task.branch,
    difficulty: String(group.task.difficulty),
    outcome: outcomeName(episode.outcome),
    reason: outcomeReason(episode.outcome),
    reward: episode.reward === null ? '' : String(episode.reward),
    advantage: advantage === null ? '' : String(advantage),
    version: episode.policy === null ? '' : String(episode.policy.end),
  };
  return {
    messages: [{ role: 'system', content: group.task.system }, ...messagesOf(episode.turns, resultText)],
    tools: group.task.tools.map(({ name, description, parameters }) => ({ type: 'function', function: { name, description, parameters } })),
    // What was never said is left out.
    metadata: Object.fromEntries(Object.entries(metadata).flatMap(([key, text]) => (text === '' ? [] : [[key, text.slice(0, 512)]]))),
  };
}

function messagesOf(turns: readonly Turn[], resultText: ResultText): Message[] {
  let calls = 0;
  /** Ids of calls without an answer, oldest first: results come in the order of the calls. */
  let open: string[] = [];
  const named = (name: string, given: string): CallMessage => {
    const id = `call_${calls++}`;
    open.push(id);
    return { id, type: 'function', function: { name, arguments: given } };
  };
  return turns.map((turn): Message => {
    switch (turn.role) {
      case 'user':
        return { role: 'user', content: turn.text };
      case 'agent': {
        open = [];
        // Beside an unreadable call none is carried out.
        const made =
          turn.malformed === undefined
            ? turn.calls.map(({ name, arguments: given }: ToolCall) => named(name, JSON.stringify(given)))
            : [named('unreadable_call', turn.malformed.raw)];
        return made.length === 0
          ? { role: 'assistant', content: turn.text }
          : { role: 'assistant', content: turn.text === '' ? null : turn.text, tool_calls: made };
      }
      case 'tool': {
        const id = open.shift();
        // Records that other programs wrote may hold one: it is kept, as something the agent read.
        return id === undefined
          ? { role: 'user', content: resultText(turn) }
          : { role: 'tool', tool_call_id: id, content: resultText(turn) };
      }
      default:
        return turn satisfies never;
    }
  });
}
