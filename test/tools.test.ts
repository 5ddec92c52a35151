import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigFault, TaskFault } from '../src/errors.ts';
import type { JsonValue } from '../src/protocol/json.ts';
import { ToolSpec } from '../src/protocol/tool.ts';
import { stream } from '../src/random.ts';
import { express } from '../src/simulation/procedural/express.ts';
import { builtinTools, families } from '../src/simulation/procedural/families.ts';
import { oracle, play } from '../src/simulation/procedural/oracle.ts';
import { builtinRepository, importedRepository } from '../src/simulation/procedural/repository.ts';
import { writeTask } from '../src/simulation/procedural/task.ts';
import { lexicon } from '../src/simulation/procedural/lexicon.ts';
import { toolWords } from '../src/simulation/procedural/phrase.ts';
import { loadTools, readTools, reasonTable } from '../src/tools/load.ts';
import { naming, validName } from '../src/tools/naming.ts';
import { repositoryOf, subset } from '../src/tools/repository.ts';
import { safeSchema } from '../src/tools/schema.ts';
import { anyJson, viewOf } from './support/arbitraries.ts';

const toolbench = loadTools('test/fixtures/tools/toolbench.json');
const openai = loadTools('test/fixtures/tools/openai.json');
const named = (tools: readonly ToolSpec[], name: string): ToolSpec => tools.find((tool) => tool.name === name) as ToolSpec;

describe('a ToolBench file', () => {
  test('gives each API once, under a valid name, with its category, effects and source', () => {
    expect(toolbench.usable.map(({ name }) => name)).toEqual([
      'Harbor_Ferries_next_departure',
      'Harbor_Ferries_book',
      'Harbor_Ferries_all_piers',
      'Tides_today',
      'Tides_compare',
      'Tides_model',
    ]);
    expect(toolbench.usable[0]).toMatchObject({ category: 'Transportation', effects: 'read', source: 'toolbench.json#0.0' });
    expect(toolbench.usable[1]).toMatchObject({ effects: 'write' });
  });

  test('keeps required and optional, makes text of types without values and says so', () => {
    const { parameters } = named(toolbench.usable, 'Harbor_Ferries_book');
    expect(parameters).toMatchObject({
      required: ['line', 'places'],
      properties: {
        line: { type: 'string' },
        places: { type: 'number' },
        bicycle: { type: 'boolean' },
        deck: { type: 'string', description: 'ENUM: Choose upper or lower.' },
      },
    });
  });

  test('reads what a template says comes back', () => {
    expect(named(toolbench.usable, 'Harbor_Ferries_next_departure').returns).toEqual({
      type: 'object',
      properties: { pier: { type: 'string' }, hour: { type: 'integer' } },
    });
  });

  test('lists what it cannot read, with the reason', () => {
    expect(toolbench.rejected).toEqual([{ name: '#1.4', source: 'toolbench.json#1.4', reason: 'no API description: api_name' }]);
  });
});

describe('an OpenAI file', () => {
  test('is read in both of its forms, references inlined, patterns left out', () => {
    expect(openai.usable.map(({ name }) => name)).toEqual(['get_lamp', 'set_lamp', 'set_lamp_2', 'far']);
    expect(named(openai.usable, 'set_lamp').parameters['properties']).toEqual({
      room: { type: 'string' },
      colour: { type: 'string', enum: ['warm', 'cold', 'red'] },
      brightness: { type: 'integer', minimum: 5, maximum: 9 },
      fade: { type: ['boolean', 'null'] },
    });
  });

  test('lists repeated, circular, foreign and nameless entries with the reason', () => {
    expect(openai.rejected.map(({ name, reason }) => [name, reason])).toEqual([
      ['#7', 'no function definition'],
      ['get_lamp', 'the same tool again'],
      ['circle', 'circular reference'],
      ['outside', 'reference outside the schema'],
    ]);
  });
});

