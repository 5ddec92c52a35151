/** `a.b=c` from the command line or the environment: a path and a value. Knows no schema. */
import { ConfigFault } from '../../errors.ts';
import { parseSource } from './source.ts';

export interface Assignment {
  readonly path: readonly string[];
  readonly value: unknown;
  /** As it was written, for complaints. */
  readonly text: string;
}

/** The value is read as YAML, so `3e-4`, `true` and `[5, 50]` mean what they mean in a file. Throws ConfigFault. */
export function parseAssignment(text: string, origin: string): Assignment {
  const at = text.indexOf('=');
  const key = text.slice(0, at).trim();
  if (at < 1 || !/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(key))
    throw new ConfigFault(`${origin} ${text}: expected key=value, e.g. rollout.group=8`);
  const { value } = parseSource(`value: ${text.slice(at + 1)}`, `${origin} ${text}`);
  return { path: key.split('.'), value: value['value'], text: `${origin} ${text}` };
}

/** A new object with the value at the path; objects on the way are made, values on the way are replaced. */
export function assign(target: { readonly [key: string]: unknown }, path: readonly string[], value: unknown): { [key: string]: unknown } {
  const [key, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) return { ...target, [key]: value };
  const inner = Object.hasOwn(target, key) ? target[key] : undefined;
  const object = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as { [key: string]: unknown }) : {};
  return { ...target, [key]: assign(object, rest, value) };
}
