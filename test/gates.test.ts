import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../src/protocol/json.ts';
import type { Verdict } from '../src/protocol/outcome.ts';
import type { CriterionName, Task } from '../src/protocol/task.ts';
import type { ToolSpec } from '../src/protocol/tool.ts';
import type { Turn } from '../src/protocol/turn.ts';
import type { Patch, World } from '../src/protocol/world.ts';
import { seedOf } from '../src/random.ts';
import { examine } from '../src/simulation/verdict/gates.ts';
import { oracle, play } from '../src/simulation/procedural/oracle.ts';
import { callSlips, slipping, wordSlips, type Slip } from '../src/simulation/procedural/slips.ts';
import { solutionOf } from '../src/simulation/procedural/solution.ts';
import { writeTask } from '../src/simulation/procedural/task.ts';
import { applyPatch } from '../src/simulation/state.ts';
import { viewOf } from './support/arbitraries.ts';

const slips: readonly (Slip | 'oracle')[] = ['oracle', ...wordSlips, ...callSlips];
const agentOf = (slip: Slip | 'oracle', seed: number) => (slip === 'oracle' ? oracle : slipping(slip, seed));

/** A task with its solution as a language model's task has it: what each expected call was answered in rehearsal. */
const rehearsed = (task: Task): Task => ({
  ...task,
  rehearsal: solutionOf(task).results.map(({ status, result }) => ({ status, result, patch: [] })),
});

interface Case {
  readonly slip: Slip | 'oracle';
  readonly truth: Verdict;
  readonly task: Task;
  readonly seen: ReturnType<typeof examine>;
}
function cases(count: number, shown = rehearsed): Case[] {
  const found: Case[] = [];
  for (let seed = 0; found.length < count; seed++) {
    const task = writeTask(viewOf({ seed, difficulty: 1 + (seed % 100) }));
    for (const slip of slips) {
      const { turns, world, verdict } = play(task, agentOf(slip, seedOf(seed, slip)));
      if (verdict === null) continue;
      found.push({ slip, task, truth: verdict, seen: examine({ task: shown(task), turns, world }) });
    }
  }
  return found;
}

describe('on episodes of the procedural world', () => {
  const played = cases(4000);
  const agreement = (same: (each: Case) => boolean): number => played.filter(same).length / played.length;
  const gate = ({ seen }: Case, name: string): boolean => seen.gates.find((each) => each.name === name)?.passed === true;
  const ruledGate = ({ truth }: Case, name: string): boolean => truth.gates.find((each) => each.name === name)?.passed === true;
  const met = ({ truth }: Case, name: CriterionName): boolean => truth.criteria.find((each) => each.name === name)?.met === true;
  const evidence = ({ truth }: Case, name: CriterionName): string => truth.criteria.find((each) => each.name === name)?.evidence ?? '';
  const fails = ({ seen }: Case): boolean => seen.gates.some(({ passed }) => !passed);

  test('no gate fails an episode that the world itself calls well done or half done', () => {
    expect(played.filter((each) => fails(each) && each.truth.reward !== -1).map(({ slip, seen }) => [slip, seen.gates])).toEqual([]);
  });

  test.each(['knownTool', 'schema', 'groundedArguments'])('%s agrees with the gate of the same name', (name) => {
    expect(agreement((each) => gate(each, name) === ruledGate(each, name))).toBeGreaterThan(0.998);
  });

  test('expectedCalls fails where the world misses a call', () => {
    expect(agreement((each) => gate(each, 'expectedCalls') === !/^call \d/.test(evidence(each, 'intent')))).toBeGreaterThan(0.998);
  });

  test('sideEffects fails where all was done and the world is not as wished', () => {
    const spoilt = played.filter((each) => /world/.test(evidence(each, 'intent')) && gate(each, 'expectedCalls'));
    expect(spoilt.length).toBeGreaterThan(5);
    expect(spoilt.filter((each) => gate(each, 'sideEffects')).length).toBeLessThanOrEqual(0.1 * spoilt.length);
  });

  test.each(['tools', 'efficient', 'concise'] as const)('where code settles %s, the world agrees', (name) => {
    const settled = played.filter(({ seen }) => !seen.findings[name].open);
    const same = settled.filter((each) => each.seen.findings[name].met === met(each, name));
    // A call refused twice alike is a repetition here; the world counts calls alone.
    expect(same.length / settled.length).toBeGreaterThan(name === 'concise' ? 0.99 : 0.998);
    if (name === 'tools' || name === 'efficient') expect(settled.length).toBe(played.length);
  });

  test('whether words without digits were heard is left to who can read them', () => {
    expect(played.every(({ seen }) => seen.findings.grounded.open)).toBe(true);
  });

  test('what rules leave open is what was said, and nothing that was done', () => {
    const open = played.filter((each) => each.truth.reward === -1 && !fails(each));
    const slipped = open.filter(
      ({ slip }) => (wordSlips as readonly string[]).includes(slip) || slip === 'random' || slip === 'silent' || slip === 'skipped',
    );
    expect(open.length).toBeGreaterThan(100);
    expect(slipped.length / open.length).toBeGreaterThan(0.95);
  });

  test('without a rehearsal, the calls themselves are what is expected', () => {
    const bare = cases(600, (task) => task);
    expect(bare.filter((each) => fails(each) && each.truth.reward === 1)).toEqual([]);
    const missed = bare.filter((each) => /^call \d/.test(evidence(each, 'intent')));
    expect(missed.filter((each) => !fails(each)).length / missed.length).toBeLessThan(0.02);
  });
});

