import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ToolSpec } from '../src/protocol/tool.ts';
import { loadTools } from '../src/tools/load.ts';
import { troupe } from './support/command-line.ts';

const cwd = mkdtempSync(join(tmpdir(), 'troupe-tools-cli-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));
const market = resolve('test/fixtures/import/market/openapi.yaml');
const toolbench = resolve('test/fixtures/tools/toolbench.json');
const parsed = (out: string): ToolSpec[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => ToolSpec.parse(JSON.parse(line)));

test('tools import writes one tool a line, says what it left out and why, and a run can load it', () => {
  const { code, out, err } = troupe(['tools', 'import', 'openapi', market, '--out', 'market.jsonl', '--rejected', 'no.jsonl', '--json'], {
    cwd,
  });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    v: 1,
    format: 'openapi',
    sources: 1,
    usable: 5,
    rejected: 1,
    effects: { read: 2, write: 3, unknown: 0 },
    cuts: { 'a circle': 1 },
  });
  expect(err).toContain('5 tools of 2 categories in market.jsonl, from 1 source');
  expect(err).toMatch(/1 cannot be used:\ntools {2}reason\n {4}1 {2}reference to nothing: #\/components\/parameters\/Missing/);
  expect(parsed(readFileSync(join(cwd, 'market.jsonl'), 'utf8'))).toHaveLength(5);
  expect(loadTools(join(cwd, 'market.jsonl')).usable).toHaveLength(5);
  expect(JSON.parse(readFileSync(join(cwd, 'no.jsonl'), 'utf8'))).toMatchObject({ name: 'broken' });
});

test('tools import without --out prints the lines themselves', () => {
  const { code, out } = troupe(['tools', 'import', 'toolbench', toolbench, '--quiet'], { cwd });
  expect(code).toBe(0);
  expect(parsed(out).map(({ name }) => name)).toContain('Harbor_Ferries_book');
});

test('tools import that finds nothing of use fails and leaves no file', () => {
  writeFileSync(join(cwd, 'none.json'), '{"openapi": "3.0.0", "paths": {"/a": {"get": {"parameters": [{"$ref": "file:///etc/passwd"}]}}}}');
  const { code, err } = troupe(['tools', 'import', 'openapi', 'none.json', '--out', 'none.jsonl'], { cwd });
  expect(code).toBe(2);
  expect(err).toContain('ConfigFault: none.json: no usable tool of 1: reference outside: file:///etc/passwd');
  expect(existsSync(join(cwd, 'none.jsonl'))).toBe(false);
  expect(readdirSync(cwd).filter((file) => file.endsWith('.part'))).toEqual([]);
});

test('tools ls and show tell what is in a list, and what was meant', () => {
  const flights = troupe(['tools', 'ls', 'catalogue', '--category', 'flights'], { cwd });
  expect(flights.out).toMatch(/book_flight +write +Books a flight\./);
  expect(ToolSpec.parse(JSON.parse(troupe(['tools', 'show', 'catalogue', 'book_flight'], { cwd }).out)).category).toBe('flights');
  const wrong = troupe(['tools', 'show', 'catalogue', 'book_fligth'], { cwd });
  expect(wrong.code).toBe(2);
  expect(wrong.err).toContain('no tool book_fligth; did you mean "book_flight"?');
});

test('tools check counts what is of use and what a list does not say', () => {
  const { code, out } = troupe(['tools', 'check', toolbench], { cwd });
  expect(code).toBe(0);
  expect(out).toMatch(/^6 usable, 1 not\n/);
  expect(out).toMatch(/\d do not say: returns/);
});

test('tools sample draws the same tools for the same seed, as many as asked', () => {
  const draw = (seed: number): ToolSpec[] =>
    parsed(troupe(['tools', 'sample', 'catalogue', '--count', '7', '--seed', `${seed}`], { cwd }).out);
  const first = draw(3);
  expect(first).toHaveLength(7);
  expect(draw(3)).toEqual(first);
});

test('tools sample --cap lets no source fill the sample', () => {
  const draw = (...more: string[]): string[] =>
    parsed(troupe(['tools', 'sample', 'catalogue', '--count', '60', ...more], { cwd }).out).map(({ source }) => source);
  const most = (sources: readonly string[]): number => Math.max(...sources.map((each) => sources.filter((other) => other === each).length));
  const capped = draw('--cap', '2');
  // Twenty-six categories, each a source of its own.
  expect(capped).toHaveLength(52);
  expect(most(capped)).toBe(2);
  const free = draw();
  expect(free).toHaveLength(60);
  expect(most(free)).toBeGreaterThan(2);
});
