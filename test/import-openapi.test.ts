import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { ToolSpec } from '../src/protocol/tool.ts';
import { collect, type ImportReport } from '../src/tools/import/collect.ts';
import { readOpenApi } from '../src/tools/import/openapi.ts';
import { toolLine } from '../src/tools/lines.ts';
import { loadTools } from '../src/tools/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'troupe-openapi-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function imported(source: string): Promise<{ readonly tools: readonly ToolSpec[]; readonly report: ImportReport }> {
  const tools: ToolSpec[] = [];
  const report = await collect(readOpenApi(source), (tool) => tools.push(tool));
  return { tools, report };
}
function written(name: string, document: object): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(document));
  return path;
}
/** A document of one operation. */
const single = (operation: object, more: object = {}): object => ({
  openapi: '3.0.3',
  info: { title: 'Post' },
  paths: { '/a/{id}': { post: operation } },
  ...more,
});

const { tools, report } = await imported('test/fixtures/import/market/openapi.yaml');
const named = (name: string): ToolSpec => tools.find((tool) => tool.name === name) as ToolSpec;

describe('an OpenAPI document', () => {
  test('gives every operation as one tool, under its id or its method and path, reading where it is GET or HEAD', () => {
    expect(tools.map(({ name, effects, category }) => [name, effects, category])).toEqual([
      ['getStall', 'read', 'stalls'],
      ['put_stalls_stall', 'write', 'stalls'],
      ['delete_stalls_stall', 'write', "Farmers' Market"],
      ['post_orders', 'write', "Farmers' Market"],
      ['get_stall', 'read', "Farmers' Market"],
    ]);
  });

  test('keeps where a tool comes from and its licence', () => {
    expect(named('getStall')).toMatchObject({
      source: 'openapi.yaml#/paths/~1stalls~1{stall}/get',
      licence: 'CC-BY-4.0',
      description: 'Shows a stall.',
    });
    expect(named('delete_stalls_stall').description).toBe('Deprecated. Closes a stall.');
    expect(named('put_stalls_stall').description).toBe('PUT /stalls/{stall}');
    expect(named('post_orders').description).toBe('Orders goods.');
  });

  test('leaves out keys, tokens and cookies; an operation’s own parameter replaces the path’s', () => {
    expect(named('getStall').parameters).toEqual({
      type: 'object',
      properties: {
        stall: { type: 'string', description: 'Number of the stall.' },
        lang: { type: 'string' },
        'X-Season': { type: 'string' },
      },
      required: ['stall', 'lang'],
      additionalProperties: false,
    });
  });

  test('puts the fields of a body beside the parameters, by place where names meet; a body that is no object is one parameter', () => {
    expect(named('put_stalls_stall').parameters).toMatchObject({
      properties: {
        stall: { type: 'string' },
        body_stall: { description: 'New number.' },
        owner: { type: 'object' },
        note: { type: ['string', 'null'] },
      },
      required: ['stall', 'body_stall', 'owner'],
    });
    expect(named('post_orders').parameters['properties']).toMatchObject({
      body: { type: 'array', items: { properties: { price: { type: 'number', minimum: 0 } } } },
    });
  });

  test('returns what the first 2xx with a JSON schema says, through references and files, circles cut', () => {
    const stall = named('getStall').returns;
    expect(stall).toMatchObject({
      type: 'object',
      required: ['number'],
      properties: { goods: { items: { properties: { name: { type: 'string' } } } }, beside: {} },
    });
    expect(named('getStall').exampleResponse).toEqual({ number: '12', goods: [{ name: 'pears', price: 2.5 }] });
    expect(named('put_stalls_stall').returns).toEqual({ type: 'object', properties: { ok: { type: 'boolean' } } });
    expect(named('post_orders').returns).toEqual({ type: 'string' });
    expect(named('delete_stalls_stall').returns).toBeUndefined();
    expect([...report.cuts.keys()]).toEqual(['a circle']);
  });

  test('reports what it cannot use, and what the others do not say', () => {
    expect(report.rejected).toEqual([
      { name: 'broken', source: 'openapi.yaml#/paths/~1broken/get', reason: 'reference to nothing: #/components/parameters/Missing' },
    ]);
    expect(report).toMatchObject({
      sources: 1,
      usable: 5,
      effects: { read: 2, write: 3, unknown: 0 },
      lacks: { description: 0, returns: 2, effects: 0 },
    });
  });

  test('survives its own lines: written and loaded, the tools are the same', () => {
    const path = join(folder, 'market.jsonl');
    writeFileSync(path, tools.map(toolLine).join(''));
    expect(loadTools(path)).toEqual({ usable: tools, rejected: [] });
  });

  test.each([
    ['Swagger 2', { swagger: '2.0', paths: {} }, /s\.json: Swagger 2: convert it to OpenAPI 3 first/],
    ['OpenAPI 4', { openapi: '4.0.0', paths: {} }, /OpenAPI 4\.0\.0, not 3/],
    ['another format', { tools: [] }, /no OpenAPI document: "openapi" is missing/],
    ['a list', [1], /no OpenAPI document/],
    ['paths that are a list', { openapi: '3.0.0', paths: [] }, /paths is no object/],
  ])('of %s is refused by name', async (_, document, message) => {
    await expect(imported(written('s.json', document))).rejects.toThrow(message);
  });

  test('names what its path needs even where it does not say so', async () => {
    const { tools: found } = await imported(written('bare.json', single({ responses: {} })));
    expect(found[0]?.parameters).toMatchObject({ properties: { id: { type: 'string' } }, required: ['id'] });
  });

  test('needs of an optional body nothing', async () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
    const { tools: found } = await imported(
      written('optional.json', single({ requestBody: { content: { 'application/json': { schema } } }, responses: {} })),
    );
    expect(found[0]?.parameters['required']).toEqual(['id']);
  });
});

describe('a folder of documents', () => {
  test('is read whole: names are unique across files, equal tools are one, a file that is none is a rejection', async () => {
    const root = mkdtempSync(join(folder, 'many-'));
    const document = JSON.stringify(single({ operationId: 'send', responses: {} }));
    const other = JSON.stringify(single({ operationId: 'send', summary: 'Another.', responses: {} }));
    for (const [name, text] of [
      ['a.json', document],
      ['b.json', document],
      ['c.yml', other],
      ['d.yaml', '{'],
      ['readme.md', '{'],
    ] as const)
      writeFileSync(join(root, name), text);
    const { tools: found, report: counts } = await imported(root);
    expect(found.map(({ name, source }) => [name, source.split('#')[0]])).toEqual([
      ['send', 'a.json'],
      ['send_2', 'c.yml'],
    ]);
    expect(counts.sources).toBe(4);
    expect(counts.rejected.map(({ source, reason }) => [source.split('#')[0], reason.replace(/YAML: .*/, 'YAML')])).toEqual([
      ['b.json', 'the same tool again'],
      ['d.yaml', 'd.yaml:1 is neither JSON nor YAML'],
    ]);
  });

  test('that is not there, is empty, or is an address is refused', async () => {
    await expect(imported(join(folder, 'none'))).rejects.toThrow(/ENOENT/);
    await expect(imported(mkdtempSync(join(folder, 'empty-')))).rejects.toThrow(/no JSON or YAML file/);
    await expect(imported('https://example.org/openapi.json')).rejects.toThrow(/only local files are read/);
  });
});
