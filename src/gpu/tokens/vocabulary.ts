/** A word-level vocabulary in Hugging Face `tokenizer.json` form. Knows words and ids; no roles, turns or tools. */
import { ConfigFault } from '../../errors.ts';
import { isReserved, marker, markers, wordsOf } from './markers.ts';

export interface Vocabulary {
  /** Words by id. */
  readonly words: readonly string[];
  /** The id of a word or marker; the id of `<unk>` where there is none. */
  readonly id: (word: string) => number;
  /** The id of a word somebody else wrote: reserved words are unknown (markers.ts). */
  readonly foreignId: (word: string) => number;
  /** The word of an id; `<unk>` for ids no word has (embedding rows may outnumber the words). */
  readonly word: (id: number) => string;
}

/** A vocabulary of `markers` followed by `words`; words that are markers already, and repetitions, are left out. */
export function vocabularyOf(words: Iterable<string>): Vocabulary {
  const list = [...new Set([...markers, ...words])];
  const bad = list.slice(markers.length).find((word) => wordsOf(word).join('') !== word || word === '' || word.includes('<'));
  if (bad !== undefined) throw new ConfigFault(`${JSON.stringify(bad)} cannot be a word: a word has no blanks and no "<"`);
  return vocabularyInOrder(list);
}

/** A vocabulary whose words, markers among them, are listed by id already: `Vocabulary.words` on the other side of a thread. */
export function vocabularyInOrder(words: readonly string[]): Vocabulary {
  const ids = new Map(words.map((word, id) => [word, id]));
  const unknown = ids.get(marker.unknown) as number;
  return {
    words,
    id: (word) => ids.get(word) ?? unknown,
    foreignId: (word) => (isReserved(word) ? unknown : (ids.get(word) ?? unknown)),
    word: (id) => words[id] ?? marker.unknown,
  };
}

/** The vocabulary as `tokenizer.json`: WordLevel model, WhitespaceSplit, the markers as special added tokens. */
export function tokenizerJson(vocabulary: Vocabulary): string {
  const added = markers.map((content) => ({
    id: vocabulary.id(content),
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab: Object.fromEntries(vocabulary.words.map((word, id) => [word, id])), unk_token: marker.unknown },
  };
  return `${JSON.stringify(tokenizer, null, 2)}\n`;
}

/** Reads a `tokenizer.json` of exactly the form above. Throws ConfigFault for any other: its ids would not be ours. */
export function readTokenizer(json: string): Vocabulary {
  const refuse = (why: string): never => {
    throw new ConfigFault(`tokenizer.json: ${why}; the embedded engine reads word-level tokenizers (WordLevel, WhitespaceSplit)`);
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw new ConfigFault('tokenizer.json is no JSON', { cause: error, raw: json });
  }
  const tokenizer = recordOf(parsed) ?? refuse('no object');
  const model = recordOf(tokenizer['model']) ?? refuse('no model');
  if (model['type'] !== 'WordLevel') refuse(`model ${JSON.stringify(model['type'])}`);
  if (recordOf(tokenizer['pre_tokenizer'])?.['type'] !== 'WhitespaceSplit') refuse('another pre-tokenizer');
  for (const part of ['normalizer', 'post_processor', 'truncation', 'padding']) if ((tokenizer[part] ?? null) !== null) refuse(`a ${part}`);
  const vocab = recordOf(model['vocab']) ?? refuse('no vocab');
  const words: (string | undefined)[] = Object.keys(vocab).map(() => undefined);
  for (const [word, id] of Object.entries(vocab)) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= words.length || words[id] !== undefined)
      refuse(`id ${JSON.stringify(id)} of ${word}`);
    words[id as number] = word;
  }
  if (model['unk_token'] !== marker.unknown) refuse(`unknown token ${JSON.stringify(model['unk_token'])}`);
  // Every id lies in range and none came twice, so none is missing.
  const vocabulary = vocabularyInOrder(words as string[]);
  const missing = markers.filter((word) => vocabulary.word(vocabulary.id(word)) !== word);
  if (missing.length > 0) refuse(`no ${missing.join(' ')}`);
  const added = tokenizer['added_tokens'];
  if (!Array.isArray(added) || added.some((token) => vocabulary.word(Number(recordOf(token)?.['id'])) !== recordOf(token)?.['content']))
    refuse('added tokens outside the vocab');
  return vocabulary;
}

const recordOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
