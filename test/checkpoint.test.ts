import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RecordFault } from '../src/errors.ts';
import { listCheckpoints, pruneCheckpoints, readCheckpoint, removeLeftovers, writeCheckpoint } from '../src/gpu/checkpoint.ts';
import { type PolicyVersion, type StepId, stepId } from '../src/protocol/ids.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'troupe-checkpoint-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const head = (step: StepId) => ({ step, version: 1 as PolicyVersion, groups: [] });
const fill = (text: string) => (dir: string) => {
  mkdirSync(join(dir, 'weights'));
  writeFileSync(join(dir, 'weights', 'model.safetensors'), text);
  writeFileSync(join(dir, 'run.json'), '{}');
  return Promise.resolve();
};
const write = (step: number, text = 'weights') => writeCheckpoint(root, head(stepId(step)), fill(text));

it('reads back what it wrote, by the hash it gave', async () => {
  const written = await write(1);
  expect(readCheckpoint(root, stepId(1))).toEqual(written);
  expect(written.manifest.files.map((file) => file.path)).toEqual(['run.json', 'weights/model.safetensors']);
});

it('has equal hashes for equal content, wherever it lies, and another for other content', async () => {
  const first = await write(1);
  const elsewhere = await writeCheckpoint(join(root, 'deep', 'er'), head(stepId(1)), fill('weights'));
  expect(elsewhere.hash).toBe(first.hash);
  expect((await write(1, 'others')).hash).not.toBe(first.hash);
});

it.each([
  ['a changed byte', (dir: string) => writeFileSync(join(dir, 'weights', 'model.safetensors'), 'weighty')],
  ['a grown file', (dir: string) => appendFileSync(join(dir, 'run.json'), ' ')],
  ['a missing file', (dir: string) => unlinkSync(join(dir, 'run.json'))],
  ['a missing manifest', (dir: string) => unlinkSync(join(dir, 'manifest.json'))],
  ['a torn manifest', (dir: string) => writeFileSync(join(dir, 'manifest.json'), '{"format":1,')],
])('does not load a checkpoint with %s', async (_, damage) => {
  damage((await write(1)).dir);
  expect(readCheckpoint(root, stepId(1))).toBeNull();
});

it('shows nothing of a write that fails, and a later write of the same step succeeds', async () => {
  const failing = writeCheckpoint(root, head(stepId(2)), (dir) => {
    writeFileSync(join(dir, 'half'), 'x');
    return Promise.reject(new Error('disk full'));
  });
  await expect(failing).rejects.toBeInstanceOf(RecordFault);
  expect(listCheckpoints(root)).toEqual([]);
  await write(2);
  expect(readCheckpoint(root, stepId(2))?.manifest.files.map((file) => file.path)).not.toContain('half');
});

it('removes leftovers and steps after the last committed one, and nothing else', async () => {
  for (const step of [1, 2, 3]) await write(step);
  mkdirSync(join(root, '.s00004.partial'));
  mkdirSync(join(root, 's00000'));
  expect(removeLeftovers(root, stepId(2)).sort()).toEqual(['.s00004.partial', 's00000', 's00003']);
  expect(readdirSync(root).sort()).toEqual(['s00001', 's00002']);
  expect(readCheckpoint(root, stepId(2))).not.toBeNull();
});

it('keeps the newest and every n-th when it prunes', async () => {
  for (let step = 1; step <= 12; step++) await write(step);
  expect(pruneCheckpoints(root, { last: 2, every: 5 }, { dryRun: true })).toHaveLength(8);
  expect(listCheckpoints(root)).toHaveLength(12);
  pruneCheckpoints(root, { last: 2, every: 5 });
  expect(listCheckpoints(root)).toEqual([5, 10, 11, 12].map(stepId));
  expect(existsSync(join(root, 's00001'))).toBe(false);
});

it('always keeps the newest', async () => {
  await write(1);
  expect(pruneCheckpoints(root, { last: 0, every: 0 })).toEqual([]);
});
