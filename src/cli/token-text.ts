/** What each token of a run's policy says, one text a token, for people: joined they are what the renderer shows of all. Where the model is not on this machine, ids stand for themselves. */
import { policySpecOf } from '../actors/stand-in.ts';
import { Config } from '../config.ts';
import { rendererFor, type RendererSpec } from '../gpu/tokens/spec.ts';
import type { JsonObject } from '../protocol/json.ts';

export type TokenText = (ids: readonly number[]) => readonly string[];

/** Tokens that may share one character: UTF-8 has at most four bytes. */
const longest = 4;
/** What a decoder writes where bytes are no whole character. */
const broken = '\ufffd';

const ownNumbers: TokenText = (ids) => ids.map((id) => `⟨${id}⟩`);

/** By config, since reading a tokenizer takes half a second. */
const known = new WeakMap<JsonObject, TokenText>();

export function tokenTextOf(config: JsonObject | null): TokenText {
  if (config === null) return ownNumbers;
  let text = known.get(config);
  if (text === undefined) known.set(config, (text = read(config)));
  return text;
}

function read(config: JsonObject): TokenText {
  const parsed = Config.safeParse(config);
  if (!parsed.success) return ownNumbers;
  let spec: RendererSpec;
  try {
    spec = policySpecOf(parsed.data);
  } catch {
    // The model was moved or removed: the record is readable without it.
    return ownNumbers;
  }
  const renderer = rendererFor(spec);
  const textOf = (...ids: readonly number[]): string => renderer.text(Int32Array.from(ids));
  // Our own template has one word a token, and blanks between them.
  if (spec.kind === 'tiny') return (ids) => ids.map((id, index) => `${index === 0 ? '' : ' '}${textOf(id)}`);
  return (ids) => whole(ids, textOf);
}

/** A character that several tokens make up stands at the last of them. */
function whole(ids: readonly number[], textOf: (...ids: readonly number[]) => string): string[] {
  const cache = new Map<number, string>();
  const single = (id: number): string => {
    let text = cache.get(id);
    if (text === undefined) cache.set(id, (text = textOf(id)));
    return text;
  };
  const texts: string[] = [];
  for (let at = 0; at < ids.length; at++) {
    const text = single(ids[at] as number);
    const span = text.includes(broken) ? spanOf(ids, at, textOf) : null;
    if (span === null) texts.push(text);
    else {
      texts.push(...Array.from({ length: span.length - 1 }, () => ''), span.text);
      at += span.length - 1;
    }
  }
  return texts;
}

/** As many tokens from `at` on as it takes for whole characters; null where that is never. */
function spanOf(
  ids: readonly number[],
  at: number,
  textOf: (...ids: readonly number[]) => string,
): { readonly length: number; readonly text: string } | null {
  for (let length = 2; length <= longest && at + length <= ids.length; length++) {
    const text = textOf(...ids.slice(at, at + length));
    if (!text.includes(broken)) return { length, text };
  }
  return null;
}
