/** What a resumed run may have changed: where it runs and how long it is waited for, never what it is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configOf } from '../src/config.ts';
import type { RunId } from '../src/protocol/ids.ts';
import type { JsonObject } from '../src/protocol/json.ts';
import { createFolder } from '../src/record/folder.ts';
import { startRecord } from '../src/record/record.ts';
import { troupe } from './support/command-line.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-resumed-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(async () => {
  const folder = createFolder(join(root, 'runs'), 'served');
  const config = configOf({
    engine: { kind: 'vllm', vllm: { servers: ['http://127.0.0.1:8000'], dtype: 'float32' } },
    trainer: { kind: 'torch', adapter: 'lora' },
    policy: { model: join(import.meta.dirname, '..', 'models', 'tiny-base') },
  });
  const settings = { run: folder.name as RunId, segmentBytes: 1e6, transcripts: true };
  const record = await startRecord(folder, settings, { version: '0', config: config as unknown as JsonObject });
  await record.close();
});
const resume = (...changes: string[]) =>
  troupe(['resume', 'served', '--dry-run', '--json', ...changes.flatMap((change) => ['--set', change])], { cwd: root });

test('a server that moved, a Python that moved and more patience keep it the same run', () => {
  const { code, out } = resume('engine.vllm.servers=["http://10.0.0.7:8001"]', 'python=/opt/python', 'rollout.deadlines.stepMs=2000000');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    config: {
      engine: { vllm: { servers: ['http://10.0.0.7:8001'] } },
      python: '/opt/python',
      rollout: { deadlines: { stepMs: 2_000_000 } },
    },
  });
});

test('another number format, another lag or another adapter make it another run', () => {
  for (const change of ['engine.vllm.dtype=auto', 'rollout.staleness=1', 'trainer.lora.rank=8', 'policy.adapter=x'])
    expect(resume(change)).toMatchObject({ code: 2, err: expect.stringContaining('can change only') as string });
});
