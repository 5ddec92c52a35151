/** The group page's arithmetic: rows of turns, where members part, and words that differ. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Turn } from '../src/protocol/turn.ts';
import { aligned, isShared, piecesOf } from '../src/viewer/page/group/align.ts';
import { likeness, likenessAtMost, wordDiff } from '../src/viewer/page/group/words.ts';

const user = (text: string): Turn => ({ role: 'user', text });
const says = (text: string): Turn => ({ role: 'agent', thought: '', text, calls: [] });
const calls = (...names: string[]): Turn => ({
  role: 'agent',
  thought: '',
  text: '',
  calls: names.map((name) => ({ name, arguments: { a: 1 } })),
});
const answers = (name: string, result: string): Turn => ({
  role: 'tool',
  call: { name, arguments: { a: 1 } },
  status: 'ok',
  result,
  patch: [],
});

describe('turns side by side', () => {
  const short = [user('hi'), calls('look'), answers('look', 'red'), says('it is red')];
  const long = [user('hi'), calls('look', 'count'), answers('look', 'red'), answers('count', '3'), says('it is red')];

  test('stand in one row where they happened at the same place, whatever one member did more', () => {
    const { rows } = aligned([short, long]);
    expect(rows.map(({ key, cells }) => [key, cells.map((cell) => cell?.turn ?? null)])).toEqual([
      ['0.user.0', [0, 0]],
      ['1.agent.0', [1, 1]],
      ['1.tool.0', [2, 2]],
      ['1.tool.1', [null, 3]],
      ['2.agent.0', [3, 4]],
    ]);
    expect(rows.map(isShared)).toEqual([true, false, true, false, true]);
  });

  test('are the same up to the first row in which one differs, and one that is missing differs', () => {
    expect(aligned([short, long]).common).toBe(1);
    expect(aligned([short, short, short]).common).toBe(4);
    expect(aligned([short, short.slice(0, 2)]).common).toBe(2);
  });

  test('are not parted by a member that never began', () => {
    expect(aligned([short, [], short]).common).toBe(4);
    expect(aligned([]).common).toBe(0);
    expect(aligned([[]]).rows).toEqual([]);
  });

  test('are counted by content, the most frequent first', () => {
    const row = aligned([[says('a')], [says('b')], [says('b')], [says('c')]]).rows[0];
    expect(row?.variants).toEqual([2, 1, 1]);
    expect(row?.cells.map((cell) => cell?.variant)).toEqual([1, 0, 0, 2]);
  });

  test('are equal in whatever order a model wrote the arguments', () => {
    const call = (given: { [key: string]: number }): Turn => ({
      role: 'agent',
      thought: '',
      text: '',
      calls: [{ name: 'f', arguments: given }],
    });
    expect(piecesOf(call({ b: 2, a: 1 }))).toEqual(piecesOf(call({ a: 1, b: 2 })));
    expect(piecesOf(call({ b: 2, a: 1 }))).not.toEqual(piecesOf(call({ a: 2, b: 1 })));
  });

  test('each have exactly one place, in their order', () => {
    const turn = fc.constantFrom(user('u'), says('s'), calls('c'), answers('c', 'r'));
    fc.assert(
      fc.property(fc.array(fc.array(turn, { maxLength: 12 }), { maxLength: 4 }), (columns) => {
        const { rows, common } = aligned(columns);
        columns.forEach((turns, column) => {
          const placed = rows.flatMap(({ cells }) => cells[column]?.turn ?? []);
          expect([...placed].sort((a, b) => a - b)).toEqual(turns.map((_, i) => i));
        });
        const begun = columns.filter(({ length }) => length > 0);
        for (const { variants } of rows.slice(0, common)) expect(variants).toEqual([begun.length]);
        if (common < rows.length) expect(rows[common]?.variants).not.toEqual([begun.length]);
      }),
    );
  });
});

describe('a diff of words', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.array(fc.constantFrom('the', 'order', ' ', '12', ',', 'is', '\n', '\ud800'), { maxLength: 60 }).map((words) => words.join('')),
  );

  test('holds both texts, whole and in order', () => {
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        const parts = wordDiff(before, after);
        const without = (kind: string): string => parts.flatMap((part) => (part.kind === kind ? [] : [part.text])).join('');
        expect([without('new'), without('gone')]).toEqual([before, after]);
        parts.forEach((part, i) => expect(part.kind).not.toBe(parts[i + 1]?.kind));
      }),
      { numRuns: 500 },
    );
  });

  test('changes as few words as there can be', () => {
    const sentence = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 14 }).map((words) => words.join(' '));
    const pieces = (text: string): string[] => text.match(/\s+|\w+/g) ?? [];
    /** Length of the longest common subsequence, by the book. */
    const common = ([x, ...a]: readonly string[], b: readonly string[], known = new Map<string, number>()): number => {
      if (x === undefined || b.length === 0) return 0;
      const key = `${a.length} ${b.length}`;
      const found =
        known.get(key) ??
        (x === b[0] ? 1 + common(a, b.slice(1), known) : Math.max(common(a, b, known), common([x, ...a], b.slice(1), known)));
      known.set(key, found);
      return found;
    };
    fc.assert(
      fc.property(sentence, sentence, (before, after) => {
        const changed = wordDiff(before, after).flatMap(({ kind, text }) => (kind === 'same' ? [] : pieces(text)));
        const [a, b] = [pieces(before), pieces(after)];
        expect(changed).toHaveLength(a.length + b.length - 2 * common(a, b));
      }),
    );
  });

  test('is never more alike than a count of words says', () => {
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        expect(likeness(wordDiff(before, after))).toBeLessThanOrEqual(likenessAtMost(before, after) + 1e-9);
      }),
    );
    expect(likenessAtMost('one two', 'three')).toBe(0);
  });

  test('marks the words that differ and leaves the others', () => {
    expect(wordDiff('refund order 12 now', 'refund order 13 now, please')).toEqual([
      { kind: 'same', text: 'refund order ' },
      { kind: 'gone', text: '12' },
      { kind: 'new', text: '13' },
      { kind: 'same', text: ' now' },
      { kind: 'new', text: ', please' },
    ]);
  });

  test('of long texts that share nothing costs no table', () => {
    const [before, after] = ['a '.repeat(200_000), 'b.'.repeat(200_000)];
    expect(wordDiff(before, after)).toEqual([
      { kind: 'gone', text: before },
      { kind: 'new', text: after },
    ]);
  });

  test('tells like texts from unlike ones', () => {
    expect(likeness(wordDiff('one two three', 'one two three'))).toBe(1);
    expect(likeness(wordDiff('one two three', 'four'))).toBe(0);
    expect(likeness(wordDiff('one two three', 'one two four'))).toBeGreaterThan(0.5);
    expect(likeness(wordDiff('', ''))).toBe(1);
  });
});
