/** Text that others wrote, made safe for a terminal: what a model, a tool or a file says must never move a cursor, set a title or fill a clipboard. */

/**
 * All control characters but tab and newline (without ESC and CSI the rest of a sequence is harmless text, and stays visible), and the marks that reorder or hide text:
 * bidi embeddings, overrides and isolates, line separators, zero-width space, byte-order mark.
 */
const unsafe = /[^\P{Cc}\t\n]|[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/gu;

export const printable = (text: string): string => text.replaceAll(unsafe, '');

/** The same on one line. */
export const printableLine = (text: string): string => printable(text).replaceAll(/\s+/gu, ' ').trim();
