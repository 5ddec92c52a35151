/** The filter language: what it means, that text and expression are one, and that no text can break it. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filterOf, folded } from '../src/record/filter.ts';
import { fieldNames, fields, type FieldName, type FilterRow, operatorsOf } from '../src/record/filter-fields.ts';
import { deepestFilter, type Expression, longestFilter, parseFilter, printFilter } from '../src/record/filter-parse.ts';

const row: FilterRow = {
  episode: 's00012.t003.e01',
  group: 's00012.t003',
  step: 's00012',
  member: 1,
  D: 40,
  branch: 'call',
  split: 'train',
  outcome: 'scored',
  reason: 'grounded',
  reward: -1,
  turns: 6,
  calls: 2,
  tools: ['refund', 'find_order'],
  malformed: 1,
  sampledTokens: 250,
  version: 11,
  query: 'Please cancel my order',
  fate: 'trained',
};

const passes = (text: string, of: FilterRow = row, said = 'The INVOICE is paid'): boolean => {
  const filter = filterOf(text);
  if (filter.kind === 'mistake') throw new Error(filter.message);
  return filter.matches(of) ?? filter.matchesSaid(of, folded(said));
};
const mistakeOf = (text: string) => {
  const read = parseFilter(text);
  if (read?.kind !== 'mistake') throw new Error(`${text} is a filter`);
  return read;
};

describe('a filter', () => {
  test.each([
    ['reward<0 && tool=="refund" && D>=40 && text~"invoice"', true],
    ['reward<0 && tool=="refund" && D>=41 && text~"invoice"', false],
    ['', true],
    ['  \n ', true],
    ['reward==-1', true],
    ['reward==−1', true],
    ['reward!=-1', false],
    ['reward==null', false],
    ['reward!=null', true],
    ['reward>=0 || calls==2', true],
    ['!(reward>=0) && !tool==null', true],
    ['tool!=refund', false],
    ['tool!=search', true],
    ['tool~FIND', true],
    ['outcome==scored', true],
    ['outcome==Scored', false],
    ['outcome~SCORED', true],
    ['step==12', true],
    ['step=="s00012"', true],
    ['step<"s00013" && step>11.5', true],
    ['step~"012"', true],
    ["query~'CANCEL my'", true],
    ['"invoice"', true],
    ['"bill"', false],
    ['!text~"bill"', true],
    ['malformed>0 && member==1 && version==11 && tokens>=250 && turns==6', true],
    ['fate==trained && branch=="call" && split=="train"', true],
    ['reward<0||reward>0&&calls==99', true],
    ['(reward<0||reward>0)&&calls==99', false],
    ['episode~".e01" && group=="s00012.t003" && reason~ground', true],
    [String.raw`query~"\u0063ancel"`, true],
  ])('%s → %s', (text, expected) => {
    expect(passes(text)).toBe(expected);
  });

  test('compares null with nothing: it is unequal to every figure, and neither less nor more', () => {
    const unscored = { ...row, reward: null, version: null, episode: null, tools: [], malformed: null };
    for (const [text, expected] of [
      ['reward==null', true],
      ['reward!=0', true],
      ['reward<1', false],
      ['reward>=-1', false],
      ['version==null && episode==null && tool==null && malformed==null', true],
      ['reason==null', false],
    ] as const)
      expect([text, passes(text, unscored)]).toEqual([text, expected]);
    expect(passes('reason==null', { ...row, reason: '' })).toBe(true);
  });

  test('asks for what was said only where the row leaves it open', () => {
    const known = (text: string): boolean | null => {
      const filter = filterOf(text);
      return filter.kind === 'filter' ? filter.matches(row) : null;
    };
    expect(known('reward>0 && text~"a"')).toBe(false);
    expect(known('reward<0 || text~"a"')).toBe(true);
    expect(known('reward<0 && text~"a"')).toBe(null);
    expect(known('!(reward>0 && text~"a")')).toBe(true);
  });
});

describe('a mistake', () => {
  test.each([
    ['rewrd<0', 0, 5, 'there is no field rewrd; did you mean reward?'],
    ['d>=40', 0, 1, 'did you mean D?'],
    ['constructor==1', 0, 11, 'there is no field constructor'],
    ['reward=0', 6, 7, 'to compare, write =='],
    ['reward<0 and D>3', 9, 12, 'for and, write &&'],
    ['not reward<0', 0, 3, 'for not, write !'],
    ['reward<0 & D>3', 9, 10, 'write &&'],
    ['reward', 6, 6, '== != < <= > >= after reward is missing at the end'],
    ['reward<', 7, 7, 'a number after < is missing at the end'],
    ['reward<"0"', 7, 10, 'reward is a number: reward<0'],
    ['reward<null', 7, 11, 'null is only == or !='],
    ['tool<3', 4, 5, 'takes == != ~: tool=="refund"'],
    ['text=="x"', 4, 6, 'takes ~: text~"invoice"'],
    ['turns>60s', 6, 9, '60s is no number'],
    ['reward<0 &&', 11, 11, 'is missing at the end'],
    ['(reward<0', 0, 1, 'this ( is never closed'],
    ['reward<0)', 8, 9, 'this ) closes nothing'],
    ['reward<0 D>3', 9, 10, 'here must be && or ||'],
    ['query~"abc', 6, 10, 'the quote is never closed'],
    [String.raw`query~"a\qc"`, 8, 10, 'after \\ comes one of'],
    ['reward<1e999', 7, 12, 'too large'],
    ['😀', 0, 2, '“😀” means nothing'],
  ])('in %s stands at %i and says what to write', (text, at, end, message) => {
    const found = mistakeOf(text);
    expect([found.at, found.end]).toEqual([at, end]);
    expect(found.message).toContain(message);
  });

  test('is to be longer or deeper than anybody writes', () => {
    expect(mistakeOf(`text~"${'x'.repeat(longestFilter)}"`).message).toContain('at most 2000 characters');
    for (const deep of ['(', '!', '!(']) expect(mistakeOf(`${deep.repeat(deepestFilter + 2)}reward<0`).message).toMatch(/deep|closed/);
    expect(passes(`${'!'.repeat(deepestFilter)}reward<0`)).toBe(true);
  });
});

const figure = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })).map((value) => (value === 0 ? 0 : value));
const words = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('null', '"', '\\', '\ud800', '\u202e', '__proto__'));
const comparison = fc.constantFrom<FieldName>(...fieldNames).chain((field) =>
  fc.constantFrom(...operatorsOf[fields[field].kind]).chain((operator): fc.Arbitrary<Expression> => {
    const { kind } = fields[field];
    const plain = kind === 'number' ? figure : kind === 'step' && operator !== '~' ? fc.oneof(figure, words) : words;
    const value = operator === '==' || operator === '!=' ? fc.oneof({ weight: 5, arbitrary: plain }, fc.constant(null)) : plain;
    return value.map((value) => ({ kind: 'compare', field, operator, value }));
  }),
);
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 5 },
    comparison,
    fc.record({ kind: fc.constant('not' as const), part: tie('expression') }),
    fc.record({
      kind: fc.constantFrom('all' as const, 'any' as const),
      parts: fc.array(tie('expression'), { minLength: 2, maxLength: 3 }),
    }),
  ),
}));
const anyRow: fc.Arbitrary<FilterRow> = fc.record({
  episode: fc.option(fc.string()),
  group: fc.string(),
  step: fc.oneof(fc.constantFrom('s00001', 's00012', 'e00000.before'), fc.string()),
  member: fc.nat(),
  D: fc.integer({ min: 1, max: 100 }),
  branch: fc.string(),
  split: fc.string(),
  outcome: fc.string(),
  reason: fc.string(),
  reward: fc.option(fc.integer({ min: -1, max: 1 })),
  turns: fc.nat(),
  calls: fc.nat(),
  tools: fc.array(fc.string()),
  malformed: fc.option(fc.nat()),
  sampledTokens: fc.nat(),
  version: fc.option(fc.nat()),
  query: fc.string(),
  fate: fc.string(),
});

describe('for every text and every row', () => {
  test('a printed expression is read as the same expression', () => {
    fc.assert(
      fc.property(expression, (made) => {
        const text = printFilter(made);
        fc.pre(text.length <= longestFilter);
        expect(parseFilter(text)).toEqual(made);
      }),
      { numRuns: 1000 },
    );
  });

  test('a hostile text is a filter or a mistake with its place, and nothing is thrown', () => {
    const token = fc.constantFrom(
      'reward',
      '<',
      '==',
      '&&',
      '||',
      '!',
      '(',
      ')',
      '"',
      "'",
      '\\u12',
      '\\',
      'null',
      '-',
      '1e9',
      '~',
      'text',
      ' ',
      'tool',
      '.',
      '\0',
    );
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(token, { maxLength: 60 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(hostile, anyRow, (text, of) => {
        const read = filterOf(text);
        if (read.kind === 'mistake') {
          expect(read.at).toBeGreaterThanOrEqual(0);
          expect(read.end).toBeGreaterThanOrEqual(read.at);
          expect(read.end).toBeLessThanOrEqual(text.length);
          expect(read.message).not.toBe('');
        } else expect([true, false]).toContain(read.matches(of) ?? read.matchesSaid(of, 'a'));
      }),
      { numRuns: 3000 },
    );
  });

  test('what the row decides, the transcript does not overturn; and a filter or its opposite passes', () => {
    fc.assert(
      fc.property(expression, anyRow, fc.string(), (made, of, said) => {
        const [filter, opposite] = [made, { kind: 'not', part: made } as const].map((one) => filterOf(printFilter(one)));
        fc.pre(filter?.kind === 'filter' && opposite?.kind === 'filter');
        const known = filter.matches(of);
        const found = filter.matchesSaid(of, folded(said));
        if (known !== null) expect(found).toBe(known);
        expect(opposite.matchesSaid(of, folded(said))).toBe(!found);
      }),
      { numRuns: 1000 },
    );
  });
});
