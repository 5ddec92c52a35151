/** Text to ids and back by a model's own tokenizer, with markers only where the template put them. Knows no template and no turns. */
import { Tokenizer } from '@huggingface/tokenizers';
import { boundarySync, ConfigFault } from '../../errors.ts';
import { type Guard, guardOf, SEAL, sealOf } from './guard.ts';
import { markers, wordsOf } from './markers.ts';
import type { ModelFiles, TokenizerFile } from './model-files.ts';
import { readTokenizer, type Vocabulary } from './vocabulary.ts';

export interface Encoding {
  /** Ids of a text whose foreign parts were guarded; `<|im_end|>` without a wedge in it is the marker. `after` is a marker the text follows; its id is not returned. */
  ids(text: string, after?: string): number[];
  /** Text of ids. Bytes that are no UTF-8 (half a letter at the border of two tokens) and ids that no token has read as U+FFFD; never throws. */
  text(ids: ArrayLike<number>): string;
  /** The text of a marker; undefined for every other id. */
  markerOf(id: number): string | undefined;
  readonly guard: Guard;
  /** Set where the tokenizer is one of our own word-level ones. */
  readonly vocabulary?: Vocabulary;
}

/** What the library reads; it takes every other for something it is not, without a word. */
const readable = ['BPE', 'WordPiece', 'Unigram'];

/** Throws ConfigFault for a tokenizer that neither we nor the library can read. */
export function encodingOf(files: ModelFiles): Encoding {
  const { type = '' } = files.tokenizer.model;
  if (type === 'WordLevel') return wordEncoding(readTokenizer(files.tokenizerText));
  if (!readable.includes(type))
    throw new ConfigFault(`tokenizer of ${files.dir}: a model of type "${type}"; ${readable.join(', ')} can be read`);
  return subwordEncoding(files);
}

function wordEncoding(vocabulary: Vocabulary): Encoding {
  const known = new Map(markers.map((word) => [vocabulary.id(word), word]));
  return {
    ids: (text) => wordsOf(text).map(vocabulary.id),
    text: (ids) => Array.from(ids, vocabulary.word).join(' '),
    markerOf: (id) => known.get(id),
    guard: guardOf(markers),
    vocabulary,
  };
}

/** What a text may not say by itself: special tokens, and tags that stand for structure. Added tokens that are plain text (runs of blanks) stay tokens for everybody. */
const isMarker = ({ content, special }: TokenizerFile['added_tokens'][number]): boolean =>
  special === true || /^(<.+>|\[.+\])$/su.test(content);

function subwordEncoding(files: ModelFiles): Encoding {
  const known = new Map(files.tokenizer.added_tokens.filter(isMarker).map(({ id, content }) => [id, content]));
  const seal = sealOf([...known.values()]);
  const tokenizer = boundarySync(ConfigFault, `tokenizer of ${files.dir}`, () => new Tokenizer(sealed(files.tokenizer), files.config));
  const hasToken = (id: number): boolean => tokenizer.id_to_token(id) !== undefined;
  const decode = (ids: number[]): string =>
    tokenizer.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false }).replaceAll(SEAL, '');
  return {
    ids: (text, after) => {
      // The marker goes first and out again, so that what follows it is tokenized as in the middle of a text.
      const { ids } = tokenizer.encode(seal((after ?? '') + text), { add_special_tokens: false });
      return after === undefined ? ids : ids.slice(1);
    },
    text: (ids) =>
      runs(Array.from(ids), hasToken)
        .map((run) => (run === null ? '\u{FFFD}' : decode(run)))
        .join(''),
    markerOf: (id) => known.get(id),
    guard: guardOf([...known.values()]),
  };
}

/**
 * The same tokenizer, but its markers begin with the seal, so that only what we sealed is one: the library takes a stretch of text for a marker whenever it spells one.
 * A piece of the vocabulary that spells a marker is renamed too, since a pre-tokenizer may hand it over whole.
 */
function sealed(file: TokenizerFile): object {
  const added = file.added_tokens.map((token) =>
    isMarker(token) ? { ...token, content: SEAL + token.content, normalized: false } : token,
  );
  const spelt = new Set(file.added_tokens.filter(isMarker).map(({ content }) => content));
  const { unk_token: unknown, vocab } = file.model as { unk_token?: unknown; vocab?: unknown };
  const hide = (piece: string): string => (spelt.has(piece) && piece !== unknown ? SEAL + piece : piece);
  // A list of [piece, score] in unigram models, piece → id in all others.
  const hidden = Array.isArray(vocab)
    ? vocab.map((entry: unknown) => (Array.isArray(entry) ? [hide(String(entry[0])), ...entry.slice(1)] : entry))
    : Object.fromEntries(Object.entries(vocab ?? {}).map(([piece, id]) => [hide(piece), id]));
  return { ...file, added_tokens: added, model: { ...file.model, vocab: hidden } };
}

/** Runs of ids that have a token; null for each that has none (embedding rows may outnumber the tokens). */
function runs(ids: readonly number[], hasToken: (id: number) => boolean): (number[] | null)[] {
  const parts: (number[] | null)[] = [];
  for (const id of ids) {
    const last = parts.at(-1);
    if (!hasToken(id)) parts.push(null);
    else if (last == null) parts.push([id]);
    else last.push(id);
  }
  return parts;
}
