// How large the viewer becomes: long runs opened one after another, each to its end, in one viewer.  node viewer-memory.mjs <folder of long runs> <runs>     Started by bench/viewer.mjs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const [long, count] = [resolve(process.argv[2]), Number(process.argv[3])];
const home = mkdtempSync(join(tmpdir(), 'troupe-bench-viewer-'));
const root = join(home, 'runs');
mkdirSync(root);
/** Alternately a run of very many episodes and one with a very long one: the same ones under many names, which the viewer cannot know. */
const names = Array.from({ length: count }, (_, i) => `${i % 4 === 0 ? 'many' : 'long'}-${String(i).padStart(2, '0')}`);
for (const name of names) symlinkSync(join(long, name.startsWith('many') ? 'many-episodes' : 'long-episode'), join(root, name));

const command = fileURLToPath(new URL('../dist/run.js', import.meta.url));
const child = spawn(process.execPath, [command, 'view', root, '--port', '0', '--json', '--until-stdin-ends'], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const { url } = JSON.parse(String((await once(createInterface(child.stdout), 'line'))[0]));
const get = async (path) => (await fetch(`${url}api/runs/${path}`)).json();
const megabytes = () => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;

const sizes = [];
for (const name of names) {
  let list = await get(`${name}/episodes?limit=200`);
  while (list.read !== undefined) {
    await new Promise((done) => setTimeout(done, 200));
    list = await get(`${name}/episodes?limit=200`);
  }
  await get(`${name}/episodes?filter=${encodeURIComponent('reward<0')}&sort=-D`);
  const { episode, group } = list.rows[0];
  await get(`${name}/groups/${group}`);
  await get(`${name}/groups/${group}/heat`);
  for (const part of ['', '/calls', '/outline', '/events?from=0&count=100', '/strips', '/strips/0?from=0&count=1000'])
    await get(`${name}/episodes/${episode}${part}`);
  sizes.push(megabytes());
  console.error(`${name}: ${list.total} episodes, viewer ${sizes.at(-1).toFixed(0)} MB`);
}
child.stdin.end();
await once(child, 'exit');
rmSync(home, { recursive: true, force: true });
process.stdout.write(
  `${JSON.stringify({ ok: sizes.length === count, opened: count, half: sizes[Math.floor(count / 2)], after: sizes.at(-1), sizes })}\n`,
);
