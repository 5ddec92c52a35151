import { Ajv } from 'ajv';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../src/protocol/json.ts';
import { complaintOfSchema } from '../src/tools/import/json-schema/compile.ts';
import { normalise, type Normalised, type Side } from '../src/tools/import/json-schema/normalise.ts';
import { within } from '../src/tools/import/json-schema/reference.ts';
import { safeSchema } from '../src/tools/schema.ts';
import { anyJson } from './support/arbitraries.ts';

const normal = (schema: JsonValue, side: Side = 'request'): Normalised =>
  normalise({ value: schema, base: '', open: [] }, within(schema), side);
function schemaOf(schema: JsonValue, side: Side = 'request'): JsonObject {
  const read = normal(schema, side);
  if (!read.ok) throw new Error(read.reason);
  return read.schema;
}

const name = fc.constantFrom('a', 'b', 'c');
const scalar = fc.constantFrom<JsonValue>(0, 1, 2.5, -3, '', 'x', 'long text', true, false, null);
const { value: anyValue } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { weight: 3, arbitrary: scalar },
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ) as fc.Arbitrary<JsonValue>,
}));

/** Schemas that state their types, as JSON Schema 7 has them, with references to three definitions. */
const { node } = fc.letrec<{ node: JsonObject }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<JsonObject>(
      {},
      { type: 'string' },
      { type: 'string', minLength: 1, maxLength: 4, pattern: '^x' },
      { type: 'integer', minimum: 0 },
      { type: 'number', exclusiveMaximum: 2, multipleOf: 0.5 },
      { type: ['boolean', 'null'] },
      { enum: ['x', 1, null] },
      { const: 'x' },
    ),
    name.map((of): JsonObject => ({ $ref: `#/definitions/${of}` })),
    fc
      .record({
        properties: fc.dictionary(name, tie('node'), { noNullPrototype: true }),
        required: fc.uniqueArray(name, { maxLength: 2 }),
        closed: fc.boolean(),
      })
      .map(({ properties, required, closed }): JsonObject => ({
        type: 'object',
        properties,
        required,
        ...(closed ? { additionalProperties: false } : {}),
      })),
    fc.record({ type: fc.constant('object'), additionalProperties: tie('node') }),
    fc.record({ type: fc.constant('array'), items: tie('node'), maxItems: fc.constantFrom(1, 3) }),
    fc
      .tuple(fc.constantFrom('allOf', 'anyOf', 'oneOf'), fc.array(tie('node'), { minLength: 1, maxLength: 3 }))
      .map(([word, parts]): JsonObject => ({ [word]: parts })),
    fc.record({ not: tie('node') }),
  ) as fc.Arbitrary<JsonObject>,
}));
const anySchema = fc
  .tuple(node, fc.record({ a: node, b: node, c: node }))
  .map(([root, definitions]): JsonObject => ('$ref' in root ? { allOf: [root], definitions } : { ...root, definitions }));

const ajv = new Ajv({ strict: false, logger: false });

