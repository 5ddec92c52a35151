/** What a packed frame is of, read from its first bytes: most frames of a journal need no more. Knows MessagePack's maps, lists and short texts; says nothing where it sees anything else. */

/** The frame's `kind`, its first key; '' where it is not. */
export function kindOf(frame: Uint8Array): string {
  const at = afterMap(frame, 1);
  const key = textAt(frame, at);
  return key?.text === 'kind' ? (textAt(frame, key.end)?.text ?? '') : '';
}

/** A text of the frame's own, by its key; null where it is long, or does not stand among the texts it begins with. */
export function textOf(frame: Uint8Array, wanted: string): string | null {
  let key = textAt(frame, afterMap(frame, 1));
  while (key !== null) {
    const value = textAt(frame, key.end);
    if (value === null || key.text === wanted) return value?.text ?? null;
    key = textAt(frame, value.end);
  }
  return null;
}

/** Of a `call.reply`: whether it answers a chat. What answers the policy names its version where this names its text. */
export function isChatReply(frame: Uint8Array): boolean {
  let at = afterMap(frame, 1);
  for (let i = 0; i < 3; i++) at = textAt(frame, textAt(frame, at)?.end ?? -1)?.end ?? -1;
  const bytes = afterBytes(frame, textAt(frame, at)?.end ?? -1);
  // The packed reply begins with its own version, too.
  const id = textAt(frame, afterMap(frame, bytes < 0 ? -1 : bytes + 1));
  const value = textAt(frame, id?.end ?? -1);
  return textAt(frame, value?.end ?? -1)?.text === 'text';
}

/** The byte where those of a byte array begin: packed as an extension of the packer's own, with one byte for its type and one for the kind of array. */
const afterBytes = (bytes: Uint8Array, at: number): number => {
  const mark = bytes[at];
  return mark === undefined || mark < 0xc7 || mark > 0xc9 ? -1 : at + 1 + 2 ** (mark - 0xc7) + 2;
};

/** The actor of the first event in a frame of kind `events`; null where it cannot be told without reading all of it. */
export function firstActorOf(frame: Uint8Array): string | null {
  const kindKey = textAt(frame, afterMap(frame, 1));
  const kind = kindKey === null ? null : textAt(frame, kindKey.end);
  const eventsKey = kind === null ? null : textAt(frame, kind.end);
  if (kind?.text !== 'events' || eventsKey?.text !== 'events') return null;
  const key = textAt(frame, afterMap(frame, afterList(frame, eventsKey.end)));
  return key?.text === 'actor' ? (textAt(frame, key.end)?.text ?? null) : null;
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

function textAt(bytes: Uint8Array, at: number): { readonly text: string; readonly end: number } | null {
  const mark = at < 0 ? undefined : bytes[at];
  if (mark === undefined) return null;
  const [from, length] = (mark & 0xe0) === 0xa0 ? [at + 1, mark & 0x1f] : mark === 0xd9 ? [at + 2, bytes[at + 1] ?? 0] : [0, -1];
  if (length < 0 || from + length > bytes.length) return null;
  return { text: Buffer.from(bytes.buffer, bytes.byteOffset + from, length).toString('utf8'), end: from + length };
}
