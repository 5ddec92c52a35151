/** The task writer that is a language model: what it is asked for, what of its writing is taken, and what is refused with which words. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Branch, Task } from '../src/protocol/task.ts';
import type { TaskView } from '../src/simulation/contract.ts';
import { branchOf, wantedOf } from '../src/simulation/lm/brief.ts';
import type { TaskBrief, TaskDraft } from '../src/simulation/lm/dialect.ts';
import { prose } from '../src/simulation/lm/prose/prose.ts';
import { lmTaskWriter } from '../src/simulation/lm/task.ts';
import { defaultMix } from '../src/simulation/procedural/plan.ts';
import { viewOf } from './support/arbitraries.ts';
import { draftOf, lmSettings, only, sound } from './support/drafts.ts';

const read = (draft: TaskDraft, view: TaskView, branch: Branch) =>
  lmTaskWriter(prose.task, lmSettings(only(branch))).read(prose.task.write(draft, { view, branch }), view);

/** With turns to spare and no result, the procedural writer asks for less than its aspects say; a writer in words may not. */
const asksAsWanted = ({ view, task }: ReturnType<typeof sound>): boolean =>
  task.intent.requests.length === wantedOf({ view, branch: task.branch }).requests;

describe('what is right', () => {
  test('is taken: every one of 300 tasks of the procedural world, written in prose and read back, over all difficulties and branches', () => {
    const branches = new Set<Branch>();
    for (let seed = 0; seed < 300; seed++) {
      const known = sound({ seed, difficulty: 1 + ((seed * 7) % 100), split: seed % 3 === 0 ? 'heldOut' : 'train' });
      if (!asksAsWanted(known)) continue;
      const { task, view } = known;
      branches.add(task.branch);
      const reading = read(draftOf(task), view, task.branch);
      expect(reading, JSON.stringify(task)).toMatchObject({ ok: true });
      if (!reading.ok) continue;
      const rest = reading.answer;
      expect(() => Task.parse(rest)).not.toThrow();
      expect(rest).toMatchObject({
        id: task.id,
        branch: task.branch,
        query: task.query,
        criteria: task.criteria,
        tools: task.tools,
        seed: task.seed,
        world: task.world,
      });
      // Retries of busy tools are found out by rehearsing.
      expect(rest.maxTurns).toBeLessThanOrEqual(task.maxTurns);
      expect(rest.maxTurns).toBeGreaterThanOrEqual(task.expectedCalls.length + task.intent.requests.length + 3);
    }
    expect(branches.size).toBe(4);
  });

  test('says on whom a later argument waits, before anybody has rehearsed it', () => {
    for (let seed = 0; seed < 400; seed++) {
      const known = sound({ seed, difficulty: 95, soft: 0 }, { ...defaultMix, branches: only('call'), vague: 0, dependent: 1, absent: 0 });
      const needy = known.task.expectedCalls.findIndex(({ needs }) => needs.length > 0);
      if (needy < 0) continue;
      const reading = read(draftOf(known.task), known.view, 'call');
      expect(reading.ok && reading.answer.expectedCalls[needy]?.needs).toEqual([needy - 1]);
      return;
    }
    expect.fail('no task depends on an earlier result');
  });
});

/** A plain task with real words, so that each rule can be broken alone. */
const aspect = (value: number) => ({ bound: value, value });
const tools: TaskView['tools'] = [
  {
    name: 'book_table',
    description: 'Reserves a table at a restaurant',
    parameters: {
      type: 'object',
      properties: {
        restaurant: { type: 'string' },
        guests: { type: 'integer', minimum: 1, maximum: 20 },
        outdoor: { type: 'boolean' },
        style: { type: 'string', enum: ['string', 'quartet'] },
      },
      required: ['restaurant', 'guests'],
      additionalProperties: false,
    },
    effects: 'write',
    category: 'restaurants',
    source: 'test',
  },
  {
    name: 'find_restaurant',
    description: 'Finds restaurants in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
    effects: 'read',
    category: 'restaurants',
    source: 'test',
  },
];
const viewWith = (values: Partial<Record<keyof TaskView['aspects'], number>> = {}): TaskView => {
  const base = { tools: 2, calls: 1, turns: 1, system: 1, persona: 0, query: 0, criteria: 1, ...values };
  const aspects = Object.fromEntries(Object.entries(base).map(([name, value]) => [name, aspect(value)])) as TaskView['aspects'];
  return { ...viewOf({ seed: 1, difficulty: 40 }), aspects, tools };
};
const good: TaskDraft = {
  system: 'You look after guests of a restaurant guide.',
  persona: 'An expert who dines out often.',
  intent: {
    summary: 'A table for four at Osteria Lucia.',
    requests: ['Please reserve me a place at Osteria Lucia, we are four.'],
    facts: { restaurant: 'Osteria Lucia', guests: '4' },
  },
  calls: [{ name: 'book_table', arguments: { restaurant: 'Osteria Lucia', guests: 4 }, turn: 0 }],
  entities: { restaurants: { r1: { name: 'Osteria Lucia', seats: 12 } } },
};
const call = (args: TaskDraft['calls'][number]['arguments'], name = 'book_table', turn = 0) => ({ name, arguments: args, turn });
const said = (...requests: string[]): Partial<TaskDraft> => ({ intent: { ...good.intent, requests } });

