/** The seven aspects, measured on what is written and not on what it claims, over difficulties; the table of docs/trustee.md comes from here. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AspectName, Task } from '../src/protocol/task.ts';
import { levelOfPersona, measureAspects } from '../src/simulation/aspects.ts';
import { prose } from '../src/simulation/lm/prose/prose.ts';
import { lmTaskWriter } from '../src/simulation/lm/task.ts';
import { draftOf, lmSettings, only, sound } from './support/drafts.ts';

const levels = [1, 12, 23, 34, 45, 56, 67, 78, 89, 100];
const aspects: readonly AspectName[] = ['tools', 'calls', 'turns', 'system', 'persona', 'query', 'criteria'];
/** A generic prompt has fewer words than a detailed one. */
const falling: ReadonlySet<AspectName> = new Set(['system']);

interface Level {
  readonly mean: number;
  /** Standard error of the mean. */
  readonly error: number;
}
function levelOf(values: readonly (number | null)[]): Level {
  const measured = values.filter((value) => value !== null);
  const mean = measured.reduce((sum, value) => sum + value, 0) / measured.length;
  const variance = measured.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (measured.length - 1);
  return { mean, error: Math.sqrt(variance / measured.length) };
}

/** 100 tasks a level, the same draws at each, so that levels differ by D alone. */
const tasksAt = (difficulty: number, soft: number): Task[] =>
  Array.from({ length: 100 }, (_, seed) => sound({ seed, difficulty, soft }).task);
const table = (tasks: readonly (readonly Task[])[]): Record<AspectName, Level[]> => {
  const measures = tasks.map((level) => level.map(measureAspects));
  return Object.fromEntries(
    aspects.map((name) => [name, measures.map((level) => levelOf(level.map((measure) => measure[name])))]),
  ) as Record<AspectName, Level[]>;
};

/** Steps against the direction by more than one standard error of the difference, and whether the ends differ by more than chance. */
function strays(name: AspectName, row: readonly Level[]): string[] {
  const sign = falling.has(name) ? -1 : 1;
  const back = row.slice(1).flatMap((level, at) => {
    const before = row[at] as Level;
    const step = sign * (level.mean - before.mean);
    return step < -Math.hypot(level.error, before.error) ? [`${name} goes back by ${-step} at D ${levels[at + 1]}`] : [];
  });
  const [first, last] = [row[0] as Level, row.at(-1) as Level];
  const rise = sign * (last.mean - first.mean);
  return rise > 3 * Math.hypot(first.error, last.error) ? back : [...back, `${name} does not move`];
}

const lines = (rows: Record<AspectName, Level[]>): string[] =>
  aspects.map((name) => `| ${name} | ${rows[name].map(({ mean }) => mean.toFixed(2)).join(' | ')} |`);

describe.each([
  ['at their bounds', 0],
  ['drawn within them half the time, as the paper does', 0.5],
] as const)('over 1,000 tasks with aspects %s', (_, soft) => {
  const rows = table(levels.map((difficulty) => tasksAt(difficulty, soft)));

  test('each measure moves one way with D: no step back by more than a standard error', () => {
    expect(aspects.flatMap((name) => strays(name, rows[name]))).toEqual([]);
  });

  test('the table in docs/trustee.md says so', () => {
    const text = readFileSync(new URL('../docs/trustee.md', import.meta.url), 'utf8');
    for (const line of lines(rows)) expect(text).toContain(line);
  });
});

test('a task that went through prose and the writer’s checks measures the same', () => {
  let compared = 0;
  for (let seed = 0; seed < 200; seed++) {
    const { task, view } = sound({ seed, difficulty: 1 + (seed % 100) });
    const brief = { view, branch: task.branch };
    const reading = lmTaskWriter(prose.task, lmSettings(only(task.branch))).read(prose.task.write(draftOf(task), brief), view);
    if (!reading.ok) continue;
    expect(measureAspects(reading.answer)).toEqual(measureAspects(task));
    compared++;
  }
  expect(compared).toBeGreaterThan(190);
});

test('what a task claims changes no measure', () => {
  const { task } = sound({ seed: 5, difficulty: 70 });
  const lie = Object.fromEntries(aspects.map((name) => [name, { bound: 1, value: 1 }])) as Task['aspects'];
  expect(measureAspects({ ...task, aspects: lie, difficulty: 1 })).toEqual(measureAspects(task));
});

describe('a measure', () => {
  const { task } = sound({ seed: 2, difficulty: 30, soft: 0 });
  const asking = (query: string, changes: Partial<Task> = {}) =>
    measureAspects({ ...task, intent: { ...task.intent, requests: [query] }, ...changes });
  const book: Partial<Task> = {
    system: 'Help.',
    tools: [
      {
        name: 'book_table',
        description: 'reserve a table',
        parameters: { type: 'object', properties: { guests: { type: 'integer' } }, required: ['guests'] },
        effects: 'write',
        category: 'c',
        source: 's',
      },
    ],
    expectedCalls: [{ name: 'book_table', arguments: { guests: 4 }, needs: [], turn: 0 }],
  };

  test('of a query is 0 where it says every word needed and no other, and rises with what it leaves out and with what it drowns', () => {
    const [clear, chatty, vague] = ['reserve a table for 4 guests', 'um reserve a table like for 4 guests please', 'we would be four'].map(
      (query) => asking(query, book).query as number,
    ) as [number, number, number];
    expect(clear).toBe(0);
    expect(chatty).toBeGreaterThan(clear);
    expect(vague).toBeGreaterThan(chatty);
  });

  test('of turns counts the answer to a question that must be asked', () => {
    expect(asking('reserve a table for 4 guests', book).turns).toBe(1);
    expect(asking('reserve a table', book).turns).toBe(2);
  });

  test('of a prompt counts instructions, not what there is to know', () => {
    expect(asking('x', { ...book, system: 'Answer briefly and politely. Note: breakfast is at eight.' }).system).toBe(4);
  });

  test('is absent where nothing is there to be measured', () => {
    expect(asking('what is the time', { ...book, expectedCalls: [] })).toMatchObject({ calls: null, turns: null, query: null });
  });
});

test.each([
  ['An expert in travel who wastes no words', 0],
  ['Tom, a casual user', 1],
  ['Mia is new to this: a complete novice, not an expert', 2],
  ['expert, terse', 0],
  ['A retired teacher', undefined],
])('the level of the persona "%s" is read from its text', (persona, level) => {
  expect(levelOfPersona(persona)).toBe(level);
});
