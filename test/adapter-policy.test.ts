/** A policy that is an adapter, taken out of its run: measured as what was trained, not as its base; exported with the line that serves it. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configOf, type ConfigInput } from '../src/config.ts';
import { writeCheckpoint } from '../src/gpu/checkpoint.ts';
import type { PolicyVersion, RunId, StepId } from '../src/protocol/ids.ts';
import type { JsonObject } from '../src/protocol/json.ts';
import { createFolder, type RunFolder } from '../src/record/folder.ts';
import { startRecord } from '../src/record/record.ts';
import { troupe } from './support/command-line.ts';
import { writeAdapter } from './support/peft-adapter.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-adapter-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const model = resolve('models/tiny-base');
const input: ConfigInput = {
  engine: { kind: 'fake' },
  trainer: { kind: 'torch', adapter: 'lora', lora: { rank: 8 } },
  policy: { model },
  // There is none: what only measures must not ask for it.
  python: join(root, 'no-python'),
  eval: { levels: [5], tasks: 2 },
};
let run: RunFolder;
let weights = '';

beforeAll(async () => {
  run = createFolder(join(root, 'runs'), 'trained');
  const config = configOf(input) as unknown as JsonObject;
  const record = await startRecord(run, { run: run.name as RunId, segmentBytes: 1e6, transcripts: true }, { version: '0', config });
  await record.close();
  const { dir } = await writeCheckpoint(
    run.checkpoints,
    { step: 's00003' as StepId, version: 3 as PolicyVersion, groups: [] },
    async (to) => void writeAdapter({ model, dir: join(to, 'weights'), version: 3, seed: 1, scale: 0.1 }),
  );
  weights = join(dir, 'weights');
});

test('eval plays the newest adapter over its base, and starts no trainer', () => {
  const { code, out, err } = troupe(['eval', run.dir, '--json'], { cwd: root });
  expect(err).not.toContain('Fault');
  expect(code).toBe(0);
  const summary = JSON.parse(out.trim().split('\n').at(-1) ?? '') as { model: string; heldOut: { before: unknown[] } };
  expect(summary.model).toBe(weights);
  expect(summary.heldOut.before).toHaveLength(1);
});

test('an adapter directory is measured as it is, and refused by an engine that serves whole models', () => {
  const planned = troupe(
    ['eval', weights, '--set', 'engine.kind=fake', '--set', 'trainer.kind=torch', '--set', 'trainer.adapter=lora', '--dry-run', '--json'],
    { cwd: root },
  );
  expect(JSON.parse(planned.out)).toMatchObject({ config: { steps: 0, policy: { adapter: weights } } });
  const refused = troupe(['eval', weights], { cwd: root });
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('trainer.adapter: must be lora') as string });
});

test('export writes the adapter and says how it is served on its base', () => {
  const to = join(root, 'taken');
  const { code, out } = troupe(['export', 'model', run.dir, '--to', to, '--json'], { cwd: root });
  expect(code).toBe(0);
  expect(readdirSync(to).toSorted()).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
  expect(JSON.parse(out)).toMatchObject({
    version: 3,
    step: 's00003',
    serve: `vllm serve ${model} --enable-lora --max-lora-rank 8 --lora-modules taken=${to}`,
  });
});
