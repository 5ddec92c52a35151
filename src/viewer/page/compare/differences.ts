/** Where two configs differ, key by key as one would set them. Knows JSON, not what a key means. */
import type { JsonObject, JsonValue } from '../../../protocol/json.ts';

export interface Difference {
  readonly key: string;
  /** As text; null where the key is not there. */
  readonly a: string | null;
  readonly b: string | null;
}

export function configDifferences(a: JsonObject, b: JsonObject): Difference[] {
  const [left, right] = [leavesOf(a), leavesOf(b)];
  const keys = [...new Set([...left.keys(), ...right.keys()])].sort();
  return keys.flatMap((key) => {
    const [x, y] = [left.get(key) ?? null, right.get(key) ?? null];
    return x === y ? [] : [{ key, a: x, b: y }];
  });
}

/** Lists are values: they are replaced as wholes. A section without keys is as good as none. */
function leavesOf(config: JsonObject): Map<string, string> {
  const leaves = new Map<string, string>();
  const walk = (value: JsonValue, at: string): void => {
    const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isBranch) leaves.set(at, typeof value === 'string' ? value : sortedText(value));
    else for (const [key, inner] of Object.entries(value)) walk(inner, at === '' ? key : `${at}.${key}`);
  };
  walk(config, '');
  return leaves;
}

/** Equal values give equal text, whatever order their keys were written in. */
const sortedText = (value: JsonValue): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1)))
      : inner,
  );
