/**
 * The renderer of a policy that is not there: bytes are tokens, one marker opens each turn and one ends it, tools and calls are JSON. It lets a config of any model be played through by
 * a script, without that model's tokenizer; no model reads it. Markers are no bytes, so no text can forge one, and nothing written later changes what stands (rule L1).
 */
import type { Task } from '../../protocol/task.ts';
import type { AgentTurn, ToolTurn, Turn, UserTurn } from '../../protocol/turn.ts';
import { openAiTools, resultJson } from './messages.ts';
import type { Renderer } from './renderer.ts';
import { spacedJson } from './strict-json.ts';
import { readTaggedTurn, writeTaggedTurn } from './tagged-turn.ts';

const marker = { system: 256, user: 257, agent: 258, tool: 259, end: 260 } as const;
const names = ['<|system|>', '<|user|>', '<|agent|>', '<|tool|>', '<|end|>'] as const;

/** Ends an agent's turn. */
export const byteEnd = marker.end;
/** Ids are below it. */
export const byteVocabulary = 261;
/** Bytes for which a subword tokenizer has one token, roughly: lengths that a config gives in tokens are so much longer here. */
export const bytesPerToken = 4;

/** Of this renderer `extend` never gives null. */
export interface ByteRenderer extends Renderer {
  extend(...given: Parameters<Renderer['extend']>): Int32Array;
}

export function byteRenderer(): ByteRenderer {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const turnOf = (opens: number, text: string): number[] => [opens, ...encoder.encode(text), marker.end];
  const heard = (turn: UserTurn | ToolTurn): number[] =>
    turn.role === 'user' ? turnOf(marker.user, turn.text) : turnOf(marker.tool, resultJson(turn));
  const opening = ({ system, tools, query }: Pick<Task, 'system' | 'tools' | 'query'>): number[] => [
    ...turnOf(marker.system, [system, ...openAiTools(tools).map(spacedJson)].join('\n')),
    ...turnOf(marker.user, query),
  ];
  const written = (turn: AgentTurn): number[] => [...encoder.encode(writeTaggedTurn(turn, { calls: 'json', thought: 'none' })), marker.end];
  const said = (turn: Turn): number[] => (turn.role === 'agent' ? [marker.agent, ...written(turn)] : heard(turn));
  /** A marker where a text is read is no byte of it. */
  const plain = (ids: ArrayLike<number>): string => decoder.decode(Uint8Array.from(ids, (id) => (id < 256 ? id : 0xff)));

  return {
    name: 'bytes',
    stop: [marker.end],
    appends: true,
    open: (task) => Int32Array.from([...opening(task), marker.agent]),
    extend: (turns, stopped) => Int32Array.from([...(stopped ? [] : [marker.end]), ...turns.flatMap(heard), marker.agent]),
    reopen: (task, turns) => Int32Array.from([...opening(task), ...turns.flatMap(said), marker.agent]),
    parse: (ids, { tools }) => {
      const end = ids.indexOf(marker.end);
      return readTaggedTurn(plain(end < 0 ? ids : ids.subarray(0, end)), tools, { thought: 'none' });
    },
    write: (turn) => Int32Array.from(written(turn)),
    text: (ids) => {
      const parts: string[] = [];
      let from = 0;
      ids.forEach((id, at) => {
        if (id < marker.system) return;
        parts.push(plain(ids.subarray(from, at)), names[id - marker.system] ?? '<|?|>');
        from = at + 1;
      });
      return [...parts, plain(ids.subarray(from))].join('');
    },
  };
}
