/** Text to ids and back by a model's own tokenizer, with markers only where the template put them. Knows no template and no turns. */
import { Tokenizer } from '@huggingface/tokenizers';
import { boundarySync, ConfigFault } from '../../errors.ts';
import { type Guard, guardOf, WEDGE } from './guard.ts';
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

/** Throws ConfigFault for a tokenizer that neither we nor the library can read. */
export function encodingOf(files: ModelFiles): Encoding {
  return files.tokenizer.model.type === 'WordLevel' ? wordEncoding(readTokenizer(files.tokenizerText)) : subwordEncoding(files);
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
  const tokenizer = boundarySync(ConfigFault, `tokenizer of ${files.dir}`, () => new Tokenizer(unwedging(files.tokenizer), files.config));
  const hasToken = (id: number): boolean => tokenizer.id_to_token(id) !== undefined;
  return {
    // The marker goes first and out again, so that what follows it is tokenized as in the middle of a text.
    ids: (text, after) => {
      const { ids } = tokenizer.encode((after ?? '') + text, { add_special_tokens: false });
      return after === undefined ? ids : ids.slice(1);
    },
    text: (ids) =>
      runs(Array.from(ids), hasToken)
        .map((run) => (run === null ? '\u{FFFD}' : decode(tokenizer, run)))
        .join(''),
    markerOf: (id) => known.get(id),
    guard: guardOf([...known.values()]),
  };
}

/**
 * The same tokenizer, with markers looked for in the text as it came and wedges dropped after that: normalisation is what happens between the two.
 * A piece of the vocabulary that spells a marker gets a name no text has, since a pre-tokenizer may hand it over whole.
 */
function unwedging(file: TokenizerFile): object {
  const drop = { type: 'Replace', pattern: { String: WEDGE }, content: '' };
  const markersOf = new Set(file.added_tokens.filter(isMarker).map(({ content }) => content));
  const { unk_token: unknown, vocab } = file.model as { unk_token?: unknown; vocab?: unknown };
  const hide = (piece: string): string => (markersOf.has(piece) && piece !== unknown ? WEDGE + piece : piece);
  const hidden = Array.isArray(vocab)
    ? vocab.map((entry: unknown) => (Array.isArray(entry) ? [hide(String(entry[0])), ...entry.slice(1)] : entry))
    : vocab;
  const model =
    typeof vocab === 'object' && vocab !== null && !Array.isArray(vocab) && [...markersOf].some((piece) => piece in vocab)
      ? { ...file.model, vocab: Object.fromEntries(Object.entries(vocab).map(([piece, id]) => [hide(piece), id])) }
      : { ...file.model, vocab: hidden };
  return {
    ...file,
    model,
    added_tokens: file.added_tokens.map((token) => (isMarker(token) ? { ...token, normalized: false } : token)),
    normalizer: file.normalizer == null ? drop : { type: 'Sequence', normalizers: [drop, file.normalizer] },
  };
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

const decode = (tokenizer: Tokenizer, ids: number[]): string =>
  tokenizer.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false });