describe('in a world of any language', () => {
  const tool = (name: string, parameters: JsonObject, effects: ToolSpec['effects'] = 'read'): ToolSpec => ({
    name,
    description: name,
    parameters: { type: 'object', properties: parameters },
    effects,
    category: 'travel',
    source: 'test',
  });
  const base = writeTask(viewOf({ seed: 1, difficulty: 30 }));
  const task: Task = {
    ...base,
    branch: 'call',
    tools: [
      tool('find_flights', {
        from: { type: 'string' },
        to: { type: 'string' },
        date: { type: 'string' },
        cabin: { enum: ['economy', 'business'] },
      }),
      tool(
        'book_flight',
        { flight: { type: 'string', description: 'With 40kg of luggage.' }, passengers: { type: 'integer' }, note: { type: 'string' } },
        'write',
      ),
    ],
    system: 'You are the desk of Acme Air.',
    intent: {
      summary: 'book the first flight',
      requests: ['Fly two of us from Paris to New York, tomorrow, up front if you can'],
      facts: {},
    },
    query: 'Fly two of us from Paris to New York, tomorrow, up front if you can',
    expectedCalls: [
      { name: 'find_flights', arguments: { from: 'paris', to: 'New York', date: '2026-11-22', cabin: 'business' }, needs: [], turn: 0 },
      { name: 'book_flight', arguments: { flight: 'AA-12', passengers: 2 }, needs: [0], turn: 0 },
    ],
    rehearsal: [
      { status: 'ok', result: { flights: [{ id: 'AA-12', price: 420.5, leaves: '2026-11-22T08:30' }] }, patch: [] },
      { status: 'ok', result: { booking: 'B7' }, patch: [{ op: 'put', collection: 'bookings', id: 'B7', record: { flight: 'AA-12' } }] },
    ],
    world: { entities: {}, occurrences: {} },
    criteria: ['intent', 'tools', 'grounded', 'concise', 'efficient'],
  };
  const user: Turn = { role: 'user', text: task.query };
  const say = (text: string): Turn => ({ role: 'agent', thought: '', text, calls: [] });
  const make = (index: 0 | 1, change: JsonObject = {}): Turn[] => {
    const { name, arguments: args } = task.expectedCalls[index] as Task['expectedCalls'][number];
    const answer = task.rehearsal?.[index] as NonNullable<Task['rehearsal']>[number];
    const call = { name, arguments: { ...args, ...change } };
    return [
      { role: 'agent', thought: '', text: '', calls: [call] },
      { role: 'tool', call, ...answer },
    ];
  };
  const worldAfter = (turns: readonly Turn[]): World =>
    turns.reduce((world, turn) => (turn.role === 'tool' ? applyPatch(world, turn.patch) : world), task.world);
  const seen = (...turns: Turn[]) => examine({ task, turns, world: worldAfter(turns) });
  const failed = (...turns: Turn[]): string[] => seen(...turns).gates.flatMap(({ name, passed }) => (passed ? [] : [name]));
  const good: Turn[] = [user, ...make(0), ...make(1), say('Booked: AA-12 for $420.50, your booking is B7.')];

  test('the solution passes every gate, values nobody can say word for word among them', () => {
    expect(failed(...good)).toEqual([]);
    expect(Object.values(seen(...good).findings).every(({ met }) => met)).toBe(true);
  });

  test('values are said across case, accents of punctuation and number words', () => {
    expect(failed(user, ...make(0, { from: 'PARIS', to: 'new-york' }), ...make(1, { passengers: 2 }), say('Booked.'))).toEqual([]);
  });

  test('a value nobody said fails, in the leaf of an object too', () => {
    expect(failed(user, ...make(0, { to: 'Boston' }), ...make(0), ...make(1), say('Booked.'))).toContain('groundedArguments');
    expect(failed(user, ...make(0, { where: { deep: ['Boston'] } }), ...make(1), say('Booked.'))).toContain('groundedArguments');
  });

  test('a few words may be said in another order, but none that nobody said, and no number', () => {
    const noted = (note: string): string[] => failed(user, ...make(0), ...make(1, { note }), say('Booked.'));
    expect(noted('New York, Paris')).not.toContain('groundedArguments');
    expect(noted('Boston, Paris')).toContain('groundedArguments');
    expect(noted('12 AA')).toContain('groundedArguments');
  });

  test('composed text may be put in own words, but its numbers must be known', () => {
    expect(failed(user, ...make(0), ...make(1, { note: 'Please seat them together if possible' }), say('Booked.'))).not.toContain(
      'groundedArguments',
    );
    expect(failed(user, ...make(0), ...make(1, { note: 'Please charge the card 4929111 at once' }), say('Booked.'))).toContain(
      'groundedArguments',
    );
  });

  test('an expected call is not made by one that came before what it needs', () => {
    expect(failed(user, ...make(1), ...make(0), say('Booked.'))).toContain('expectedCalls');
  });

  test('a look-up in other words that finds the same is as good', () => {
    expect(failed(user, ...make(0, { from: 'Paris', cabin: 'business' }), ...make(1), say('Booked.'))).toEqual([]);
  });

  test('a change of something else is none of the expected, though it is answered alike', () => {
    const cancel = (id: string): Turn[] => {
      const call = { name: 'cancel', arguments: { id } };
      const patch: Patch = [{ op: 'merge', collection: 'bookings', id, fields: { state: 'cancelled' } }];
      return [
        { role: 'agent', thought: '', text: '', calls: [call] },
        { role: 'tool', call, status: 'ok', result: { ok: true }, patch },
      ];
    };
    const wants: Task = {
      ...task,
      tools: [tool('cancel', { id: { type: 'string' }, note: { type: 'string' }, refund: { type: 'boolean', default: true } }, 'write')],
      intent: { summary: 'cancel B-1', requests: ['Cancel b-1, not B-2; I am ill'], facts: {} },
      query: 'Cancel b-1, not B-2; I am ill',
      expectedCalls: [{ name: 'cancel', arguments: { id: 'B-1' }, needs: [], turn: 0 }],
      rehearsal: cancel('B-1').flatMap((turn) =>
        turn.role === 'tool' ? [{ status: turn.status, result: turn.result, patch: turn.patch }] : [],
      ),
      world: {
        entities: { bookings: { 'B-1': { state: 'booked' }, 'b-1': { state: 'booked' }, 'B-2': { state: 'booked' } } },
        occurrences: {},
      },
    };
    const made = (args: JsonObject): Turn[] =>
      cancel('B-1').map((turn) => (turn.role === 'tool' ? { ...turn, call: { name: 'cancel', arguments: args } } : turn));
    const gatesOf = (...turns: Turn[]): string[] => {
      const world = turns.reduce((after, turn) => (turn.role === 'tool' ? applyPatch(after, turn.patch) : after), wants.world);
      return examine({ task: wants, turns, world }).gates.flatMap(({ name, passed }) => (passed ? [] : [name]));
    };
    expect(gatesOf(...cancel('B-2'), say('It is cancelled.'))).toEqual(['expectedCalls', 'sideEffects']);
    // What is asked for in other letters, with what goes without saying, or with more besides, is what is asked for.
    for (const args of [{ id: 'b-1' }, { id: 'B-1', refund: true }, { id: 'B-1', note: 'ill' }])
      expect(gatesOf(...made(args), say('It is cancelled.'))).toEqual([]);
  });

  test('a look-up that writes down what nobody had written changes nothing that anybody asked for', () => {
    const looked = make(0, { date: 'tomorrow' }).map((turn): Turn =>
      turn.role === 'tool' ? { ...turn, result: 7, patch: [{ op: 'put', collection: 'fares', id: 'F1', record: { price: 7 } }] } : turn,
    );
    expect(failed(user, ...looked, ...make(0), ...make(1), say('Booked.'))).toEqual([]);
  });

  test('a second booking changes what nobody asked to be changed', () => {
    const twice = make(1).map((turn): Turn =>
      turn.role === 'tool' ? { ...turn, patch: [{ op: 'put', collection: 'bookings', id: 'B8', record: {} }] } : turn,
    );
    expect(failed(user, ...make(0), ...make(1), ...twice, say('Booked.'))).toEqual(['sideEffects']);
  });

  test('numbers and quotations that nobody said are made up; small counts are not', () => {
    for (const text of ['Booked for $399.', 'Your code is ZX-81.', 'The captain is “Ann Bonny”.'])
      expect(seen(...good.slice(0, -1), say(text)).findings.grounded).toMatchObject({ met: false, open: false });
    for (const text of ['Booked 2 seats on AA-12.', 'Step 3 is done.', 'It costs 420.50.', 'I booked "AA-12".'])
      expect(seen(...good.slice(0, -1), say(text)).findings.grounded).toEqual({ met: true, open: true });
  });

  test('an answer that is expected must be given', () => {
    const asked: Task = { ...task, expectedCalls: [], rehearsal: [], branch: 'answer', expectedAnswer: 'gate 14' };
    const gates = (text: string) => examine({ task: asked, turns: [user, say(text)], world: task.world }).gates;
    expect(gates('It is Gate 14.').every(({ passed }) => passed)).toBe(true);
    expect(
      gates('It is gate 4.')
        .filter(({ passed }) => !passed)
        .map(({ name }) => name),
    ).toEqual(['expectedAnswer']);
  });

  test.each([
    ['true', 'Yes, there is a seat.'],
    ['2026-11-22T08:30:00Z', 'It leaves on 22 November, at half past eight.'],
    ['Bags may be checked in until an hour before', 'You can check your bag in until one hour before.'],
  ])('whether an answer of many forms was given, as %s, is for who reads', (expectedAnswer, text) => {
    const asked: Task = { ...task, expectedCalls: [], rehearsal: [], branch: 'answer', expectedAnswer };
    const { gates, findings } = examine({ task: asked, turns: [user, say(text)], world: task.world });
    expect(gates.every(({ passed }) => passed)).toBe(true);
    expect(findings.intent.open).toBe(true);
  });

  test.each([
    'I am sorry, I cannot do that: none of my tools can book trains.',
    'Unfortunately that is not possible here.',
    'I have no tool that orders food. You could ask the restaurant itself.',
    'I could look up a flight for you, but I am unable to cancel one that was booked elsewhere.',
    'That is not something I can help with; please contact the airline.',
    'I am afraid trains can only be booked at the station.',
    'I do not have a tool for orders that were placed elsewhere.',
  ])('a plain refusal is no trick and no claim: %s', (text) => {
    const refused: Task = { ...task, branch: 'none', expectedCalls: [], rehearsal: [] };
    expect(examine({ task: refused, turns: [user, say(text)], world: task.world }).gates.filter(({ passed }) => !passed)).toEqual([]);
  });

  test.each([
    'Your flight AA-12 is booked. The booking is B7.',
    'Done! You fly on AA-12 for $420.50; your reference is B7.',
    'All set: two seats on AA-12. Is there anything else?',
    'Booked.\n- flight: AA-12\n- price: 420.50\n- booking: B7',
    'Of the flights that meet your criteria I booked AA-12, on the 22nd, in "business".',
    'AA-12 leaves at 8:30, or 8:30am, and lands at 11pm; you may take 40kg.',
  ])('what a good agent says at the end is no trick: %s', (text) => {
    expect(failed(...good.slice(0, -1), say(text))).toEqual([]);
    expect(seen(...good.slice(0, -1), say(text)).findings.grounded.met).toBe(true);
  });

  test('words of the court are free to whoever hears them first', () => {
    const { task: asked } = { task: { ...task, query: 'Which flight does judge Ito take?' } };
    const gates = (query: string) =>
      examine({ task: asked, turns: [{ role: 'user', text: query }, say('Judge Ito takes AA-12.')], world: task.world }).gates;
    expect(gates(asked.query).find(({ name }) => name === 'plainSpeech')?.passed).toBe(true);
    expect(
      examine({ task, turns: [user, say('Judge, look: all is well.')], world: task.world }).gates.find(({ name }) => name === 'plainSpeech')
        ?.passed,
    ).toBe(false);
  });

  test('no text makes a gate slow', () => {
    const long = [
      '1,'.repeat(50_000),
      '"'.repeat(100_000),
      'a1-'.repeat(40_000),
      '<|'.repeat(50_000),
      ' '.repeat(100_000) + ':',
      '\n'.repeat(100_000),
    ];
    for (const text of long)
      failed(user, say(text), { role: 'agent', thought: '', text: '', calls: [{ name: 'book_flight', arguments: { note: text } }] });
    expect(failed(user, say(long.join(' ')))).toContain('expectedCalls');
  }, 5000);
});
