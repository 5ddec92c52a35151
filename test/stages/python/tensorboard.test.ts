/** TensorBoard's own reader on an exported run. It needs the Python package tensorboard, in the Python of TROUPE_TENSORBOARD_PYTHON or of `npm run python`; without it, it says so and skips. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/protocol/json.ts';
import { scalarsOf } from '../../../src/record/exports/scalars.ts';
import { troupe } from '../../support/command-line.ts';
import { sampleRun } from '../../support/sample-run.ts';
import { python } from '../../support/torch.ts';

const reader = `
import json, sys
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.util import tensor_util
events = [event for event in EventFileLoader(sys.argv[1]).Load() if not event.HasField('file_version')]
print(json.dumps([[event.step, {value.tag: tensor_util.make_ndarray(value.tensor).item() for value in event.summary.value}] for event in events]))
`;

const interpreter = ((): string | null => {
  const given = process.env['TROUPE_TENSORBOARD_PYTHON'] ?? python;
  if (given !== undefined && spawnSync(given, ['-c', 'import tensorboard']).status === 0) return given;
  console.warn(
    'SKIPPED: TensorBoard’s reader: no Python with tensorboard; pip install tensorboard, and name it in TROUPE_TENSORBOARD_PYTHON',
  );
  return null;
})();

describe.skipIf(interpreter === null)('TensorBoard', () => {
  const root = mkdtempSync(join(tmpdir(), 'troupe-tensorboard-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test('reads every figure of every step as it was recorded', async () => {
    const folder = await sampleRun(root);
    const said = troupe(['export', 'tensorboard', folder.dir, '--out', join(root, 'board'), '--json'], { cwd: root });
    const { file } = JSON.parse(said.out) as { file: string };
    const { status, stdout, stderr } = spawnSync(interpreter ?? '', ['-c', reader, file], { encoding: 'utf8', timeout: 100_000 });
    expect(status, stderr).toBe(0);
    const rows = readFileSync(folder.metrics, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => scalarsOf(JSON.parse(line) as JsonObject));
    expect(JSON.parse(stdout)).toEqual(
      rows.map(({ step, scalars }) => [step, Object.fromEntries([...scalars].map(([tag, value]) => [tag, Math.fround(value)]))]),
    );
    expect(rows.length).toBe(2);
  });
});
