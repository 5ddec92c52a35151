/** Whether something was said: the words of people against the values of calls. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { heardIn, isImplied, isSaid, numberWords, wordsOf } from '../src/simulation/hearing.ts';

describe('a value is said', () => {
  test.each([
    ['by its words, whatever their case and punctuation', 'Meet me at "Osteria Lucia", please', 'osteria lucia'],
    ['across an address', 'write to Ada.Lovelace@example.org!', 'ada.lovelace@example.org'],
    ['by a number in digits', 'a table for 4.', 4],
    ['by a number in words', 'we are twenty-one', 21],
    ['by a number in words where it is a text of digits', 'room forty two', '42'],
    ['by a number with separators', 'it costs 1,250,000 yen', 1_250_000],
    ['by a price', 'for $12.50', 12.5],
    ['by a share in percent', 'a tip of 15%', 0.15],
    ['by yes or no', 'yes please', true],
    ['in each of its parts', 'flour and sugar', ['sugar', 'flour']],
    ['in all its fields', 'from Oslo to Rome', { from: 'Oslo', to: 'Rome' }],
    ['by a timestamp, for its time alone', 'from 2026-11-22T08:30:00Z on', '08:30'],
    ['by its date and time', 'on 2026-11-22 at 08:30', '2026-11-22'],
    ['in any script', 'in 東京 bitte', '東京'],
  ])('%s', (_, text, value) => {
    expect(isSaid(heardIn(text), value)).toBe(true);
  });

  test.each([
    ['by a word that only contains it', 'we start now', 'art'],
    ['by a number that only contains it', 'for 14', 4],
    ['where a part is missing', 'flour', ['sugar', 'flour']],
    ['by nothing at all', 'hello', ''],
  ])('not %s', (_, text, value) => {
    expect(isSaid(heardIn(text), value)).toBe(false);
  });

  test('not across two texts', () => {
    expect(isSaid(heardIn('at Osteria', 'Lucia said so'), 'osteria lucia')).toBe(false);
  });

  test('in its own words, always', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.integer({ min: 0, max: 999_999 }), (before, value, number) => {
        if (wordsOf(value) !== '') expect(isSaid(heardIn(before, value), value)).toBe(true);
        expect(isSaid(heardIn(before, `${number}`), number)).toBe(true);
        expect(isSaid(heardIn(before, numberWords(number)), number)).toBe(true);
      }),
    );
  });
});

test('a switch is implied by the words of its parameter, and nothing else is', () => {
  expect(isImplied(heardIn('with pictures'), 'include_pictures', true)).toBe(true);
  expect(isImplied(heardIn('nothing urgent'), 'isUrgent', false)).toBe(true);
  expect(isImplied(heardIn('with pictures'), 'pictures', 'yes')).toBe(false);
});