describe('a normalised schema', () => {
  test('allows every value that the source allows', () => {
    let allowed = 0;
    fc.assert(
      fc.property(anySchema, fc.array(anyValue, { minLength: 5, maxLength: 20 }), (schema, values) => {
        let source;
        try {
          source = ajv.compile(schema);
        } catch {
          return;
        }
        const check = ajv.compile(schemaOf(schema));
        for (const value of values) {
          let fits = false;
          try {
            fits = source(value);
          } catch {
            // A reference that leads to itself at once: no value fits.
          }
          if (!fits) continue;
          allowed++;
          expect(check(value), JSON.stringify({ value, errors: check.errors })).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
    expect(allowed).toBeGreaterThan(500);
  });

  test('of any JSON is refused with a reason, or compiles strictly, is its own safe part, and has no reference and no pattern', () => {
    fc.assert(
      fc.property(fc.oneof(anyJson, anySchema), (schema) => {
        const read = normal(schema);
        if (!read.ok) {
          expect(read.reason).not.toBe('');
          return;
        }
        expect(complaintOfSchema(read.schema)).toBeUndefined();
        expect(safeSchema(read.schema)).toEqual({ ok: true, schema: read.schema });
        expect(JSON.stringify(read.schema)).not.toMatch(/"(\$ref|pattern|allOf|oneOf)":/);
      }),
      { numRuns: 400 },
    );
  });

  test('stops at circles and says so', () => {
    const tree = {
      type: 'object',
      properties: { label: { type: 'string' }, parent: { $ref: '#' }, children: { type: 'array', items: { $ref: '#' } } },
    };
    const read = normal(tree);
    expect(read).toMatchObject({ ok: true, cuts: ['a circle'] });
    // From the root, which no reference has opened yet, one level more is read.
    expect(schemaOf(tree)['properties']).toMatchObject({
      parent: { type: 'object', properties: { parent: {}, label: { type: 'string' } } },
    });
    const knot = {
      $defs: { a: { $ref: '#/$defs/b' }, b: { allOf: [{ $ref: '#/$defs/a' }] } },
      type: 'object',
      properties: { x: { $ref: '#/$defs/a' } },
    };
    expect(schemaOf(knot)).toEqual({ type: 'object', properties: { x: {} } });
  });

  test('merges allOf, opens nullable unions, and keeps real choices as anyOf', () => {
    expect(
      schemaOf({
        allOf: [
          { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
          { properties: { a: { description: 'First.' }, b: { oneOf: [{ type: 'integer' }, { type: 'null' }] } } },
        ],
      }),
    ).toEqual({
      type: 'object',
      properties: { a: { type: 'string', description: 'First.' }, b: { type: ['integer', 'null'] } },
      required: ['a'],
    });
    expect(schemaOf({ oneOf: [{ type: 'string' }, { type: 'integer' }, { type: 'null' }] })).toEqual({
      anyOf: [{ type: 'string' }, { type: 'integer' }, { type: 'null' }],
    });
  });

  test('reads OpenAPI 3.0 as it is meant: nullable, flags for exclusive bounds, example, numbers in quotes', () => {
    expect(schemaOf({ type: 'string', nullable: true, enum: ['a', 'b'], example: 'a' })).toEqual({
      type: ['string', 'null'],
      enum: ['a', 'b', null],
      examples: ['a'],
    });
    expect(schemaOf({ type: 'integer', minimum: 1, exclusiveMinimum: true, enum: ['2', '3'] })).toEqual({
      type: 'integer',
      exclusiveMinimum: 1,
      enum: [2, 3],
    });
  });

  test('has no read-only part in a request and no write-only part in a response', () => {
    const user: JsonObject = {
      type: 'object',
      properties: { id: { type: 'string', readOnly: true }, name: { type: 'string' }, password: { type: 'string', writeOnly: true } },
      required: ['id', 'name', 'password'],
    };
    expect(schemaOf(user, 'request')['required']).toEqual(['name', 'password']);
    expect(schemaOf(user, 'response')['required']).toEqual(['id', 'name']);
  });

  test('is cut from the far end: what is near the root stays', () => {
    const leaf = (count: number): JsonObject =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, { type: 'string', description: 'w'.repeat(400) }]));
    const wide = {
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`g${i}`, { type: 'object', properties: leaf(90) }])),
    };
    const read = normal(wide);
    if (!read.ok) throw new Error(read.reason);
    expect(Object.keys(read.schema['properties'] as JsonObject)).toHaveLength(90);
    expect([...read.cuts].sort()).toEqual(['too large', 'too many words']);
    expect(JSON.stringify(read.schema).length).toBeLessThan(60_000);
    const required = Array.from({ length: 150 }, (_, i) => `p${i}`);
    const many = schemaOf({ type: 'object', properties: leaf(150), required: required.slice(140), additionalProperties: false });
    expect(Object.keys(many['properties'] as JsonObject)).toEqual(expect.arrayContaining(required.slice(140)));
    // What was left out may still be sent.
    expect(many['additionalProperties']).toBeUndefined();
  });

  test.each([
    ['a reference to a network', { $ref: 'https://example.org/a.json' }, /^reference outside: https/],
    ['a reference to nothing', { $ref: '#/$defs/none' }, /^reference to nothing/],
    ['a reference that is no text', { $ref: 7 }, /^reference is no text/],
    ['a reference to a prototype', { $ref: '#/constructor/prototype' }, /^reference to nothing/],
    [
      'a required property that is a prototype',
      { type: 'object', properties: { constructor: {} }, required: ['constructor'] },
      /^property named constructor/,
    ],
    ['properties that are a list', { type: 'object', properties: [] }, /^properties is no object/],
    ['what is no schema', 'string', /^schema is no object/],
  ] as const)('is refused for %s', (_, schema, reason) => {
    const read = normal(schema as unknown as JsonValue);
    expect(read.ok ? '' : read.reason).toMatch(reason);
  });
});
