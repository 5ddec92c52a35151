import { Ajv } from 'ajv';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SimulatorFault } from '../src/errors.ts';
import type { JsonObject, JsonValue } from '../src/protocol/json.ts';
import type { ToolSpec } from '../src/protocol/tool.ts';
import type { Patch, World } from '../src/protocol/world.ts';
import type { ToolAnswer } from '../src/simulation/contract.ts';
import { type Rule, proceduralTool } from '../src/simulation/procedural/tool.ts';
import { applyPatch, complaintsAbout, emptyWorld, occurrencesOf, stateHash } from '../src/simulation/state.ts';
import { complaintOf, flatCheck, validateCall } from '../src/simulation/validate.ts';

const shop: World = { entities: { orders: { r1: { code: 'amber', item: 'lamp' }, r2: { code: 'birch', item: 'lamp' } } }, occurrences: {} };

describe('a patch', () => {
  test('puts, merges, deletes and counts, and leaves the world it was given as it was', () => {
    const before = structuredClone(shop);
    const patch: Patch = [
      { op: 'put', collection: 'orders', id: 'r3', record: { code: 'cedar' } },
      { op: 'merge', collection: 'orders', id: 'r1', fields: { item: 'rope' } },
      { op: 'delete', collection: 'orders', id: 'r2' },
      { op: 'count', key: 'k' },
      { op: 'count', key: 'k' },
    ];
    expect(applyPatch(shop, patch)).toEqual({
      entities: { orders: { r1: { code: 'amber', item: 'rope' }, r3: { code: 'cedar' } } },
      occurrences: { k: 2 },
    });
    expect(shop).toEqual(before);
  });

  test('that names a record which does not exist is refused whole, with the operation', () => {
    const patch: Patch = [
      { op: 'put', collection: 'orders', id: 'r9', record: {} },
      { op: 'merge', collection: 'orders', id: 'r8', fields: {} },
    ];
    expect(complaintsAbout(shop, patch)).toEqual(['operation 1: no record orders/r8']);
    expect(() => applyPatch(shop, patch)).toThrow(SimulatorFault);
    expect(() => applyPatch(shop, [{ op: 'delete', collection: 'nothing', id: 'r1' }])).toThrow(/no record nothing\/r1/);
  });

  test('sees what the operations before it did', () => {
    expect(
      complaintsAbout(shop, [
        { op: 'delete', collection: 'orders', id: 'r1' },
        { op: 'merge', collection: 'orders', id: 'r1', fields: {} },
      ]),
    ).toHaveLength(1);
    expect(
      complaintsAbout(emptyWorld, [
        { op: 'put', collection: 'a', id: 'b', record: {} },
        { op: 'merge', collection: 'a', id: 'b', fields: {} },
      ]),
    ).toEqual([]);
  });

  test('cannot reach a prototype', () => {
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      expect(complaintsAbout(shop, [{ op: 'put', collection: name, id: 'x', record: {} }])).toHaveLength(1);
      expect(complaintsAbout(shop, [{ op: 'put', collection: 'orders', id: name, record: {} }])).toHaveLength(1);
      expect(complaintsAbout(shop, [{ op: 'count', key: name }])).toHaveLength(1);
    }
    expect(complaintsAbout(shop, [{ op: 'merge', collection: 'toString', id: 'x', fields: {} }])).toHaveLength(1);
  });
});

test('equal worlds have equal hashes whatever order they were built in; counters do not count', () => {
  const record = fc.dictionary(fc.string({ maxLength: 4 }), fc.integer(), { maxKeys: 4 });
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c'), record), (records) => {
      const world = { entities: { things: records }, occurrences: {} };
      const reversed = { entities: { things: Object.fromEntries(Object.entries(records).reverse()) }, occurrences: { x: 1 } };
      expect(stateHash(reversed)).toBe(stateHash(world));
      expect(stateHash({ entities: { things: { ...records, z: {} } }, occurrences: {} })).not.toBe(stateHash(world));
    }),
  );
});

const rule = (deed: Rule['deed'], keys: string[], busy = 0): Rule => ({
  deed,
  collection: 'orders',
  keys,
  gives: 'item',
  domain: { kind: 'thing' },
  busy,
  salt: 1,
});
const tool = (name: string): ToolSpec => ({
  name,
  description: '',
  parameters: {
    type: 'object',
    properties: { code: { type: 'string' }, item: { type: 'string' } },
    required: ['code'],
    additionalProperties: false,
  },
  returns: { type: 'string' },
  effects: 'write',
  category: 'orders',
  source: 'test',
});
const withRules = (rules: Record<string, Rule>): World => ({
  ...shop,
  entities: { ...shop.entities, rules: rules as unknown as Record<string, JsonObject> },
});
function ask(world: World, name: string, args: JsonObject): ToolAnswer {
  const view = { tool: tool(name), call: { name, arguments: args }, world };
  const posed = proceduralTool.pose(view, [], 0);
  const reading = proceduralTool.read(posed.kind === 'reply' ? posed.reply : null, view);
  if (!reading.ok) throw new Error(reading.complaint);
  return reading.answer;
}

