import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { canonical, type JsonObject, type JsonValue } from '../src/protocol/json.ts';
import { ToolSpec } from '../src/protocol/tool.ts';
import { importedRepository } from '../src/simulation/procedural/repository.ts';
import { complaintOf } from '../src/simulation/validate.ts';
import { catalogueTools, chapters } from '../src/tools/catalogue.ts';
import type { Draft } from '../src/tools/catalogue/notation.ts';
import { gapsOf } from '../src/tools/gaps.ts';
import { complaintOfSchema } from '../src/tools/import/json-schema/compile.ts';
import { loadTools } from '../src/tools/load.ts';
import { sortTools } from '../src/tools/sieve.ts';

const drafts = chapters.flatMap(({ category, tools }) => Object.entries(tools).map(([name, draft]) => ({ category, name, draft })));
const writes = drafts.filter(({ draft }) => draft.effects === 'write');

/** Names of everything that tells one thing from another: parameters and fields, lists opened. */
function keysIn(schema: JsonValue | undefined, into = new Set<string>()): Set<string> {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return into;
  for (const [name, inner] of Object.entries((schema['properties'] ?? {}) as JsonObject)) {
    into.add(name);
    keysIn(inner, into);
  }
  return keysIn(schema['items'], into);
}
/** Fields of which two things of a kind never share a value; where a service has no numbers, what it goes by. */
const isKey = (name: string): boolean =>
  /(_id|_ids|_number)$/.test(name) ||
  ['path', 'group', 'project', 'room', 'coupon', 'total', 'state', 'volume_percent', 'artist', 'branch'].includes(name);
const fieldsOf = ({ parameters, returns }: Draft): Set<string> =>
  new Set([...keysIn(parameters.schema), ...keysIn(returns.schema)].filter(isKey));

const formats = new Ajv({ strict: false, formats: { date: /^\d{4}-\d\d-\d\d$/, 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ } });

describe('the catalogue', () => {
  test('holds at least 150 tools in at least 20 categories, each category reading and writing', () => {
    expect(catalogueTools.length).toBeGreaterThanOrEqual(150);
    expect(new Set(chapters.map(({ category }) => category)).size).toBe(chapters.length);
    expect(chapters.length).toBeGreaterThanOrEqual(20);
    for (const { category, tools } of chapters) {
      const effects = Object.values(tools).map((draft) => draft.effects);
      expect({ category, enough: effects.length >= 6, effects: new Set(effects) }).toEqual({
        category,
        enough: true,
        effects: new Set(['read', 'write']),
      });
    }
  });

  test('passes its own sieve whole: valid tools, unique names, no content twice, nothing left to be found out', () => {
    for (const tool of catalogueTools) ToolSpec.parse(tool);
    const { usable, rejected } = sortTools(catalogueTools);
    expect(rejected).toEqual([]);
    expect(usable.map(({ name }) => name)).toEqual(catalogueTools.map(({ name }) => name));
    expect(new Set(catalogueTools.map(({ name }) => name)).size).toBe(catalogueTools.length);
    expect(gapsOf(catalogueTools)).toEqual([]);
    for (const [index, tool] of usable.entries()) {
      // Nothing of a schema is lost on the way through a file.
      expect(canonical(tool.parameters)).toBe(canonical(catalogueTools[index]?.parameters));
      expect(canonical(tool.returns)).toBe(canonical(catalogueTools[index]?.returns));
    }
  });

  test('has only schemas that ajv compiles in strict mode, and describes every field', () => {
    for (const { name, parameters, returns } of catalogueTools) {
      expect([name, complaintOfSchema(parameters), complaintOfSchema(returns as JsonObject)]).toEqual([name, undefined, undefined]);
      for (const [field, schema] of Object.entries(parameters['properties'] as Record<string, JsonObject>))
        expect({ name, field, described: /\p{L}/u.test(JSON.stringify(schema['description'])) }).toEqual({ name, field, described: true });
    }
  });

  test('says of each tool what it does in words of its own, and of each parameter more than a question word', () => {
    const descriptions = catalogueTools.map(({ description }) => description);
    expect(descriptions.filter((words) => words.split(' ').length < 3)).toEqual([]);
    expect(descriptions.filter((words, index) => descriptions.indexOf(words) !== index)).toEqual([]);
    const bare = /^(how|how many|how far|how much|when|where|why|who|what|from|to|money|length|size|words|code|kind)\.$/i;
    const said = catalogueTools.flatMap(({ name, parameters }) =>
      Object.entries(parameters['properties'] as Record<string, { description?: string }>).map(
        ([field, { description = '' }]) => `${name}.${field}: ${description}`,
      ),
    );
    expect(said.length).toBeGreaterThan(400);
    expect(said.filter((line) => bare.test(line.split(': ').slice(1).join(': ')))).toEqual([]);
  });

  test.each(drafts)('$name takes its example and returns its example', ({ name, draft }) => {
    const tool = catalogueTools.find((candidate) => candidate.name === name) as ToolSpec;
    expect(complaintOf(tool.parameters, draft.parameters.example)).toBeUndefined();
    expect(complaintOf(tool.returns as JsonObject, tool.exampleResponse as JsonValue)).toBeUndefined();
    expect(formats.validate(tool.parameters, draft.parameters.example), formats.errorsText()).toBe(true);
    expect(formats.validate(tool.returns as JsonObject, tool.exampleResponse), formats.errorsText()).toBe(true);
  });

  test.each(writes)('what $name writes is seen by a tool that reads', ({ category, draft }) => {
    const reader = chapters.find((chapter) => chapter.category === category)?.tools[draft.seenBy ?? ''];
    expect(reader?.effects).toBe('read');
    const shown = keysIn(reader?.returns.schema);
    expect([...fieldsOf(draft)].filter((field) => shown.has(field))).not.toEqual([]);
    // And it can be asked for: by nothing at all, or by what the writer takes or gives.
    const needed = (reader?.parameters.schema['required'] ?? []) as string[];
    const known = new Set([...keysIn(draft.parameters.schema), ...keysIn(draft.returns.schema)]);
    // What is found by search is found by words of it.
    expect(needed.every((name) => known.has(name) || !isKey(name))).toBe(true);
  });

  test('is a list like any other: by name for a config, and mostly of use to the procedural world', () => {
    expect(loadTools('catalogue').usable).toBe(catalogueTools);
    const { repository, rejected } = importedRepository(catalogueTools, 0.25);
    expect(repository.tools.length + rejected.length).toBe(catalogueTools.length);
    expect(repository.tools.length).toBeGreaterThan(100);
    expect(repository.categories.heldOut.size).toBeGreaterThan(5);
  });
});
