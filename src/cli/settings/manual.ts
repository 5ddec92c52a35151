/** What the schema says about a key: meaning, type, range, default, children, and which key somebody may have meant. Reads the schema, never a file. */
import { z } from 'zod';
import { Config } from '../../config.ts';
import { nearest } from '../../record/nearest.ts';

interface Node {
  readonly description?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: { readonly [key: string]: Node };
  readonly items?: Node;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly pattern?: string;
  readonly minItems?: number;
}

export const schemaOfConfig = (): object => z.toJSONSchema(Config, { io: 'input' });
const root = schemaOfConfig() as Node;

export interface Entry {
  readonly key: string;
  readonly meaning: string;
  /** `whole number from 2 to 1024`, `one of grpo, cispo`, … */
  readonly allowed: string;
  /** Undefined where there is none: the key may be left out. */
  readonly fallback: unknown;
  /** Keys inside it, in the schema's order; empty for a value. */
  readonly children: readonly string[];
}

const split = (key: string): string[] => (key === '' ? [] : key.split('.'));

function nodeAt(path: readonly PropertyKey[]): Node | null {
  let node: Node | undefined = root;
  for (const step of path) {
    node =
      typeof step === 'number' ? node?.items : Object.hasOwn(node?.properties ?? {}, step) ? node?.properties?.[String(step)] : undefined;
    if (node === undefined) return null;
  }
  return node;
}

/** null for a key that does not exist. '' is the whole config. */
export function entryOf(key: string): Entry | null {
  const node = nodeAt(split(key));
  if (node === null) return null;
  return {
    key,
    meaning: node.description ?? '',
    allowed: allowedIn(node),
    fallback: fallbackOf(key),
    children: Object.keys(node.properties ?? {}),
  };
}

/** Of the resolved default config, so that defaults of parents count too. */
const defaults = Config.parse({});
function fallbackOf(key: string): unknown {
  let value: unknown = defaults;
  for (const step of split(key)) value = (value as { [key: string]: unknown } | undefined)?.[step];
  return value;
}

/** What may stand at the path; null where no such key is. */
export function allowedAt(path: readonly PropertyKey[]): string | null {
  const node = nodeAt(path);
  return node === null ? null : allowedIn(node);
}

function allowedIn(node: Node): string {
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`;
  switch (node.type ?? 'object') {
    case 'integer':
      return `a whole number${rangeOf(node)}`;
    case 'number':
      return `a number${rangeOf(node)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return node.pattern === undefined ? 'text' : `text like ${node.pattern}`;
    case 'array':
      return `a list of ${node.items === undefined ? 'values' : allowedIn(node.items)}`;
    default:
      return 'keys and values';
  }
}

function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Node): string {
  // Zod writes the safe integers' ends where no other bound is set.
  const low = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const high = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const above = exclusiveMinimum === undefined ? '' : ` above ${exclusiveMinimum}`;
  const below = exclusiveMaximum === undefined ? '' : ` below ${exclusiveMaximum}`;
  const ends =
    low !== undefined && high !== undefined
      ? ` from ${low} to ${high}`
      : low !== undefined
        ? ` of at least ${low}`
        : high !== undefined
          ? `${above === '' ? '' : ' and'} up to ${high}`
          : '';
  return `${above}${below}${ends}${multipleOf === undefined ? '' : `, a multiple of ${multipleOf}`}`;
}

/** Every key of the schema, values and groups, in its order. */
export function allKeys(): string[] {
  const keys: string[] = [];
  const walk = (node: Node, path: string): void => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const at = path === '' ? key : `${path}.${key}`;
      keys.push(at);
      walk(child, at);
    }
  };
  walk(root, '');
  return keys;
}

/** The key most like one that does not exist, or null when none is like it. A key at the wrong place is found too. */
export function nearestKey(wrong: string): string | null {
  const parent = wrong.split('.').slice(0, -1).join('.');
  const keys = allKeys();
  const siblings = keys.filter((key) => key.split('.').slice(0, -1).join('.') === parent);
  const last = (key: string): string => key.split('.').at(-1) ?? key;
  return nearest(wrong, siblings) ?? keys.find((key) => last(key) === last(wrong)) ?? nearest(wrong, keys) ?? null;
}
