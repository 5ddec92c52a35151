/** Text that others wrote, made safe for a terminal: what a model, a tool or a file says must never move a cursor, set a title or fill a clipboard. */

// ESC sequences whole, so that their letters do not stay behind: OSC, DCS and the like up to their end, CSI, two-character ones.
// eslint-disable-next-line no-control-regex
const sequences =
  /\u001b(?:[\]PX^_][^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\[[0-?]*[ -/]*[@-~]?|[ -/]*[0-~]?)|[\u0090\u0098\u009d-\u009f][^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u009b[0-?]*[ -/]*[@-~]?/gu;
/** C0 but tab and newline, DEL, C1, and the marks that reorder text (bidi embeddings, overrides, isolates), line separators, zero-width ones, byte-order mark. */
// eslint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/gu;

export const printable = (text: string): string => text.replaceAll(sequences, '').replaceAll(controls, '');

/** The same on one line. */
export const printableLine = (text: string): string => printable(text).replaceAll(/\s+/gu, ' ').trim();
