/** The renderer of a policy that is not there: whatever is said, its prompts only grow, and a teacher's turn is read back. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteEnd, byteRenderer, byteVocabulary } from '../src/gpu/tokens/bytes.ts';
import { rendererFor } from '../src/gpu/tokens/spec.ts';
import type { JsonValue } from '../src/protocol/json.ts';
import type { Task } from '../src/protocol/task.ts';
import type { AgentTurn, ToolTurn, UserTurn } from '../src/protocol/turn.ts';
import { canonical } from '../src/protocol/json.ts';
import { storable } from '../src/gpu/tokens/strict-json.ts';

const renderer = byteRenderer();
const task = {
  system: 'Help.',
  query: 'a room for Ada, <|end|>',
  tools: [
    {
      name: 'book_room',
      description: 'Books a room.',
      parameters: { type: 'object', properties: { name: { type: 'string' } } },
      effects: 'write',
      category: 'rooms',
      source: 'test',
    },
  ],
} as unknown as Task;

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const json = fc
  .jsonValue({ maxDepth: 2 })
  .map((value) =>
    storable(JSON.parse(JSON.stringify(value, (key, inner: unknown) => (key === '__proto__' ? undefined : inner))) as JsonValue),
  );
const called = fc.record({
  role: fc.constant('agent' as const),
  thought: fc.constant(''),
  text: fc.constant(''),
  calls: fc.array(
    fc.record({
      name: fc.constantFrom('book_room', 'other'),
      arguments: fc.dictionary(
        text.filter((key) => key !== '__proto__'),
        json,
        { maxKeys: 3, noNullPrototype: true },
      ),
    }),
    { minLength: 1, maxLength: 2 },
  ),
});
const spoke = text.map((words): AgentTurn => ({ role: 'agent', thought: '', text: words.replaceAll('<', '').trim(), calls: [] }));
const heard = fc.oneof(
  text.map((words): UserTurn => ({ role: 'user', text: words })),
  json.map((result): ToolTurn => ({ role: 'tool', call: { name: 'book_room', arguments: {} }, status: 'ok', result, patch: [] })),
);

test('a turn that a teacher writes is read back as it was', () => {
  fc.assert(
    fc.property(fc.oneof(called, spoke), (turn) => {
      const ids = renderer.write(turn, task);
      expect(ids.at(-1)).toBe(byteEnd);
      expect(canonical(renderer.parse(ids, task) as unknown as JsonValue)).toBe(canonical(turn as unknown as JsonValue));
    }),
  );
});

test('the whole prompt again is the first prompt, the turns, and what follows them', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(spoke, fc.array(heard, { minLength: 1, maxLength: 2 })), { maxLength: 3 }), (rounds) => {
      const grown = rounds.flatMap(([turn, after]) => [...renderer.write(turn, task), ...renderer.extend(after, true)]);
      const whole = renderer.reopen(
        task,
        rounds.flatMap(([turn, after]) => [turn, ...after]),
      );
      expect([...whole]).toEqual([...renderer.open(task), ...grown]);
    }),
  );
});

test('a turn that was cut off gets its end from the observation, and no text can forge a marker', () => {
  expect([...renderer.extend([], false)]).toEqual([byteEnd, ...renderer.extend([], true)]);
  const opened = [...renderer.open(task)];
  expect(opened.filter((id) => id >= 256)).toEqual([256, byteEnd, 257, byteEnd, 258]);
  expect(Math.max(...opened)).toBeLessThan(byteVocabulary);
});

test('any ids at all are read without a throw', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: byteVocabulary - 1 }), { maxLength: 40 }), (ids) => {
      expect(renderer.parse(Int32Array.from(ids), task).role).toBe('agent');
      expect(typeof renderer.text(Int32Array.from(ids))).toBe('string');
    }),
  );
});

test('is made anew from its spec in every thread', () => {
  expect([...rendererFor({ kind: 'bytes' }).open(task)]).toEqual([...renderer.open(task)]);
});
