/** How much of a value is shown: where a text may be cut, and about how long a value is on a line. Costs little however large it is. */

/** Never between the halves of a character. */
export function cutAt(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}

/** About the characters a JSON value takes on a line; stops counting soon beyond a limit. */
export function textLength(value: unknown, limit: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return String(value).length;
  let length = 2;
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue;
    length += (Array.isArray(value) ? 2 : key.length + 4) + textLength((value as Record<string, unknown>)[key], limit - length);
    if (length > limit) break;
  }
  return length;
}
