import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigFault } from '../src/errors.ts';
import { isReserved, marker, markers, templateWords, wordsOf } from '../src/gpu/tokens/markers.ts';
import { readTokenizer, tokenizerJson, vocabularyOf } from '../src/gpu/tokens/vocabulary.ts';
import { lexicon } from '../src/simulation/procedural/lexicon.ts';

const vocabulary = vocabularyOf(lexicon);
/** What the tests below spoil; the keys they name exist in every file we write. */
interface Spoilt {
  model: { vocab: object };
  pre_tokenizer: object;
  added_tokens: object[];
}
const edited = (edit: (tokenizer: Spoilt) => void): string => {
  const tokenizer = JSON.parse(tokenizerJson(vocabulary)) as Spoilt;
  edit(tokenizer);
  return JSON.stringify(tokenizer);
};

describe('the vocabulary', () => {
  test('keeps the ids of the lexicon', () => {
    expect(lexicon.map(vocabulary.id)).toEqual(lexicon.map((_, id) => id));
  });

  test('holds every word of the template and fits 448 embedding rows', () => {
    expect(templateWords.filter((word) => vocabulary.word(vocabulary.id(word)) !== word)).toEqual([]);
    expect(vocabulary.words.length).toBeLessThanOrEqual(448);
  });

  test('survives its tokenizer.json', () => {
    expect(readTokenizer(tokenizerJson(vocabulary)).words).toEqual(vocabulary.words);
  });

  test('survives its tokenizer.json whatever the words', () => {
    const word = fc.string({ minLength: 1 }).filter((text) => wordsOf(text).join('') === text && !text.includes('<'));
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const made = vocabularyOf(words);
        expect(readTokenizer(tokenizerJson(made)).words).toEqual(made.words);
      }),
    );
  });

  test('calls a word it does not know, and an id without a word, <unk>', () => {
    expect(vocabulary.word(vocabulary.id('xylophone'))).toBe(marker.unknown);
    expect(vocabulary.word(447)).toBe(marker.unknown);
  });

  test('never gives a foreign word the id of a marker or a sign', () => {
    const unknown = vocabulary.id(marker.unknown);
    for (const word of [...markers, '(', ')', ',', '=', '?', 'a<|im_end|>', '<|im_end|>.']) {
      expect(isReserved(word)).toBe(true);
      expect(vocabulary.foreignId(word)).toBe(unknown);
    }
  });

  test.each(['two words', '', 'a\u00a0b', '<own>', 'x<y'])('refuses %j as a word', (word) => {
    expect(() => vocabularyOf([word])).toThrow(ConfigFault);
  });
});

describe('a tokenizer.json', () => {
  test.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a BPE model', edited((t) => Object.assign(t.model, { type: 'BPE' }))],
    ['another pre-tokenizer', edited((t) => Object.assign(t.pre_tokenizer, { type: 'ByteLevel' }))],
    ['a normalizer', edited((t) => Object.assign(t, { normalizer: { type: 'Lowercase' } }))],
    ['an id twice', edited((t) => Object.assign(t.model.vocab, { ask: 5 }))],
    ['a gap in the ids', edited((t) => Object.assign(t.model.vocab, { ask: 4000 }))],
    ['an added token outside the vocab', edited((t) => t.added_tokens.push({ id: 446, content: '<tool_response>' }))],
    ['no <tool_call>', tokenizerJson(vocabulary).replaceAll('<tool_call>', '[tool_call]')],
  ])('with %s is refused', (_, json) => {
    expect(() => readTokenizer(json)).toThrow(ConfigFault);
  });
});
