/** How a record looks as a result: the least value a return schema accepts, each scalar of it a field of the record. Knows schemas and records; draws nothing. */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import { seedOf } from '../../random.ts';
import { isRecord } from '../../tools/schema.ts';
import { complaintOf } from '../validate.ts';
import { ownDomain } from './own-domain.ts';
import { type Domain, valueOf } from './values.ts';

/** One scalar of the result. */
export interface Leaf {
  /** The field of a record that it shows. */
  readonly field: string;
  readonly domain: Domain;
}
export interface Form {
  readonly leaves: readonly Leaf[];
  readonly show: Part;
}

type Part = (read: (field: string) => JsonValue) => JsonValue;

/** More make a result that nobody would read. */
const mostLeaves = 24;
const deepest = 8;

/** The form of a safe schema, or why it has none. */
export function formOf(schema: JsonObject): Form | string {
  const leaves = new Map<string, Leaf>();
  let trouble: string | undefined;
  const constant =
    (value: JsonValue): Part =>
    () =>
      value;

  const leaf = (node: JsonObject, name: string, parent: string): Part => {
    const domain = ownDomain(node, name);
    if (typeof domain === 'string' || leaves.size >= mostLeaves) {
      trouble ??= typeof domain === 'string' ? `${name} is ${domain}` : 'too many values';
      return constant(null);
    }
    const field = !leaves.has(name) ? name : `${parent}_${name}`;
    leaves.set(field, { field, domain });
    return (read) => read(field);
  };

  const part = (node: JsonObject, name: string, parent: string, depth: number): Part => {
    if (depth > deepest) trouble ??= 'nested too deep';
    if (trouble !== undefined) return constant(null);
    if (Array.isArray(node['allOf'])) return part(merged(node), name, parent, depth + 1);
    const choices = node['anyOf'] ?? node['oneOf'];
    if (Array.isArray(choices))
      return part((choices.find((each) => (each as JsonObject)['type'] !== 'null') ?? {}) as JsonObject, name, parent, depth + 1);
    const types = [node['type'] ?? []].flat();
    if (types.includes('object') || isRecord(node['properties'])) {
      const parts = propertiesOf(node).map(([key, schema]) => [key, part(schema, key, name, depth + 1)] as const);
      return (read) => Object.fromEntries(parts.map(([key, write]) => [key, write(read)]));
    }
    if (types.includes('array') || isRecord(node['items'])) {
      if (!isRecord(node['items']) || node['maxItems'] === 0) return constant([]);
      const item = part(node['items'], singular(name), name, depth + 1);
      const count = Math.min(8, Math.max(1, Number(node['minItems'] ?? 1)));
      return (read) => Array.from({ length: count }, () => item(read));
    }
    return types.length === 1 && types[0] === 'null' ? constant(null) : leaf(node, name, parent);
  };

  const show = part(schema, 'value', 'result', 0);
  if (trouble !== undefined) return `its results cannot be shown: ${trouble}`;
  const sample = show((field) => valueOf((leaves.get(field) as Leaf).domain, seedOf('form', field)));
  const complaint = complaintOf(schema, sample);
  return complaint === undefined ? { leaves: [...leaves.values()], show } : `its results cannot be shown: ${complaint}`;
}

/** The required ones; where none is, the first three. */
function propertiesOf({ properties, required }: JsonObject): (readonly [string, JsonObject])[] {
  const all = Object.entries(isRecord(properties) ? properties : {}) as [string, JsonObject][];
  const needed = new Set(Array.isArray(required) ? required : []);
  return needed.size === 0 ? all.slice(0, 3) : all.filter(([name]) => needed.has(name));
}

function merged({ allOf, ...rest }: JsonObject): JsonObject {
  const parts = [rest, ...(allOf as JsonObject[]).map((part) => (Array.isArray(part['allOf']) ? merged(part) : part))];
  return parts.reduce<JsonObject>(
    (sum, part) => ({
      ...sum,
      ...part,
      properties: { ...(sum['properties'] as JsonObject), ...(isRecord(part['properties']) ? part['properties'] : {}) },
      required: [...(sum['required'] as JsonValue[]), ...(Array.isArray(part['required']) ? part['required'] : [])],
    }),
    { properties: {}, required: [] },
  );
}

const singular = (name: string): string => name.replace(/(?<=..)s$/, '');