describe('a tool', () => {
  const world = withRules({
    find: rule('find', []),
    make: rule('create', []),
    change: rule('change', ['code']),
    remove: rule('remove', ['code']),
    slow: rule('find', [], 2),
  });

  test('finds the first record that has all given fields, and says `notFound` where none has', () => {
    expect(ask(world, 'find', { code: 'birch' })).toEqual({ status: 'ok', observation: 'lamp', patch: [] });
    expect(ask(world, 'find', { code: 'birch', item: 'rope' })).toEqual({ status: 'notFound', observation: null, patch: [] });
  });

  test('changes and removes the record its key names, and returns its field', () => {
    const changed = ask(world, 'change', { code: 'amber', item: 'rope' });
    expect(changed.observation).toBe('rope');
    expect(applyPatch(world, changed.patch).entities['orders']?.['r1']).toEqual({ code: 'amber', item: 'rope' });
    expect(applyPatch(world, ask(world, 'remove', { code: 'amber' }).patch).entities['orders']).toEqual({
      r2: { code: 'birch', item: 'lamp' },
    });
    expect(ask(world, 'remove', { code: 'cedar' }).status).toBe('notFound');
  });

  test('that creates gives equal calls on equal states equal answers, and a second record to a second call', () => {
    const first = ask(world, 'make', { code: 'cedar' });
    expect(ask(world, 'make', { code: 'cedar' })).toEqual(first);
    const after = applyPatch(world, first.patch);
    expect(Object.keys(applyPatch(after, ask(after, 'make', { code: 'cedar' }).patch).entities['orders'] ?? {})).toHaveLength(4);
  });

  test('creates independent records alike in either order', () => {
    const both = (...codes: string[]): World => codes.reduce((state, code) => applyPatch(state, ask(state, 'make', { code }).patch), world);
    expect(stateHash(both('cedar', 'maple'))).toBe(stateHash(both('maple', 'cedar')));
  });

  test('that is busy says so as often as its rule says, counted in the world per call, and then answers', () => {
    let state = world;
    const statuses = [1, 2, 3].map(() => {
      const { status, patch } = ask(state, 'slow', { code: 'amber' });
      state = applyPatch(state, patch);
      return status;
    });
    expect(statuses).toEqual(['transient', 'transient', 'ok']);
    expect(occurrencesOf(state, { name: 'slow', arguments: { code: 'amber' } })).toBe(2);
    expect(ask(state, 'slow', { code: 'birch' }).status).toBe('transient');
  });

  test("without a rule in its world is the simulator's fault, and a result that breaks the schema is refused", () => {
    expect(() => ask(world, 'unheard', { code: 'a' })).toThrow(SimulatorFault);
    const view = { tool: tool('find'), call: { name: 'find', arguments: {} }, world };
    expect(proceduralTool.read({ status: 'ok', observation: 7, patch: [] }, view)).toEqual({ ok: false, complaint: 'no string' });
  });
});

describe('a call', () => {
  const tools = [tool('find')];
  test('is checked by code before any tool is asked', () => {
    expect(validateCall(tools, { name: 'find', arguments: { code: 'a' } })).toEqual({ ok: true, tool: tools[0] });
    expect(validateCall(tools, { name: 'lose', arguments: {} })).toEqual({ ok: false, status: 'unknownTool', complaint: 'no tool lose' });
    for (const [args, complaint] of [
      [{}, 'code is missing'],
      [{ code: 1 }, 'code: no string'],
      [{ code: 'a', day: 'b' }, 'no parameter day'],
    ] as const) {
      expect(validateCall(tools, { name: 'find', arguments: args })).toEqual({ ok: false, status: 'invalidArgument', complaint });
    }
  });

  test('of a tool whose schema is hostile is refused, never run', () => {
    const circle = { ...tool('find'), parameters: { type: 'object', properties: { a: { $ref: '#/properties/a' } } } };
    expect(validateCall([circle], { name: 'find', arguments: {} })).toMatchObject({
      ok: false,
      complaint: 'a schema that cannot be checked: circular reference',
    });
    const slow = { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } };
    expect(complaintOf(slow, { a: `${'a'.repeat(60)}!` })).toBeUndefined();
  });

  test('with nested arguments is checked by ajv', () => {
    const nested = { type: 'object', properties: { list: { type: 'array', items: { type: 'integer' } } }, required: ['list'] };
    expect(complaintOf(nested, { list: [1, 2] })).toBeUndefined();
    expect(complaintOf(nested, { list: ['a'] })).toBe('arguments/list/0 must be integer');
  });

  test('is checked for flat schemas exactly as ajv checks it', () => {
    const scalar = fc.oneof(
      fc.record({ type: fc.constantFrom('string', 'boolean', 'number', 'integer') }),
      fc.record({ type: fc.constant('integer'), minimum: fc.integer({ min: -3, max: 3 }), maximum: fc.integer({ min: -3, max: 9 }) }),
      fc.record({ type: fc.constant('string'), enum: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }) }),
      fc.record({ type: fc.constant('string'), minLength: fc.integer({ min: 0, max: 3 }) }),
    );
    const schema = fc.record({
      type: fc.constant('object'),
      properties: fc.dictionary(fc.constantFrom('p', 'q', 'r'), scalar),
      required: fc.uniqueArray(fc.constantFrom('p', 'q', 's')),
      additionalProperties: fc.boolean(),
    });
    const value = fc.oneof(
      fc.dictionary(
        fc.constantFrom('p', 'q', 'r', 's'),
        fc.oneof(fc.constantFrom<JsonValue>('a', 'b', '😀', '', true, null, 2.5), fc.integer({ min: -5, max: 12 })),
      ),
      fc.constantFrom<JsonValue>(null, 'a', []),
    );
    fc.assert(
      fc.property(schema, value, (drawn, given) => {
        const check = flatCheck(drawn);
        const ours = check === undefined ? 'not flat' : check(given) === undefined;
        expect(ours).toBe(new Ajv({ strict: false }).compile(drawn)(given));
      }),
      { numRuns: 150 },
    );
  });
});
