/**
 * The renderer of our own template: ChatML markers, one word a token, tools and calls without JSON. Knows no model and samples nothing.
 *
 *   <|im_start|> system WORDS {<tool> DESCRIPTION <name> NAME ( PARAMETER , PARAMETER ? )} <|im_end|>
 *   <|im_start|> user WORDS <|im_end|>
 *   <|im_start|> assistant THOUGHT <tool_call> NAME ( PARAMETER = VALUE , … ) <|im_end|>     or     WORDS <|im_end|>
 *   <|im_start|> tool ok VALUES <|im_end|>
 *
 * The order description, name, parameters is what a small model can learn: the word that a request names stands just before the name it must copy,
 * and `(` follows the name both in the list and in the call, so a call is straight copying. There is nothing between turns, hence the template is
 * append-only (rule L1) and `extend` has no separator to add (rule L2). chat-template.ts says the same in Jinja.
 */
import type { Task } from '../../protocol/task.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import type { AgentTurn, ToolTurn, UserTurn } from '../../protocol/turn.ts';
import { type CallReading, nameWords, parametersOf, readCall, splitAt, valueWords, writeCall } from './call.ts';
import { marker, roleWord, sign, statusWord, wordsOf } from './markers.ts';
import type { Renderer } from './renderer.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Of this renderer `extend` never gives null. */
export interface TinyRenderer extends Renderer {
  extend(...given: Parameters<Renderer['extend']>): Int32Array;
}

export function tinyRenderer(vocabulary: Vocabulary): TinyRenderer {
  const end = vocabulary.id(marker.end);
  /** A run of words: `own` are the template's, `said` somebody else's. */
  const own = (...words: string[]): number[] => words.map(vocabulary.id);
  const said = (words: readonly string[]): number[] => words.map(vocabulary.foreignId);
  const turn = (role: string, ...content: number[]): number[] => [...own(marker.start, role), ...content, end];
  const header = own(marker.start, roleWord.agent);

  const tool = (spec: ToolSpec): number[] => [
    ...own(marker.tool),
    ...said(wordsOf(spec.description)),
    ...own(marker.name),
    ...said(nameWords(spec.name)),
    ...own(sign.open),
    ...parametersOf(spec).flatMap(({ name, required }, index) => [
      ...(index === 0 ? [] : own(sign.comma)),
      ...said(nameWords(name)),
      ...(required ? [] : own(sign.optional)),
    ]),
    ...own(sign.close),
  ];

  const heard = (heardTurn: UserTurn | ToolTurn): number[] => {
    switch (heardTurn.role) {
      case 'user':
        return turn(roleWord.user, ...said(wordsOf(heardTurn.text)));
      case 'tool':
        return turn(roleWord.tool, ...said(resultWords(heardTurn)));
      default:
        return heardTurn satisfies never;
    }
  };

  const opening = (task: Pick<Task, 'system' | 'tools' | 'query'>): number[] => [
    ...turn(roleWord.system, ...said(wordsOf(task.system)), ...task.tools.flatMap(tool)),
    ...turn(roleWord.user, ...said(wordsOf(task.query))),
  ];
  const write = (agentTurn: AgentTurn): number[] => {
    const words = agentTurn.calls.length === 0 ? wordsOf(agentTurn.text) : wordsOf(agentTurn.thought);
    const lost = agentTurn.calls.length === 0 ? agentTurn.thought : agentTurn.text;
    if (lost !== '') throw new RangeError(`a turn is a thought and calls, or text; this one also says ${JSON.stringify(lost)}`);
    return [...said(words), ...agentTurn.calls.flatMap(writeCall).map(vocabulary.id), end];
  };

  return {
    name: 'tiny',
    stop: [end],
    appends: true,
    open: (task) => Int32Array.from([...opening(task), ...header]),
    reopen: (task, turns) =>
      Int32Array.from([
        ...opening(task),
        ...turns.flatMap((each) => (each.role === 'agent' ? [...header, ...write(each)] : heard(each))),
        ...header,
      ]),
    // An unstopped turn gets no `<|im_end|>`: the policy did not say it.
    extend: (turns) => Int32Array.from([...turns.flatMap(heard), ...header]),
    parse: (ids, task) => {
      const stopAt = ids.indexOf(end);
      return readTurn(Array.from(stopAt < 0 ? ids : ids.subarray(0, stopAt), vocabulary.word), task.tools);
    },
    write: (agentTurn) => Int32Array.from(write(agentTurn)),
    text: (ids) => Array.from(ids, vocabulary.word).join(' '),
  };
}

/** What the policy reads of a result: how it ended, then the values alone. */
export const resultWords = (turn: ToolTurn): string[] => [statusWord[turn.status], ...valueWords(turn.result)];

function readTurn(words: readonly string[], tools: readonly ToolSpec[]): AgentTurn {
  const [before, ...spoken] = splitAt(words, marker.call) as [string[], ...string[][]];
  if (spoken.length === 0) return { role: 'agent', thought: '', text: before.join(' '), calls: [] };
  const readings = spoken.map((call) => readCall(call, tools));
  const broken = readings.filter((reading): reading is CallReading & { ok: false } => !reading.ok);
  return {
    role: 'agent',
    thought: before.join(' '),
    text: '',
    calls: readings.flatMap((reading) => (reading.ok ? [reading.call] : [])),
    ...(broken.length === 0
      ? {}
      : { malformed: { raw: broken.map(({ raw }) => raw).join(' '), reason: broken.map(({ reason }) => reason).join('; ') } }),
  };
}
