/**
 * Messages as bytes: one version byte, then MessagePack. The only importer of msgpackr; knows no message by name.
 *
 * `moreTypes` because without it typed arrays come back corrupted; `useRecords: false` because with learnt structures two ports decode each other wrongly in silence.
 * The `msgpackr/pack` entry is the one without the native accelerator, which misreads bytes that follow an object (msgpackr#193).
 * Bytes are not canonical (key order changes them): hash the bytes that were packed, or `canonical()` of a value, never two packings against each other.
 */
import { Packr } from 'msgpackr/pack';

/** First byte of every frame; raised when old readers would misread new bytes. */
export const wireVersion = 1;

/** Bytes a frame may have, version byte included. */
export const frameLimit = 8 * 1024 * 1024;

/** A packed frame: it owns its whole buffer, so it can be transferred. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Values nested deeper than this are refused on both sides: the decoder's recursion is bounded before it is the stack that ends it. */
const depthLimit = 256;

/** The value cannot travel, or the bytes are no frame of this version. Callers attribute it to their boundary. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

const packr = new Packr({ moreTypes: true, useRecords: false, copyBuffers: true });

/**
 * The value as bytes of its own, exactly as long as needed, so that they can be transferred (the packer's pool is shared: transferring it would empty its neighbours).
 * Values are what JSON can say, plus `undefined`, non-finite numbers and typed arrays. `checked` refuses what would come back as something else; throws WireError.
 */
export function pack(value: unknown, { checked = false }: { checked?: boolean } = {}): Bytes {
  if (checked) refuse(value, '$', 0);
  let body: Uint8Array;
  try {
    body = packr.pack(value);
  } catch (error) {
    throw new WireError(`cannot be packed: ${messageOf(error)}`, { cause: error });
  }
  if (body.length + 1 > frameLimit) throw new WireError(`a frame of ${body.length + 1} bytes; the limit is ${frameLimit}`);
  const bytes = new Uint8Array(body.length + 1);
  bytes[0] = wireVersion;
  bytes.set(body, 1);
  return bytes;
}

/**
 * The value of a frame that `pack` wrote; nothing in it shares memory with `bytes`. The type is the caller's to know: between our own threads it is trusted,
 * at a border it is validated. Throws WireError for anything that is no frame. Only bytes from authenticated peers come here, never a model's or a tool's.
 */
export function unpack(bytes: Uint8Array): unknown {
  if (bytes.length > frameLimit) throw new WireError(`a frame of ${bytes.length} bytes; the limit is ${frameLimit}`);
  if (bytes[0] !== wireVersion) throw new WireError(`frame version ${bytes[0] ?? 'missing'}; this program reads version ${wireVersion}`);
  try {
    return packr.unpack(bytes.subarray(1));
  } catch (error) {
    throw new WireError(`not a readable frame: ${messageOf(error)}`, { cause: error });
  }
}

/** Bytes one foreign frame may have: a step's whole batch, or a policy's log-probs of it. */
export const foreignLimit = 1024 ** 3;

/** Plain MessagePack: no extension types, so that any other language's library reads it. */
const foreign = new Packr({ useRecords: false, encodeUndefinedAsNil: true, int64AsType: 'number', copyBuffers: true });

/** For a program of ours in another language: what JSON can say, non-finite numbers, and `Uint8Array` for bytes; undefined becomes nil. No version byte. Throws WireError. */
export function packForeign(value: unknown): Uint8Array {
  let body: Uint8Array;
  try {
    body = foreign.pack(value);
  } catch (error) {
    throw new WireError(`cannot be packed: ${messageOf(error)}`, { cause: error });
  }
  if (body.length > foreignLimit) throw new WireError(`a foreign frame of ${body.length} bytes; the limit is ${foreignLimit}`);
  return body;
}

/** What such a program answered; the caller validates it. Throws WireError. */
export function unpackForeign(bytes: Uint8Array): unknown {
  if (bytes.length > foreignLimit) throw new WireError(`a foreign frame of ${bytes.length} bytes; the limit is ${foreignLimit}`);
  try {
    return foreign.unpack(bytes);
  } catch (error) {
    throw new WireError(`not a readable foreign frame: ${messageOf(error)}`, { cause: error });
  }
}

/** The text with each lone surrogate replaced by U+FFFD: model output passes here before it is packed or hashed, since UTF-8 cannot carry one. */
export const wellFormed = (text: string): string => (lone.test(text) ? text.replaceAll(loneAll, '�') : text);

const lone = /\p{Surrogate}/u;
const loneAll = /\p{Surrogate}/gu;

/** Throws for a value that would not come back equal: Map, Set, Date, class instances, functions, bigint, -0, lone surrogates, `__proto__` as a key. */
function refuse(value: unknown, path: string, depth: number): void {
  if (depth > depthLimit) throw new WireError(`${path.slice(0, 80)}… is nested deeper than ${depthLimit}`);
  switch (typeof value) {
    case 'string':
      if (lone.test(value)) throw new WireError(`${path} holds a lone surrogate; see wellFormed()`);
      return;
    case 'number':
      if (Object.is(value, -0)) throw new WireError(`${path} is -0`);
      return;
    case 'boolean':
    case 'undefined':
      return;
    case 'object':
      if (value !== null) refuseInside(value, path, depth);
      return;
    case 'bigint':
    case 'function':
    case 'symbol':
    default:
      throw new WireError(`${path} is a ${typeof value}`);
  }
}

function refuseInside(value: object, path: string, depth: number): void {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) refuse(value[i], `${path}[${i}]`, depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new WireError(`${path} is a ${value.constructor.name}`);
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw new WireError(`${path} has a key __proto__`);
    if (lone.test(key)) throw new WireError(`a key of ${path} holds a lone surrogate`);
    refuse((value as Record<string, unknown>)[key], `${path}.${key}`, depth + 1);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
