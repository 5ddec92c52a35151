/** The words of turns and tool lists as the tiny template writes them, for drills, which are text and no episodes. A test holds it to the renderer, which this folder may not import. */
import type { AgentTurn, Turn } from '../../protocol/turn.ts';
import type { Task } from '../../protocol/task.ts';
import { statusWord } from './lexicon.ts';
import type { Offer } from './offer.ts';
import { inWords } from './values.ts';

const blank = (text: string): string[] => (text === '' ? [] : text.split(' '));

export const turnWords = (role: 'system' | 'user' | 'tool', words: readonly string[]): string[] => [
  '<|im_start|>',
  role,
  ...words,
  '<|im_end|>',
];
export const agentHeader: readonly string[] = ['<|im_start|>', 'assistant'];

const parameterWords = ({ properties, required }: Task['tools'][number]['parameters']): string[] => {
  const needed = new Set(required as string[]);
  return Object.keys(properties as object).flatMap((name, index) => [
    ...(index === 0 ? [] : [',']),
    name,
    ...(needed.has(name) ? [] : ['?']),
  ]);
};

export const toolWords = ({ name, description, parameters }: Offer['spec']): string[] => [
  '<tool>',
  ...blank(description),
  '<name>',
  ...name.split('_'),
  '(',
  ...parameterWords(parameters),
  ')',
];

/** What the agent writes, `<|im_end|>` included. */
export function agentWords({ thought, text, calls }: AgentTurn): string[] {
  const called = calls.flatMap(({ name, arguments: args }) => [
    '<tool_call>',
    ...name.split('_'),
    '(',
    ...Object.entries(args).flatMap(([word, value], index) => [...(index === 0 ? [] : [',']), word, '=', ...blank(inWords(value))]),
    ')',
  ]);
  return [...blank(thought), ...blank(text), ...called, '<|im_end|>'];
}

/** What the agent reads. */
export function heardWords(turn: Exclude<Turn, AgentTurn>): string[] {
  if (turn.role === 'user') return turnWords('user', blank(turn.text));
  return turnWords('tool', [statusWord[turn.status], ...(turn.result === null ? [] : blank(inWords(turn.result)))]);
}
