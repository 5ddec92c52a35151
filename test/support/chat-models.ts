/** Model directories with a small BPE and one of the fixture's chat templates, and the conversations their goldens were made of. No weights. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Task } from '../../src/protocol/task.ts';
import type { ToolSpec } from '../../src/protocol/tool.ts';
import type { AgentTurn, ToolTurn, Turn } from '../../src/protocol/turn.ts';

const fixtures = new URL('../fixtures/chat/', import.meta.url).pathname;
const read = (name: string): unknown => JSON.parse(readFileSync(join(fixtures, name), 'utf8'));

export const tokenizer = read('tokenizer.json') as {
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
  readonly model: { readonly vocab: Readonly<Record<string, number>>; readonly merges: readonly (readonly [string, string])[] };
};
/** The id of an added token. */
export const idOf = (content: string): number => tokenizer.added_tokens.find((token) => token.content === content)?.id as number;

const root = mkdtempSync(join(tmpdir(), 'troupe-chat-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

/** `template`: the name of a fixture, or Jinja source. */
export function chatModel(template: string, changes: Readonly<Record<string, string>> = {}, without: readonly string[] = []): string {
  const dir = mkdtempSync(join(root, 'model-'));
  copyFileSync(join(fixtures, 'tokenizer.json'), join(dir, 'tokenizer.json'));
  const source = template.includes('{') ? template : readFileSync(join(fixtures, 'templates', `${template}.jinja`), 'utf8');
  const files = {
    'chat_template.jinja': source,
    'tokenizer_config.json': JSON.stringify({
      eos_token: '<|im_end|>',
      pad_token: '<|endoftext|>',
      tokenizer_class: 'PreTrainedTokenizerFast',
    }),
    'generation_config.json': JSON.stringify({ eos_token_id: [idOf('<|im_end|>'), idOf('<|endoftext|>')] }),
    ...changes,
  };
  for (const [name, text] of Object.entries(files)) if (!without.includes(name)) writeFileSync(join(dir, name), text);
  return dir;
}

interface Chat {
  readonly name: string;
  readonly task: Task;
  readonly turns: readonly Turn[];
}

export const taskOf = (over: Partial<Pick<Task, 'system' | 'query'>> & { tools?: readonly Partial<ToolSpec>[] } = {}): Task =>
  ({ system: 'help', query: 'book a room', tools: [], ...over }) as unknown as Task;

export const chats: readonly Chat[] = (
  read('conversations.json') as (Pick<Task, 'system' | 'query'> & { name: string; tools: ToolSpec[]; turns: Turn[] })[]
).map(({ name, turns, ...task }) => ({ name, task: taskOf(task), turns }));

export interface Golden {
  readonly template: string;
  readonly thinking: boolean;
  readonly chat: string;
  /** The prompt before each agent turn: how much of the one before it stays, and what follows. */
  readonly prompts: readonly { readonly keep: number; readonly ids: string }[];
  readonly whole: string;
}
export const goldens = read('goldens.json') as readonly Golden[];

export const numbers = (text: string): number[] => (text === '' ? [] : text.split(' ').map(Number));

/** Every prompt of a golden, whole. */
export function promptsOf({ prompts }: Golden): number[][] {
  let before: number[] = [];
  return prompts.map(({ keep, ids }) => (before = [...before.slice(0, keep), ...numbers(ids)]));
}

export const agent = (changes: Partial<AgentTurn>): AgentTurn => ({ role: 'agent', thought: '', text: '', calls: [], ...changes });
export const resultOf = (result: ToolTurn['result'], name = 'book_room', status: ToolTurn['status'] = 'ok'): ToolTurn => ({
  role: 'tool',
  call: { name, arguments: {} },
  status,
  result,
  patch: [],
});
