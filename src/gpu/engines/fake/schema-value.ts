/** Writes a value that a JSON Schema accepts: what constrained decoding would leave of any model. Knows the keywords simulators use, and refuses the others. */
import { seedOf, uniform } from '../../../random.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Thrown where no value can be written; its message names the keyword. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

const deepest = 12;
const words = ['north', 'amber', 'seven', 'quiet', 'river', 'lantern', 'copper', 'meadow'];

/** Equal seeds give equal values. Throws SchemaError. */
export function schemaValue(schema: unknown, seed: number): unknown {
  let counter = 0;
  const draw = (): number => uniform(seedOf(seed, 'value'), counter++);
  const below = (count: number): number => Math.floor(draw() * count);
  const numberOr = (value: unknown, other: number): number => (typeof value === 'number' ? value : other);

  const write = (node: unknown, depth: number): unknown => {
    if (depth > deepest) throw new SchemaError('the schema is nested too deeply');
    if (node === true || node === undefined) return {};
    if (typeof node !== 'object' || node === null || Array.isArray(node)) throw new SchemaError('a schema is an object or true');
    const here = node as Schema;
    if ('const' in here) return here['const'];
    if (Array.isArray(here['enum'])) return here['enum'][below(here['enum'].length)];
    if (typeof here['$ref'] === 'string') return write(resolved(schema as Schema, here['$ref']), depth + 1);
    const choices = here['anyOf'] ?? here['oneOf'];
    if (Array.isArray(choices)) return write(choices[below(choices.length)], depth + 1);
    if (Array.isArray(here['allOf'])) return write(merged(here), depth + 1);
    return typed(here, depth);
  };

  const typed = (here: Schema, depth: number): unknown => {
    const type = Array.isArray(here['type'])
      ? (here['type'][0] as unknown)
      : (here['type'] ?? ('properties' in here ? 'object' : 'string'));
    switch (type) {
      case 'object':
        return object(here, depth);
      case 'array': {
        const least = numberOr(here['minItems'], 0);
        const most = Math.min(numberOr(here['maxItems'], least + 2), least + 2);
        const count = Math.max(least, Math.min(most, 1));
        return Array.from({ length: count }, () => write(here['items'], depth + 1));
      }
      case 'string':
        return text(here);
      case 'integer':
      case 'number':
        return quantity(here, type);
      case 'boolean':
        return draw() < 0.5;
      case 'null':
        return null;
      default:
        throw new SchemaError(`the type ${JSON.stringify(type)} is not known`);
    }
  };

  const object = (here: Schema, depth: number): unknown => {
    const properties = (here['properties'] ?? {}) as Schema;
    const required = new Set(Array.isArray(here['required']) ? (here['required'] as string[]) : []);
    const names = new Set([...required, ...Object.keys(properties)]);
    return Object.fromEntries(
      [...names].filter((name) => required.has(name) || depth < 4).map((name) => [name, write(properties[name], depth + 1)]),
    );
  };

  const text = (here: Schema): string => {
    if ('pattern' in here || 'format' in here) throw new SchemaError('pattern and format are not known');
    const least = numberOr(here['minLength'], 1);
    let value = words[below(words.length)] as string;
    while (value.length < least) value += ` ${words[below(words.length)]}`;
    return value.slice(0, Math.max(least, numberOr(here['maxLength'], value.length)));
  };

  const quantity = (here: Schema, type: 'integer' | 'number'): number => {
    const low = numberOr(here['minimum'], numberOr(here['exclusiveMinimum'], -1) + 1);
    const high = numberOr(here['maximum'], numberOr(here['exclusiveMaximum'], low + 101) - (type === 'integer' ? 1 : 0.5));
    const value = low + draw() * Math.max(0, high - low);
    const step = numberOr(here['multipleOf'], type === 'integer' ? 1 : 0);
    return step === 0 ? value : Math.ceil(low / step) * step + Math.floor((value - low) / step) * step;
  };

  return write(schema, 0);
}

function resolved(root: Schema, reference: string): unknown {
  if (!reference.startsWith('#')) throw new SchemaError(`the reference ${reference} leads outside`);
  let node: unknown = root;
  for (const part of reference.slice(1).split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    node = typeof node === 'object' && node !== null && Object.hasOwn(node, name) ? (node as Schema)[name] : undefined;
    if (node === undefined) throw new SchemaError(`the reference ${reference} leads nowhere`);
  }
  return node;
}

/** Of objects only: their properties and required names together. */
function merged({ allOf, ...rest }: Schema): Schema {
  const parts = [rest, ...(allOf as Schema[])];
  return {
    ...rest,
    type: 'object',
    properties: Object.fromEntries(parts.flatMap((part) => Object.entries((part['properties'] ?? {}) as Schema))),
    required: parts.flatMap((part) => (part['required'] ?? []) as string[]),
  };
}
