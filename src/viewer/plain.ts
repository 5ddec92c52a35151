/** Values of a journal as JSON can say them: typed arrays become lists, what is no finite number becomes null. Knows no shape. */

/** Deeper is cut off: recorded values come from bounded bytes, but the page's reader recurses too. */
const depthLimit = 200;

export function plain(value: unknown, depth = 0): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'object' || depth > depthLimit) return null;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(value as unknown as ArrayLike<number>, (n) => (Number.isFinite(n) ? n : null));
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, plain(item, depth + 1)]])));
}
