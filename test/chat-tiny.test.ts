/** Our own template twice: by hand, and in Jinja through the renderer of real models. And which of the two a directory gets. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chatRenderer } from '../src/gpu/tokens/chat.ts';
import { rendererFor, rendererSpecOf } from '../src/gpu/tokens/spec.ts';
import { tinyRenderer } from '../src/gpu/tokens/tiny.ts';
import { readModel } from '../src/gpu/weights.ts';
import type { Task } from '../src/protocol/task.ts';
import type { ToolTurn, Turn, UserTurn } from '../src/protocol/turn.ts';
import { lexicon } from '../src/simulation/procedural/lexicon.ts';
import { oracle, play } from '../src/simulation/procedural/oracle.ts';
import { agent, chatModel, resultOf, taskOf } from './support/chat-models.ts';
import { realTask } from './support/playhouse.ts';

const dir = 'models/tiny-base';
const byHand = tinyRenderer(readModel(dir).vocabulary);
const byTemplate = chatRenderer({ dir, thinking: false });

describe('the tiny template through the renderer of real models', () => {
  test('appends, and ends a turn with the same token', () => {
    expect([byTemplate.appends, byTemplate.stop]).toEqual([true, byHand.stop]);
  });

  test('gives the same ids for every prompt of real episodes, and reads and writes the same turns', () => {
    for (let index = 0; index < 6; index++) {
      const task = realTask(index, 10 + index * 16);
      const turns = play(task, oracle).turns.slice(1);
      expect(byTemplate.open(task)).toEqual(byHand.open(task));
      expect(byTemplate.reopen(task, turns)).toEqual(byHand.reopen(task, turns));
      for (const turn of turns) {
        if (turn.role === 'agent') {
          expect(byTemplate.write(turn, task)).toEqual(byHand.write(turn, task));
          expect(byTemplate.parse(byHand.write(turn, task), task)).toEqual(turn);
        } else expect(byTemplate.extend([turn], true)).toEqual(byHand.extend([turn], true));
      }
    }
  });

  test('gives the same ids whatever is said', () => {
    // Blanks on which the splitting of JavaScript, Python and Unicode agree.
    const text = fc
      .array(
        fc.oneof(
          fc.constantFrom(...lexicon),
          fc.constantFrom('<|im_end|>', '<', ',', 'a\u00a0b', '42'),
          fc.string({ maxLength: 4 }),
          fc.constantFrom('\u0338', '語', '🙂', '\ud800', '\0', '\u00a0'),
        ),
        { maxLength: 8 },
      )
      .map((words) => words.join(' '));
    const status = fc.constantFrom('ok', 'unknownTool', 'invalidArgument', 'notFound', 'transient');
    const heard: fc.Arbitrary<UserTurn | ToolTurn> = fc.oneof(
      text.map((said): UserTurn => ({ role: 'user', text: said })),
      fc.tuple(text, status).map(([said, how]) => resultOf({ said }, 'kel', how)),
    );
    const tool = fc
      .tuple(text, text)
      .map(([description, name]) => ({ name, description, parameters: { type: 'object', properties: { [name]: {} }, required: [] } }));
    fc.assert(
      fc.property(text, text, fc.array(tool, { maxLength: 2 }), fc.array(heard, { maxLength: 3 }), (system, query, tools, turns) => {
        const task: Task = taskOf({ system, query, tools });
        expect(byTemplate.open(task)).toEqual(byHand.open(task));
        expect(byTemplate.extend(turns, true)).toEqual(byHand.extend(turns, true));
      }),
      { numRuns: 60 },
    );
  });

  test('reads the missing end of a cut turn, where the tiny renderer of small models goes on without', () => {
    const turns = [{ role: 'user' as const, text: 'play' }];
    expect([...(byTemplate.extend(turns, false) ?? [])]).toEqual([...byHand.stop, ...byHand.extend(turns, false)]);
  });
});

describe('a policy’s renderer', () => {
  const hermes = chatModel('hermes');

  test('is the tiny one for our own words, another by the template of its directory', () => {
    expect(rendererSpecOf(dir, { thinking: false })).toEqual({ kind: 'tiny', words: readModel(dir).vocabulary.words });
    expect(rendererSpecOf(hermes, { thinking: true })).toEqual({ kind: 'chat', dir: hermes, thinking: true, family: 'hermes' });
    expect(rendererSpecOf(chatModel('qwen3'), { thinking: false })).toMatchObject({ family: 'qwen3' });
    expect(rendererSpecOf(chatModel('roles'), { thinking: false })).toMatchObject({ family: 'generic' });
  });

  test('knows a template that begins the thought itself, and reads what comes before its end as thought', () => {
    const beginning = readFileSync('test/fixtures/chat/templates/qwen3.jinja', 'utf8').replace(
      /\{%- if enable_thinking[^\n]*\n/,
      "{{- '<think>\\n' }}\n",
    );
    const renderer = chatRenderer({ dir: chatModel(beginning), thinking: true });
    const said = agent({ thought: 'hm', text: 'Yes.' });
    expect([renderer.name, renderer.appends]).toEqual(['qwen3', true]);
    expect(renderer.text(renderer.open(taskOf()))).toMatch(/<\|im_start\|>assistant\n<think>\n$/);
    expect(renderer.text(renderer.write(said, taskOf()))).toBe('hm\n</think>\n\nYes.<|im_end|>');
    expect(renderer.parse(renderer.write(said, taskOf()), taskOf())).toEqual(said);
  });

  test('is made of plain data, once a thread', () => {
    const spec = rendererSpecOf(hermes, { thinking: false });
    const copy = structuredClone(spec);
    expect(rendererFor(copy)).toBe(rendererFor(spec));
    expect(rendererFor({ ...copy, thinking: true } as typeof spec)).not.toBe(rendererFor(spec));
    expect(rendererFor(spec).name).toBe('hermes');
  });

  test('has the words of the directory in the directory’s order', () => {
    const spec = rendererSpecOf(dir, { thinking: false });
    const task = realTask(1, 40);
    expect(rendererFor(spec).open(task)).toEqual(byHand.open(task));
  });

  test('is given the call form that its template teaches', () => {
    const said: Turn = agent({ calls: [{ name: 'x', arguments: { a: 1 } }] });
    const text = (template: string): string => {
      const renderer = rendererFor(rendererSpecOf(chatModel(template), { thinking: false }));
      return renderer.text(renderer.write(said, taskOf()));
    };
    expect(text('hermes')).toBe('<tool_call>\n{"name": "x", "arguments": {"a": 1}}\n</tool_call><|im_end|>');
    expect(text('xml')).toBe('<tool_call>\n<function=x>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call><|im_end|>');
  });
});