describe('a hostile file', () => {
  const refused = (text: string, message: RegExp): void => {
    expect(() => readTools(text, 'x.json')).toThrow(ConfigFault);
    expect(() => readTools(text, 'x.json')).toThrow(message);
  };
  test('that is no JSON, no list, or holds no usable tool is refused by name', () => {
    refused('{', /x\.json is no JSON/);
    refused('{"a": 1}', /neither OpenAI function JSON nor ToolBench JSON/);
    refused('[]', /none of 0 entries is usable/);
    refused('[{"x": 1}]', /none of 1 entries is usable: no function definition/);
  });

  test('cannot reach a prototype', () => {
    refused('[{"name": "a", "parameters": {"type": "object", "properties": {"__proto__": {"type": "string"}}}}]', /__proto__/);
    const { rejected } = readTools(
      '[{"name": "a"}, {"name": "b", "parameters": {"type": "object", "properties": {"constructor": {"type": "string"}}}}]',
      'x.json',
    );
    expect(rejected[0]?.reason).toBe('property named constructor');
  });

  test('larger than the bound, or missing, is refused before it is read', () => {
    expect(() => loadTools(join(tmpdir(), 'no', 'such.json'))).toThrow(/ENOENT/);
    const path = join(mkdtempSync(join(tmpdir(), 'tools-')), 'many.json');
    writeFileSync(path, JSON.stringify(Array.from({ length: 50_001 }, () => 0)));
    expect(() => loadTools(path)).toThrow(/more than 50000 entries/);
  });

  test('whose references nest without end is cut by depth and by size', () => {
    let deep: JsonValue = { type: 'string' };
    for (let i = 0; i < 40; i++) deep = { type: 'object', properties: { a: deep } };
    expect(safeSchema(deep)).toEqual({ ok: false, reason: 'schema too deep' });
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const wide = (next: string): JsonValue => ({
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [name, { $ref: `#/$defs/${next}` }])),
    });
    const $defs = { one: wide('two'), two: wide('three'), three: wide('four'), four: wide('five'), five: { type: 'string' } };
    expect(safeSchema({ ...(wide('one') as object), $defs })).toEqual({ ok: false, reason: 'schema too large' });
  });

  test('of any JSON at all never crashes the importer', () => {
    fc.assert(
      fc.property(anyJson, (json) => {
        try {
          for (const tool of readTools(JSON.stringify([json, { name: 'fine' }]), 'x.json').usable) ToolSpec.parse(tool);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigFault);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('names', () => {
  test('are valid and unique whatever they were', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 30 }), (texts) => {
        const names = texts.map(naming());
        for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
        expect(new Set(names).size).toBe(texts.length);
      }),
    );
    expect(validName('  what is/this?  ')).toBe('what_is_this');
    expect(validName('…')).toBe('tool');
  });
});

describe('a subset', () => {
  test('has the wished size, no tool twice, and one category filled before others', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom('train' as const, 'heldOut' as const),
        (seed, count, split) => {
          const tools = subset(builtinRepository, count, stream(seed), split);
          expect(tools).toHaveLength(count);
          expect(new Set(tools).size).toBe(count);
          const sizes = tools.map(({ category }) => tools.filter((other) => other.category === category).length);
          expect(Math.max(...sizes)).toBe(Math.min(4, count));
        },
      ),
    );
  });

  test('is the same for the same stream, and fails loudly for a split without tools', () => {
    expect(subset(builtinRepository, 5, stream(7), 'train')).toEqual(subset(builtinRepository, 5, stream(7), 'train'));
    expect(() => subset(repositoryOf(builtinTools.slice(0, 1)), 1, stream(1), 'heldOut')).toThrow(TaskFault);
  });

  test('of a short imported list exists on both sides of the split', () => {
    for (let size = 2; size < 8; size++) {
      const { categories } = repositoryOf(builtinTools.slice(0, size), { share: 0.25 });
      expect(categories.train.size).toBeGreaterThan(0);
      expect(categories.heldOut.size).toBeGreaterThan(0);
    }
  });
});

