/** How ids look as text: the fake has no tokenizer, so each id is a word of its own. Knows spelling only. */

const spelt: string[] = [];

/** `<12>` for a marker's id, `w12` for any other. */
export const wordOf = (id: number): string => (spelt[id] ??= id < 8 ? `<${id}>` : `w${id}`);

/** Markers are not shown, as special tokens are not. */
export function textOf(ids: readonly number[]): string {
  let text = '';
  for (const id of ids) if (id >= 8) text += ` ${wordOf(id)}`;
  return text;
}
