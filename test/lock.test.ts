/** The run lock: one writer, whoever comes, and no run lost to a dead one. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { RecordFault } from '../src/errors.ts';
import { lockRun, writerOf } from '../src/record/lock.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-lock-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const freshDir = (): string => mkdtempSync(join(root, 'run-'));

const module_ = pathToFileURL(resolve('dist/record/lock.js')).href;
/** A process that takes the lock, says `held <epoch>` or why not, and then stays until it is killed. */
const holder = (dir: string): string[] => [
  '--input-type=module',
  '-e',
  `import { lockRun } from ${JSON.stringify(module_)};
   try { console.log('held', lockRun(${JSON.stringify(dir)}).epoch); setInterval(() => {}, 1000); } catch (error) { console.log('refused', error.name); }`,
];

test('a second writer is refused while the first lives, and told who it is', () => {
  const dir = freshDir();
  const lock = lockRun(dir);
  expect(() => lockRun(dir)).toThrow(RecordFault);
  expect(() => lockRun(dir)).toThrow(`process ${process.pid}`);
  lock.release();
  expect(writerOf(dir)).toBeNull();
  expect(lockRun(dir).epoch).toBe(lock.epoch + 1);
});

test('a lock left by SIGKILL is taken over, with a higher epoch', async () => {
  const dir = freshDir();
  const child = spawn(process.execPath, holder(dir), { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  expect(said.toString()).toBe('held 1\n');
  expect(() => lockRun(dir)).toThrow(`process ${child.pid}`);
  expect(writerOf(dir)).toBe(child.pid);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(writerOf(dir)).toBeNull();
  expect(lockRun(dir).epoch).toBe(2);
  expect(readdirSync(dir)).toEqual(['lock.2']);
});

test('a pid that was given to another process is no holder', () => {
  const dir = freshDir();
  const lock = lockRun(dir);
  const file = join(dir, `lock.${lock.epoch}`);
  const held = JSON.parse(readFileSync(file, 'utf8')) as { born: string | null };
  if (held.born === null) return;
  writeFileSync(file, JSON.stringify({ ...held, born: '1' }));
  expect(lockRun(dir).epoch).toBe(2);
});

test('a lock of another machine is refused, with the way out', () => {
  const dir = freshDir();
  const lock = lockRun(dir);
  const file = join(dir, `lock.${lock.epoch}`);
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), host: 'elsewhere' }));
  expect(() => lockRun(dir)).toThrow(/on elsewhere.*remove/);
});

test('a lock file emptied by a crash of the machine holds nobody up', () => {
  const dir = freshDir();
  writeFileSync(join(dir, 'lock.7'), '');
  expect(lockRun(dir).epoch).toBe(8);
});

test('of six processes that find the same dead holder, exactly one gets the lock', async () => {
  const dir = freshDir();
  const dead = spawnSync(process.execPath, ['-e', '']);
  writeFileSync(join(dir, 'lock.1'), JSON.stringify({ pid: dead.pid, host: 'x', born: null, released: true }));
  const children = Array.from({ length: 6 }, () => spawn(process.execPath, holder(dir), { stdio: ['ignore', 'pipe', 'inherit'] }));
  const said = await Promise.all(children.map(async (child) => ((await once(child.stdout, 'data')) as [Buffer])[0].toString().trim()));
  for (const child of children) child.kill('SIGKILL');
  expect(said.filter((text) => text === 'held 2')).toHaveLength(1);
  expect(said.filter((text) => text === 'refused RecordFault')).toHaveLength(5);
});
