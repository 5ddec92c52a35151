/** What the filter box offers and what its chips write. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EpisodeList } from '../src/viewer/contract.ts';
import { filterOf } from '../src/record/filter.ts';
import { completed, completionsAt } from '../src/viewer/page/filter/completion.ts';
import { hasTerm, termOf, toggled } from '../src/viewer/page/filter/terms.ts';

const facets: EpisodeList['facets'] = {
  outcome: [
    { value: 'scored', count: 12 },
    { value: 'simulatorFault.tool', count: 3 },
  ],
  branch: [{ value: 'call', count: 15 }],
  step: [{ value: 's00001', count: 15 }],
  tool: [
    { value: 'refund', count: 4 },
    { value: 'say "hi"', count: 1 },
  ],
  reward: [
    { value: '-1', count: 5 },
    { value: 'null', count: 3 },
  ],
};

/** `|` is the caret. */
const offered = (text: string): string[] => {
  const caret = text.indexOf('|');
  return completionsAt(text.replace('|', ''), caret, facets).list.map(({ title }) => title);
};
const taken = (text: string, title: string): string => {
  const caret = text.indexOf('|');
  const plain = text.replace('|', '');
  const found = completionsAt(plain, caret, facets);
  const choice = found.list.find((one) => one.title === title);
  if (choice === undefined) throw new Error(`${title} is not offered at ${text}`);
  const next = completed(plain, found, choice);
  return `${next.text.slice(0, next.caret)}|${next.text.slice(next.caret)}`;
};

describe('completion', () => {
  test.each([
    ['|', ['reward', 'D', 'outcome']],
    ['re|', ['reward', 'reason']],
    ['reward<0 && ou|', ['outcome', 'group']],
    ['(re|', ['reward', 'reason']],
    ['!to|', ['tool', 'tokens']],
    ['reward|', ['==', '!=', '<']],
    ['reward|<0', ['==', '!=', '<']],
    ['reward |', ['==', '!=', '<', '<=', '>', '>=']],
    ['tool |', ['==', '!=', '~']],
    ['tool==|', ['refund', 'say "hi"', 'null']],
    ['tool~|', ['refund', 'say "hi"']],
    ['tool=="re|', ['refund']],
    ['tool=="re|" && D>3', ['refund']],
    ['outcome==sim|', ['simulatorFault.tool']],
    ['branch==a|', ['ask', 'answer', 'call']],
    ['reward==|', ['-1', 'null', '0', '1']],
    ['reward<|', ['-1', '0', '1']],
    ['text~"inv|', []],
    ['query|~"x"', ['==', '!=', '~']],
    ['reward<0 |', ['&&', '||']],
    ['(reward<0)|', ['&&', '||']],
    ['constructor==|', []],
  ] as [string, string[]][])('at %s offers what may stand there', (text, expected) => {
    expect(offered(text).slice(0, Math.max(expected.length, 1))).toEqual(expected);
  });

  test.each([
    ['re|', 'reward', 'reward|'],
    ['reward |', '<', 'reward <|'],
    ['query|~"x"', '==', 'query==|"x"'],
    ['tool==|', 'refund', 'tool=="refund"|'],
    ['tool=="re|" && D>3', 'refund', 'tool=="refund"| && D>3'],
    ['tool==|', 'say "hi"', String.raw`tool=="say \"hi\""|`],
    ['tool==|', 'null', 'tool==null|'],
    ['reward==|', '-1', 'reward==-1|'],
    ['reward<0|', '&&', 'reward<0 && |'],
  ])('at %s writes %s', (text, title, expected) => {
    expect(taken(text, title)).toBe(expected);
  });

  test('never fails, and replaces only what is there', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.nat(), (text, at) => {
        const caret = at % (text.length + 1);
        const found = completionsAt(text, caret, facets);
        expect(found.from).toBeLessThanOrEqual(found.to);
        expect(found.to).toBeLessThanOrEqual(text.length);
        for (const choice of found.list) expect(completed(text, found, choice).caret).toBeGreaterThanOrEqual(found.from);
      }),
    );
  });
});

describe('a chip', () => {
  const term = (field: string, value: string) => {
    const made = termOf(field, value);
    if (made === null) throw new Error('no field');
    return made;
  };
  test('adds its term, and takes it away again', () => {
    expect(toggled('', term('tool', 'refund'))).toBe('tool=="refund"');
    expect(toggled('reward<0', term('reward', 'null'))).toBe('reward<0 && reward==null');
    expect(toggled('reward<0 || D>3', term('branch', 'ask'))).toBe('(reward<0 || D>3) && branch=="ask"');
    expect(toggled('reward<0 && tool=="refund"', term('tool', 'refund'))).toBe('reward<0');
    expect(toggled('tool==refund', term('tool', 'refund'))).toBe('');
    expect(toggled('reward <', term('branch', 'ask'))).toBe('branch=="ask"');
    expect(hasTerm('D>3 && tool==refund', term('tool', 'refund'))).toBe(true);
    expect(hasTerm('D>3 || tool==refund', term('tool', 'refund'))).toBe(false);
  });

  test('of any value, however strange, writes a filter, and pressed twice leaves none of it', () => {
    fc.assert(
      fc.property(fc.constantFrom('outcome', 'tool', 'branch', 'step'), fc.string({ unit: 'binary', maxLength: 60 }), (field, value) => {
        const once = toggled('D>3', term(field, value));
        expect(filterOf(once).kind).toBe('filter');
        expect(hasTerm(once, term(field, value))).toBe(true);
        expect(toggled(once, term(field, value))).toBe('D>3');
      }),
    );
  });
});