describe('the built-in families', () => {
  test('are twelve domains of four tools, three of them held out, each topic used once', () => {
    expect(families).toHaveLength(12);
    expect(families.filter(({ heldOut }) => heldOut)).toHaveLength(3);
    expect(families.every(({ tools }) => tools.length === 4)).toBe(true);
    expect(new Set(builtinTools.map(({ description }) => description)).size).toBe(48);
    for (const tool of builtinTools) expect(ToolSpec.parse(tool)).toEqual(tool);
  });

  test('read and write, have optional, enumerated, numeric and boolean parameters, and say what they return', () => {
    const properties = builtinTools.flatMap((tool) =>
      Object.values(tool.parameters['properties'] as Record<string, Record<string, unknown>>),
    );
    for (const type of ['string', 'integer', 'boolean']) expect(properties.some((schema) => schema['type'] === type)).toBe(true);
    expect(properties.some((schema) => Array.isArray(schema['enum']))).toBe(true);
    expect(builtinTools.filter(({ effects }) => effects === 'read').length).toBeGreaterThanOrEqual(12);
    expect(builtinTools.every(({ returns }) => returns !== undefined)).toBe(true);
  });
});

describe('an imported list', () => {
  const all = [...toolbench.usable, ...openai.usable];
  const { repository, rejected, reduced } = importedRepository(all, 0.25);

  test('is used but for what the tiny language cannot say, with the reason, in a table', () => {
    expect(rejected.map(({ name, reason }) => [name, reason])).toEqual([
      ['Tides_compare', 'a required parameter is of type array'],
      ['Tides_model', 'more than 3 required parameters'],
      ['far', 'a required parameter is a number outside 1 to 20'],
    ]);
    expect(reduced).toEqual([{ name: 'Tides_today', source: 'toolbench.json#1.0', notes: ['optional stations is of type array'] }]);
    expect(reasonTable([...rejected, { name: '', source: '', reason: 'more than 3 required parameters' }])[0]).toEqual({
      reason: 'more than 3 required parameters',
      tools: 2,
    });
  });

  test('keeps required, optional, types, bounds, categories and the number of enum values; names and texts become words of the lexicon', () => {
    const words = new Set(lexicon);
    const sources = new Map(repository.tools.map((tool) => [tool.source, tool]));
    for (let seed = 0; seed < 120; seed++) {
      const task = writeTask(viewOf({ seed, difficulty: 1 + (seed % 100), repository, split: seed % 2 === 0 ? 'train' : 'heldOut' }));
      for (const tool of task.tools) {
        const original = sources.get(tool.source) as ToolSpec;
        const expression = express(original);
        expect(tool.category).toBe(original.category);
        const properties = Object.values(tool.parameters['properties'] as Record<string, Record<string, unknown>>);
        const expected = expression.ok ? expression.parameters : [];
        expect((tool.parameters['required'] as string[]).length).toBe(expected.filter(({ required }) => required).length);
        expect(properties.map(({ type }) => type)).toEqual(expected.map(({ schema }) => schema['type']));
        expect(properties.map((schema) => (Array.isArray(schema['enum']) ? schema['enum'].length : 0))).toEqual(
          expected.map(({ domain }) => domain.values?.length ?? 0),
        );
        expect(properties.map(({ minimum }) => minimum)).toEqual(expected.map(({ schema }) => schema['minimum']));
        expect(toolWords(tool).filter((word) => !words.has(word))).toEqual([]);
      }
      expect(play(task, oracle).verdict?.reward).toBe(1);
    }
  });

  test('is shown under other words in every task', () => {
    const shown = new Set<string>();
    for (let seed = 0; seed < 20; seed++) for (const tool of viewToolsOf(seed)) shown.add(`${tool.name} ${tool.description}`);
    expect(shown.size).toBeGreaterThan(18);
  });
  const viewToolsOf = (seed: number): readonly ToolSpec[] => writeTask(viewOf({ seed, difficulty: 1, repository })).tools;
});
