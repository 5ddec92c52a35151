/** A run on API descriptions that somebody else wrote: in ToolBench's form, on our own transformer. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { RunSummary } from '../src/protocol/summary.ts';
import { troupe } from './support/command-line.ts';
import { baseModel, trainedRun } from './support/recipes.ts';
import { type Ended, start, written } from './support/runs.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-run-tools-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let ended: Ended;
let summary: RunSummary;
beforeAll(async () => {
  baseModel(join(root, 'model'));
  cpSync('test/fixtures/tools/toolbench.json', join(root, 'apis.json'));
  const file = written({ ...trainedRun(root), name: 'apis', curriculum: { start: 10 } }, root);
  ended = await start([file, '--set', 'tools=apis.json', '--json'], root).ended;
  expect(ended.code).toBe(0);
  summary = RunSummary.parse(JSON.parse(ended.out));
});

test('says how many of the tools it uses, and why not the others', () => {
  expect(ended.err).toMatch(/\n4 tools of \S*apis\.json are used, 3 are not:\n(- 1 × .+\n){3}/);
  expect(ended.err).toContain('- 1 × more than 3 required parameters\n');
});

test('loses no episode', () => {
  expect(summary).toMatchObject({ ended: 'done', steps: 2, episodes: 32, faults: {} });
});

test('trains on one part of the tools and examines on another', () => {
  const rows = readFileSync(join(root, 'runs/apis/episodes.jsonl'), 'utf8').trimEnd().split('\n');
  expect(new Set(rows.map((row) => (JSON.parse(row) as { split: string }).split))).toEqual(new Set(['train']));
  expect(summary.heldOut?.after?.map(({ n }) => n)).toEqual([2, 2]);
});

test('can be read episode by episode', () => {
  const { code, out } = troupe(['show', 's00002.t001.e00', '--run', 'apis'], { cwd: root });
  expect(code).toBe(0);
  expect(out).toMatch(/^s00002\.t001\.e00\n.*train/);
  expect(out).toMatch(/\nreward [+−-]?[01]/);
});
