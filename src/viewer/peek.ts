/** What a packed frame is of, read from its first bytes: most frames of a journal need no more. Knows MessagePack's maps, lists and short texts; says nothing where it sees anything else. */

/** The frame's `kind`, its first key; '' where it is not. */
export function kindOf(frame: Uint8Array): string {
  const at = afterMap(frame, 1);
  return isText(frame, at, 'kind') ? (textAt(frame, afterText(frame, at)) ?? '') : '';
}

/** A text of the frame's own, by its key; null where it is long, or does not stand among the texts it begins with. */
export function textOf(frame: Uint8Array, wanted: string): string | null {
  let key = afterMap(frame, 1);
  for (;;) {
    const value = afterText(frame, key);
    const next = afterText(frame, value);
    if (next < 0) return null;
    if (isText(frame, key, wanted)) return textAt(frame, value);
    key = next;
  }
}

/** Of a `call.reply`: whether it answers a chat. What answers the policy names its version where this names its text. */
export function isChatReply(frame: Uint8Array): boolean {
  // Its kind, group and id, each with its key, and the key of its bytes.
  let at = afterMap(frame, 1);
  for (let texts = 0; texts < 7; texts++) at = afterText(frame, at);
  const bytes = afterBytes(frame, at);
  // The packed reply begins with its own version, too; and with its id.
  const id = afterMap(frame, bytes < 0 ? -1 : bytes + 1);
  return isText(frame, afterText(frame, afterText(frame, id)), 'text');
}

/** The byte where those of a byte array begin: packed as an extension of the packer's own, with one byte for its type and one for the kind of array. */
const afterBytes = (bytes: Uint8Array, at: number): number => {
  const mark = bytes[at];
  return mark === undefined || mark < 0xc7 || mark > 0xc9 ? -1 : at + 1 + 2 ** (mark - 0xc7) + 2;
};

/** The actor of the first event in a frame of kind `events`; null where it cannot be told without reading all of it. */
export function firstActorOf(frame: Uint8Array): string | null {
  const kind = afterText(frame, afterMap(frame, 1));
  const events = afterText(frame, kind);
  if (!isText(frame, kind, 'events') || !isText(frame, events, 'events')) return null;
  const key = afterMap(frame, afterList(frame, afterText(frame, events)));
  return isText(frame, key, 'actor') ? textAt(frame, afterText(frame, key)) : null;
}

/** The byte after a head of the given marks: fixed (a nibble), 16 and 32 bits of length. -1 where there is none. */
const afterHead = (bytes: Uint8Array, at: number, fixed: number, long: number): number => {
  const mark = bytes[at];
  if (mark === undefined) return -1;
  if ((mark & 0xf0) === fixed) return at + 1;
  return mark === long ? at + 3 : mark === long + 1 ? at + 5 : -1;
};
const afterMap = (bytes: Uint8Array, at: number): number => afterHead(bytes, at, 0x80, 0xde);
const afterList = (bytes: Uint8Array, at: number): number => afterHead(bytes, at, 0x90, 0xdc);

/** Where a short text's bytes begin; -1 where there is none. */
const textFrom = (bytes: Uint8Array, at: number): number => {
  const mark = at < 0 ? undefined : bytes[at];
  if (mark === undefined) return -1;
  return (mark & 0xe0) === 0xa0 ? at + 1 : mark === 0xd9 ? at + 2 : -1;
};
/** Where they end; -1 also where not all of them are there. */
const afterText = (bytes: Uint8Array, at: number): number => {
  const from = textFrom(bytes, at);
  if (from < 0) return -1;
  const end = from + (from === at + 1 ? (bytes[at] as number) & 0x1f : (bytes[at + 1] ?? 0));
  return end > bytes.length ? -1 : end;
};

/** Compared where it lies: a text made of every key would be most of the work. */
function isText(bytes: Uint8Array, at: number, wanted: string): boolean {
  const from = textFrom(bytes, at);
  if (afterText(bytes, at) - from !== wanted.length || from < 0) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[from + i] !== wanted.charCodeAt(i)) return false;
  return true;
}

function textAt(bytes: Uint8Array, at: number): string | null {
  const end = afterText(bytes, at);
  if (end < 0) return null;
  const from = textFrom(bytes, at);
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString('utf8');
}
