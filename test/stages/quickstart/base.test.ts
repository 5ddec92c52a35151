import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

interface Losses {
  readonly firstLosses: readonly number[];
}

const read = (file: string): Losses => JSON.parse(readFileSync(file, 'utf8')) as Losses;

test('the recipe of models/tiny-base gives its first 50 losses bit for bit', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-base-'));
  const settings = [`record.dir=${dir}`, `imitation.out=${join(dir, 'out')}`, 'imitation.saveEvery=50'].flatMap((text) => ['--set', text]);
  const run = spawn('node', ['dist/run.js', 'imitate', 'configs/base.yaml', ...settings], { stdio: 'ignore' });
  const checkpoints = join(dir, 'tiny-base.imitation', 'checkpoints');
  const saved = (): string | undefined =>
    existsSync(checkpoints) ? readdirSync(checkpoints).find((name) => existsSync(join(checkpoints, name, 'manifest.json'))) : undefined;
  const ended = new Promise((resolve) => run.once('exit', resolve));
  while (saved() === undefined && run.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 200));
  run.kill('SIGINT');
  await ended;
  const again = read(join(checkpoints, saved() as string, 'place.json'));
  expect(again.firstLosses).toEqual(read('models/tiny-base/provenance.json').firstLosses);
  rmSync(dir, { recursive: true, force: true });
}, 300_000);
