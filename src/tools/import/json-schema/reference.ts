/** What a `$ref` leads to. Knows JSON pointers; opens no file itself. */
import type { JsonValue } from '../../../protocol/json.ts';
import { isRecord } from '../../schema.ts';

/** A value, where its own references start from, and which references led here. */
export interface Located {
  readonly value: JsonValue;
  /** The document it stands in. */
  readonly base: string;
  /** References that are open around it, as `document#pointer`: one of them again is a circle. */
  readonly open: readonly string[];
}

export type Resolved =
  | { readonly ok: true; readonly at: Located }
  /** `circle` is harmless: whoever reads on stops there. Anything else makes the value unreadable. */
  | { readonly ok: false; readonly circle: boolean; readonly reason: string };

/** Follows one reference from `from`. */
export type Resolve = (reference: string, from: Located) => Resolved;

/** References within one document; every other is outside. `root` is what `#` means. */
export const within =
  (root: JsonValue): Resolve =>
  (reference, from) =>
    reference.startsWith('#') ? follow(root, from.base, reference.slice(1), from) : outside(reference);

export const outside = (reference: string): Resolved => ({
  ok: false,
  circle: false,
  reason: `reference outside: ${reference.slice(0, 100)}: only files in the source's own folder are read`,
});

/** `pointer` in a document; a circle where it is open already. */
export function follow(document: JsonValue, base: string, pointer: string, from: Located): Resolved {
  const key = `${base}#${pointer}`;
  if (from.open.includes(key)) return { ok: false, circle: true, reason: `circular reference #${pointer.slice(0, 100)}` };
  const value = at(document, pointer);
  return value === undefined
    ? { ok: false, circle: false, reason: `reference to nothing: ${base === from.base ? '' : base}#${pointer.slice(0, 100)}` }
    : { ok: true, at: { value, base, open: [...from.open, key] } };
}

/** RFC 6901, percent-encoded as in a URL. Only own keys: a pointer does not reach prototypes. */
function at(document: JsonValue, pointer: string): JsonValue | undefined {
  if (pointer === '') return document;
  if (!pointer.startsWith('/')) return undefined;
  let node: JsonValue | undefined = document;
  for (const part of pointer.slice(1).split('/')) {
    const key = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(node)) node = /^\d{1,9}$/.test(key) ? node[Number(key)] : undefined;
    else if (isRecord(node) && Object.hasOwn(node, key)) node = node[key];
    else return undefined;
  }
  return node;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
