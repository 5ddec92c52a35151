/** Draws valid values of a zod schema for properties. Knows the node kinds our protocol uses and refuses any other by name, so that a new kind is never silently left untested. */
import * as fc from 'fast-check';
import type { z } from 'zod';

interface Def {
  readonly type: string;
  readonly [key: string]: unknown;
}
const defOf = (schema: unknown): Def => (schema as { _zod: { def: Def } })._zod.def;

/** Text the wire carries: well-formed, any plane. */
const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const json = fc
  .jsonValue({ maxDepth: 2, stringUnit: 'grapheme' })
  .map(
    (value) =>
      JSON.parse(JSON.stringify(value, (key, inner: unknown) => (inner === 0 ? 0 : key === '__proto__' ? undefined : inner))) as unknown,
  );

export function arbitraryOf(schema: z.ZodType): fc.Arbitrary<unknown> {
  const def = defOf(schema);
  const inner = (key: string): fc.Arbitrary<unknown> => arbitraryOf(def[key] as z.ZodType);
  switch (def.type) {
    case 'string':
      return stringOf(schema);
    case 'number':
      return numberOf(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'literal':
      return fc.constantFrom(...(def['values'] as unknown[]));
    case 'enum':
      return fc.constantFrom(...Object.values(def['entries'] as Record<string, unknown>));
    case 'array':
      return fc.array(inner('element'), { minLength: 1, maxLength: 3 });
    case 'record':
      return fc.dictionary(
        defOf(def['keyType']).type === 'enum' ? inner('keyType').map(String) : text.filter((key) => key !== '__proto__'),
        inner('valueType'),
        { maxKeys: 3, noNullPrototype: true },
      );
    case 'object':
      return objectOf(def['shape'] as Record<string, z.ZodType>);
    case 'default':
    case 'optional':
      return inner('innerType');
    case 'nullable':
      return fc.option(inner('innerType'));
    case 'union':
      return fc.oneof(...(def['options'] as z.ZodType[]).map(arbitraryOf));
    case 'lazy':
      return json;
    case 'custom':
      return instanceOf(schema);
    default:
      throw new Error(`arbitraryOf does not know zod's ${def.type}`);
  }
}

function objectOf(shape: Record<string, z.ZodType>): fc.Arbitrary<unknown> {
  const required = Object.keys(shape).filter((key) => defOf(shape[key]).type !== 'optional');
  const fields = Object.fromEntries(Object.entries(shape).map(([key, schema]) => [key, arbitraryOf(schema)]));
  return fc.record(fields, { requiredKeys: required as never[], noNullPrototype: true });
}

function stringOf(schema: z.ZodType): fc.Arbitrary<string> {
  const pattern = [...((schema as unknown as { _zod: { bag: { patterns?: Set<RegExp> } } })._zod.bag.patterns ?? [])].at(0);
  return (pattern === undefined ? text : fc.stringMatching(pattern)).filter((drawn) => schema.safeParse(drawn).success);
}

function numberOf(schema: z.ZodType): fc.Arbitrary<number> {
  const { minValue, maxValue, isInt } = schema as unknown as { minValue: number | null; maxValue: number | null; isInt: boolean };
  const min = Math.ceil(Math.max(minValue ?? -1e9, -1e9));
  const max = Math.floor(Math.min(maxValue ?? 1e9, 1e9));
  const numbers = isInt ? fc.integer({ min, max }) : fc.double({ min, max, noNaN: true }).map((x) => (x === 0 ? 0 : x));
  return numbers.filter((drawn) => schema.safeParse(drawn).success);
}

function instanceOf(schema: z.ZodType): fc.Arbitrary<unknown> {
  const candidates = [fc.int32Array({ maxLength: 12 }), fc.float32Array({ maxLength: 12, noNaN: true }), fc.uint8Array({ maxLength: 12 })];
  const fits = candidates.filter((_, i) => schema.safeParse([new Int32Array(4), new Float32Array(4), new Uint8Array(4)][i]).success);
  if (fits.length !== 1) throw new Error('arbitraryOf knows instances of Int32Array, Float32Array and Uint8Array only');
  return (fits[0] as fc.Arbitrary<unknown>).filter((value) => schema.safeParse(value).success);
}