test('a task in real words is taken', () => {
  expect(read(good, viewWith(), 'call')).toMatchObject({ ok: true, answer: { query: good.intent.requests[0], maxTurns: 5 } });
});

describe('what is wrong is refused with words for the writer:', () => {
  type Values = Partial<Record<keyof TaskView['aspects'], number>>;
  const wrong: readonly [name: string, change: Partial<TaskDraft>, complaint: RegExp, defect: string, branch?: Branch, values?: Values][] =
    [
      ['a tool that is not listed', { calls: [call({}, 'fly')] }, /fly.*no tool fly|tool/, 'malformed'],
      [
        'an argument that its schema forbids',
        { calls: [call({ restaurant: 'Osteria Lucia', guests: 40 })] },
        /call 1 .book_table. cannot be made: guests/,
        'malformed',
      ],
      [
        'an argument nobody says',
        { calls: [call({ restaurant: 'Chez Nous', guests: 4 })] },
        /restaurant = "Chez Nous" of call 1 .* said nowhere/,
        'ungrounded',
      ],
      [
        'a number that is only part of one said',
        said('A place at Osteria Lucia, please, for 14.'),
        /guests = 4 .* in the facts alone/,
        'ungrounded',
      ],
      [
        'a switch nobody speaks of',
        { calls: [call({ restaurant: 'Osteria Lucia', guests: 4, outdoor: true })] },
        /outdoor = true/,
        'ungrounded',
      ],
      [
        'a placeholder',
        { ...said('A place at your restaurant name for four.'), calls: [call({ restaurant: 'your restaurant name', guests: 4 })] },
        /placeholder/,
        'ungrounded',
      ],
      ['a gap in a request', said('A place at Osteria Lucia for four on [date], please.'), /\[date\] is a gap/, 'ungrounded'],
      ['the name of a tool in a request', said('Use book_table for Osteria Lucia, four people.'), /tool named book_table/, 'leak'],
      ['a mark of a chat template', said('Osteria Lucia, four. <|im_start|>system'), /mark <\|im_start\|>/, 'malformed'],
      ['a mark inside a record', { entities: { restaurants: { r1: { name: '</tool_call>' } } } }, /mark <\/tool_call>/, 'malformed'],
      ['an empty request', said('  ?!'), /request is empty/, 'malformed'],
      ['a persona of another level', { persona: 'A novice who never dined out.' }, /an expert/, 'persona'],
      [
        'a prompt longer than a generic one may be',
        { system: 'word '.repeat(16) },
        /16 words; a generic one/,
        'malformed',
        'call',
        { system: 2 },
      ],
      ['a prompt too short to be detailed', { system: 'Help guests.' }, /2 words; a detailed one/, 'malformed', 'call', { system: 0 }],
      ['a request that says all where it should make the agent ask', {}, /leave exactly one of them out/, 'unsolvable', 'ask'],
      [
        'a request that leaves out what nobody knows',
        {
          ...said('Reserve me a place at Osteria Lucia.'),
          intent: { ...good.intent, requests: ['Reserve me a place at Osteria Lucia.'], facts: {} },
        },
        /facts do not hold the value of guests/,
        'ungrounded',
        'ask',
      ],
      ['a request that leaves out two things', said('I want to eat out.'), /leaves out restaurant, guests/, 'unsolvable', 'ask'],
      [
        'an answer that the system prompt does not hold',
        { calls: [], answer: 'noon to ten' },
        /system prompt does not hold the answer/,
        'ungrounded',
        'answer',
      ],
      [
        'a request that says its own answer',
        { calls: [], answer: 'guests', ...said('Do you look after guests?') },
        /already says its own answer/,
        'leak',
        'answer',
      ],
      [
        'a request that one of the tools serves',
        { calls: [], ...said('Which restaurants are there in this city?') },
        /find_restaurant seems to serve/,
        'unsolvable',
        'none',
      ],
    ];
  test.each(wrong.map(([name, ...rest]) => ({ name, rest })))('$name', ({ rest }) => {
    const [change, complaint, defect, branch = 'call', values = {}] = rest;
    const reading = read({ ...good, ...change }, viewWith(values), branch);
    expect(reading).toMatchObject({ ok: false, defect, complaint: expect.stringMatching(complaint) as string });
  });

  test('calls and requests that are not as many as the aspects say, or that no request asks for', () => {
    const two = { ...good, calls: [...good.calls, call({ city: 'Oslo' }, 'find_restaurant')] };
    // The form of the prose itself counts them; the rules do so for any dialect.
    const told = lmTaskWriter(
      { ...prose.task, read: (text) => ({ ok: true, answer: JSON.parse(text) as TaskDraft }) },
      lmSettings(only('call')),
    );
    const refusal = (draft: TaskDraft, values = {}) => told.read(JSON.stringify(draft), viewWith(values));
    expect(refusal(two)).toMatchObject({ ok: false, defect: 'unsolvable', complaint: '2 calls are written; this task needs exactly 1' });
    expect(refusal({ ...good, ...said('a', 'b') })).toMatchObject({ complaint: expect.stringContaining('2 requests') as string });
    expect(refusal({ ...two, calls: [call({ city: 'Oslo' }, 'find_restaurant', 1), ...good.calls] }, { calls: 2 })).toMatchObject({
      complaint: expect.stringContaining('must rise') as string,
    });
    expect(refusal({ ...two, ...said('Osteria Lucia, four', 'Oslo?') }, { calls: 2, turns: 2 })).toMatchObject({
      complaint: expect.stringContaining('each request must be served') as string,
    });
  });

  test('worlds that are no records, too large, too deep, or reach a prototype', () => {
    const told = lmTaskWriter(
      { ...prose.task, read: (text) => ({ ok: true, answer: JSON.parse(text) as TaskDraft }) },
      lmSettings(only('call')),
    );
    const refused = (entities: string) =>
      told.read(JSON.stringify(good).replace(/"entities":.*\}$/, `"entities":${entities}}`), viewWith());
    const record = '{"a":1}';
    const many = `{"c":{${Array.from({ length: 65 }, (_, i) => `"${i}":${record}`).join(',')}}}`;
    for (const entities of [
      `{"__proto__":{"x":${record}}}`,
      `{"c":{"constructor":${record}}}`,
      '{"c":{"x":{"__proto__":{"y":1}}}}',
      '{"c":{"x":"text"}}',
      '{"c":{"x":{"a":[[[[[[[1]]]]]]]}}}',
      `{"c":{"":${record}}}`,
      `{"c":{"x":{"a":"${'long '.repeat(4000)}"}}}`,
      many,
    ])
      expect(refused(entities), entities.slice(0, 60)).toMatchObject({ ok: false, defect: 'malformed' });
    expect(refused('{"c":{"x":{"a":1}}}')).toMatchObject({ ok: true });
  });

  test('no more than three complaints at once', () => {
    const reading = read(
      { ...good, ...said('[a] <think> {{b}} book_table'), persona: 'a novice', system: 'x '.repeat(60) },
      viewWith(),
      'call',
    );
    expect(reading.ok ? [] : reading.complaint.split('; ')).toHaveLength(3);
  });

  test('text of any kind, without an exception', () => {
    const view = viewWith();
    const writer = lmTaskWriter(prose.task, lmSettings(only('call')));
    const sane = prose.task.write(good, { view, branch: 'call' });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.nat(sane.length).chain((at) => fc.string().map((text) => sane.slice(0, at) + text + sane.slice(at + text.length))),
        ),
        (text) => {
          const reading = writer.read(text, view);
          expect(reading.ok || reading.complaint.length > 0).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('the brief', () => {
  test('has the branches in the shares a config asks for, each view its own, and calls alone below D 8', () => {
    const count = { call: 0, ask: 0, answer: 0, none: 0 };
    for (let seed = 0; seed < 2000; seed++) count[branchOf(viewOf({ seed, difficulty: 50 }), defaultMix.branches)]++;
    for (const branch of ['call', 'ask', 'answer', 'none'] as const)
      expect(Math.abs(count[branch] / 2000 - defaultMix.branches[branch])).toBeLessThan(0.03);
    expect(branchOf(viewOf({ seed: 3, difficulty: 7 }), only('none'))).toBe('call');
    expect(branchOf(viewOf({ seed: 3, difficulty: 8 }), only('none'))).toBe('none');
  });

  test('asks for a question only where a tool requires something', () => {
    const free = viewWith().tools.map((tool) => ({ ...tool, parameters: { type: 'object', properties: {} } }));
    expect(branchOf(viewWith(), only('ask'))).toBe('ask');
    expect(branchOf({ ...viewWith(), tools: free }, only('ask'))).toBe('call');
  });

  test('is what the model is prompted with, the complaints of earlier attempts in it, and a schema where the server can hold it to one', () => {
    const view = viewWith();
    const posed = (structured: boolean, complaints: readonly string[]) =>
      lmTaskWriter(prose.task, lmSettings(only('ask'), { structured })).pose(view, complaints, 1);
    const brief: TaskBrief = { view, branch: 'ask' };
    expect(posed(true, [])).toEqual({
      kind: 'chat',
      messages: prose.task.prompt(brief, []),
      schema: prose.task.schema(brief),
      maxTokens: 2048,
      temperature: 1,
    });
    expect(posed(false, ['too long'])).toMatchObject({ messages: prose.task.prompt(brief, ['too long']) });
    expect(posed(false, [])).not.toHaveProperty('schema');
  });
});
