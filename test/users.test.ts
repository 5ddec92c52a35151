import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UserAnswer, UserView } from '../src/simulation/contract.ts';
import { dunno, fillers, lexicon, slots } from '../src/simulation/procedural/lexicon.ts';
import { personas } from '../src/simulation/procedural/personas.ts';
import { proceduralUser } from '../src/simulation/procedural/user.ts';
import { writeTask } from '../src/simulation/procedural/task.ts';
import { viewOf } from './support/arbitraries.ts';

const intent: UserView['intent'] = {
  summary: 'buy',
  requests: ['buy item lamp', 'cancel code it'],
  facts: { count: '7', item: 'amber birch' },
};

/** What a user says after these agent texts. */
function answer(persona: string, agent: readonly string[], seed = 1): UserAnswer {
  const conversation = [
    { role: 'user' as const, text: intent.requests[0] as string },
    ...agent.map((text) => ({ role: 'agent' as const, text })),
  ];
  const view: UserView = { persona, intent, conversation };
  const posed = proceduralUser.pose(view, [], seed);
  const reading = proceduralUser.read(posed.kind === 'reply' ? posed.reply : null, view);
  if (!reading.ok) throw new Error(reading.complaint);
  return reading.answer;
}

describe.each(personas)('$name', ({ name }) => {
  test('tells what it knows when asked, whatever else it says', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        expect(` ${answer(name, ['ask item'], seed).text} `).toContain(' amber birch ');
        expect(answer(name, ['ask item'], seed).text).not.toContain('7');
      }),
      { numRuns: 50 },
    );
  });

  test('speaks words of the lexicon, and besides the answer only the word asked for and fillers', () => {
    const known = new Set(lexicon);
    const item = slots.find(({ word }) => word === 'item');
    const harmless = new Set(['amber', 'birch', 'item', ...(item?.synonyms ?? []), ...fillers]);
    for (let seed = 0; seed < 100; seed++) {
      const said = answer(name, ['ask item'], seed).text.split(' ');
      expect(said.filter((word) => !known.has(word) || !harmless.has(word))).toEqual([]);
    }
  });

  test('says so when it was never given the answer', () => {
    expect(answer(name, ['ask day']).text.split(' ')).toContain(dunno);
    expect(answer(name, ['ask']).text.split(' ')).toContain(dunno);
    expect(answer(name, ['ask __proto__']).text.split(' ')).toContain(dunno);
    expect(answer(name, ['ask constructor']).text.split(' ')).toContain(dunno);
  });

  test('goes on to its next request when the former is served, and is done after the last', () => {
    expect(answer(name, ['done'])).toEqual({ text: 'cancel code it', done: false });
    expect(answer(name, ['ask count', 'missing'])).toEqual({ text: 'cancel code it', done: false });
    expect(answer(name, ['done', 'answer lamp'])).toEqual({ text: '', done: true });
  });

  test('is done when refused', () => {
    expect(answer(name, ['none'])).toEqual({ text: '', done: true });
  });

  test("repeats its request when it did not understand, and does not do the agent's work", () => {
    expect(answer(name, ['amber amber'])).toEqual({ text: 'buy item lamp', done: false });
    expect(answer(name, ['done', 'buy buy'])).toEqual({ text: 'cancel code it', done: false });
  });
});

test('chatty people say more than terse ones', () => {
  const length = (name: string): number =>
    Array.from({ length: 200 }, (_, seed) => answer(name, ['ask item'], seed).text.length).reduce((a, b) => a + b, 0);
  expect(length('novice, chatty')).toBeGreaterThan(length('expert, terse') * 1.3);
});

test('a persona nobody knows talks tersely', () => {
  expect(answer('a pirate', ['ask item']).text).toBe('amber birch');
});

test('the same seed gives the same words', () => {
  expect(answer('novice, vague', ['ask item'], 3)).toEqual(answer('novice, vague', ['ask item'], 3));
});

test('tasks give every persona its turn, in step with the aspect', () => {
  const seen = new Map<string, number>();
  for (let seed = 0; seed < 300; seed++) {
    const task = writeTask(viewOf({ seed, difficulty: 90 }));
    expect(personas.find(({ name }) => name === task.persona)?.level).toBe(task.aspects.persona.value);
    seen.set(task.persona, (seen.get(task.persona) ?? 0) + 1);
  }
  expect(seen.size).toBe(personas.length);
});
