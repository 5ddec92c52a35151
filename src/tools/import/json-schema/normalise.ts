/** Any JSON Schema (drafts 4 to 2020-12, OpenAPI 3.0 and 3.1) as one that a tool may carry. Knows no tool and opens no file. */
import type { JsonObject } from '../../../protocol/json.ts';
import { isHostileKey } from '../../schema.ts';
import { type FlatNode, flatten, Unreadable } from './flatten.ts';
import { scalarsOf, typesOf } from './keywords.ts';
import type { Located, Resolve } from './reference.ts';

export type Normalised =
  | { readonly ok: true; readonly schema: JsonObject; /** What was left out, for people; each once. */ readonly cuts: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** What a caller sends holds no read-only properties; what it gets holds no write-only ones. */
export type Side = 'request' | 'response';

const deepest = 8;
/** Nearest the root first: a model reads every one of them in every prompt. */
const mostNodes = 400;
/** Of keywords with their values, as JSON; beyond it nodes say their type and bounds only. */
const mostLetters = 24_000;
const wordy = new Set(['description', 'enum', 'examples', 'default']);
const mostProperties = 100;
const mostVariants = 8;
const longestName = 100;

/**
 * The schema with only keywords we check and without references: circles and what is too deep or too much become nodes that allow anything.
 * So every value that the source allows is allowed. Patterns are left out: a regular expression from outside is never run.
 * Fails for references that lead nowhere or outside, for what is no schema, and for a required property that cannot be named.
 */
export function normalise(from: Located, resolve: Resolve, side: Side): Normalised {
  const cuts = new Set<string>();
  const root: JsonObject = {};
  let letters = mostLetters;
  try {
    const queue: Waiting[] = [{ flat: flatten(from, resolve), into: root, depth: 0 }];
    // Breadth first, so that what is cut is what is farthest from the root.
    for (const { flat, into, depth } of queue) {
      const scalars = scalarsOf(flat.node, typesOf(flat.node));
      const size = JSON.stringify(scalars).length;
      letters -= size;
      if (letters < 0) cuts.add('too many words');
      for (const [keyword, value] of Object.entries(scalars)) if (letters >= 0 || !wordy.has(keyword)) into[keyword] = value;
      if (flat.circle) cuts.add('a circle');
      if (depth >= deepest) {
        if (hasInside(flat)) cuts.add('too deep');
      } else if (queue.length >= mostNodes) {
        if (hasInside(flat)) cuts.add('too large');
      } else expand({ flat, into, depth, queue, cuts, side, resolve });
    }
    return { ok: true, schema: root, cuts: [...cuts] };
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, reason: error.message };
    throw error;
  }
}

interface Waiting {
  readonly flat: FlatNode;
  readonly into: JsonObject;
  readonly depth: number;
}
interface Expansion {
  readonly flat: FlatNode;
  readonly into: JsonObject;
  readonly depth: number;
  readonly queue: Waiting[];
  readonly cuts: Set<string>;
  readonly side: Side;
  readonly resolve: Resolve;
}

const hasInside = ({ properties, items, additional, variants }: FlatNode): boolean =>
  properties.size > 0 || items !== undefined || typeof additional === 'object' || variants.length > 0;

function expand(expansion: Expansion): void {
  const { flat, into, depth, queue, cuts, resolve } = expansion;
  const child = (inner: FlatNode): JsonObject => {
    const node: JsonObject = {};
    queue.push({ flat: inner, into: node, depth: depth + 1 });
    return node;
  };
  const located = (from: Located): JsonObject => child(flatten(from, resolve));
  const complete = flat.properties.size === 0 || expandProperties(expansion, child);
  if (flat.additional === false && complete) into['additionalProperties'] = false;
  // Where properties were left out, a rule for the others would be applied to them.
  else if (typeof flat.additional === 'object' && complete) into['additionalProperties'] = located(flat.additional);
  if (flat.items !== undefined) into['items'] = located(flat.items);
  if (flat.variants.length > mostVariants) cuts.add('too many variants');
  else if (flat.variants.length > 0)
    into['anyOf'] = [...flat.variants.map(located), ...(flat.node['nullable'] === true ? [{ type: 'null' }] : [])];
}

/** Returns whether all of them were kept. */
function expandProperties({ flat, into, cuts, side, resolve }: Expansion, child: (inner: FlatNode) => JsonObject): boolean {
  const names = [...flat.properties.keys()].sort((a, b) => Number(flat.required.has(b)) - Number(flat.required.has(a)));
  const properties: JsonObject = {};
  const required: string[] = [];
  let kept = 0;
  let complete = true;
  for (const name of names) {
    const inner = flatten(flat.properties.get(name) as Located, resolve);
    if (inner.node[side === 'request' ? 'readOnly' : 'writeOnly'] === true) continue;
    const unusable = isHostileKey(name) || name === '' || name.length > longestName;
    if (unusable && flat.required.has(name) && side === 'request') throw new Unreadable(`property named ${name.slice(0, 20)}`);
    if (unusable || kept >= mostProperties) {
      complete = false;
      cuts.add(unusable ? 'a property that cannot be named' : 'too many properties');
      continue;
    }
    kept++;
    properties[name] = child(inner);
    if (flat.required.has(name)) required.push(name);
  }
  into['properties'] = properties;
  if (required.length > 0) into['required'] = required;
  return complete;
}
