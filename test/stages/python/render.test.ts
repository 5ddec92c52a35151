/** Our prompts beside transformers' own, in the same process for many conversations: the goldens made again, and conversations nobody wrote down. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chatRenderer } from '../../../src/gpu/tokens/chat.ts';
import { openAiMessages, openAiTools, resultJson } from '../../../src/gpu/tokens/messages.ts';
import type { JsonObject } from '../../../src/protocol/json.ts';
import type { Task } from '../../../src/protocol/task.ts';
import type { Turn } from '../../../src/protocol/turn.ts';
import { agent, chatModel, resultOf, taskOf } from '../../support/chat-models.ts';
import { python } from '../../support/torch.ts';

const script = (flag: string, input = ''): string => {
  const { status, stdout, stderr } = spawnSync(python ?? '', ['python/goldens/render.py', 'test/fixtures/chat', flag], {
    input,
    encoding: 'utf8',
    timeout: 180_000,
    maxBuffer: 1 << 28,
    env: { ...process.env, HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false', PYTHONDONTWRITEBYTECODE: '1' },
  });
  if (status !== 0) throw new Error(`render.py ended with ${status}: ${stdout}${stderr.slice(-2000)}`);
  return stdout;
};

// `<` is left out: foreign markers are where we differ from transformers on purpose (test/chat-foreign.test.ts).
const word = fc
  .oneof(fc.string({ maxLength: 6 }), fc.constantFrom('\n\n', "it's", '  ', '語', '🙂', 'e\u0301', '\u00a0', '1234', 'Zoë'))
  .map((text) => text.replaceAll('<', '«'));
const text = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => `a${words.join(' ')}`);
// Thoughts and texts as they are read from ids: trimmed. The Jinja of JavaScript strips every blank where Python strips those it is asked to.
const trimmed = text.map((words) => words.trim());
const args = fc
  .dictionary(fc.constantFrom('guest', 'nights', 'a b'), fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)), { maxKeys: 3 })
  .map((value): JsonObject => ({ ...value }));
const call = fc.record({ name: fc.constantFrom('book_room', 'list-rooms'), arguments: args });
const turns: fc.Arbitrary<Turn[]> = fc
  .array(
    fc.oneof(
      fc.tuple(trimmed, text).map(([words, asked]): Turn[] => [agent({ text: words }), { role: 'user', text: asked }]),
      fc
        .tuple(fc.oneof(trimmed, fc.constant('')), fc.array(call, { minLength: 1, maxLength: 2 }), text)
        .map(([thought, calls, result]): Turn[] => [agent({ thought, calls }), ...calls.map(({ name }) => resultOf({ result }, name))]),
    ),
    { maxLength: 4 },
  )
  .map((pieces) => pieces.flat());
const schema = {
  type: 'object',
  properties: { guest: { type: 'string', description: 'Who — «stays»' }, nights: { type: 'integer' } },
  required: ['guest'],
};
const task: fc.Arbitrary<Task> = fc
  .tuple(text, text, text)
  .map(([system, query, description]) => taskOf({ system, query, tools: [{ name: 'book_room', description, parameters: schema }] }));

describe.skipIf(python === undefined)('transformers', () => {
  test('gives the goldens again, and the same tokenizer', () => {
    expect(JSON.parse(script('--check'))).toMatchObject({ differing: [] });
  });

  test('gives the same ids for conversations drawn at random, under every template', () => {
    const kinds = [
      { template: 'qwen3', thinking: true },
      { template: 'qwen3', thinking: false },
      ...['hermes', 'xml', 'roles', 'forgetful'].map((template) => ({ template, thinking: false })),
    ];
    const asked = kinds.flatMap(({ template, thinking }) => {
      const renderer = chatRenderer({ dir: chatModel(template), thinking });
      const form = { result: resultJson, thought: thinking ? 'reasoning_content' : 'content' } as const;
      return fc.sample(fc.tuple(task, turns), { numRuns: 40, seed: 4 }).map(([about, said]) => ({
        line: { template, thinking, messages: openAiMessages(about, said, form), tools: openAiTools(about.tools) },
        ours: [...renderer.reopen(about, said)],
      }));
    });
    const theirs = script('--ids', asked.map(({ line }) => `${JSON.stringify(line)}\n`).join(''))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as number[]);
    expect(theirs).toHaveLength(asked.length);
    const differing = asked.filter(({ ours }, index) => ours.join() !== theirs[index]?.join());
    expect(differing.map(({ line }) => line)).toEqual([]);
  });
});
