// What watching costs a run: the same run, unwatched, watched through a viewer started by hand, and through the one that `run --view` opens; ten pages each. Started by bench/viewer.mjs:
// node viewer-cost.mjs <rounds> <engine> <steps>
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const [rounds, engine, steps] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4])];
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const command = here('../dist/run.js');
/** Of a run's first steps: code is compiled, a viewer starts. */
const warmUp = 6;

const runs = {
  embedded: ['configs/quickstart.yaml', { 'policy.model': here('../models/tiny-base') }],
  scripted: ['configs/smoke.yaml', { 'rollout.tasks': 16, 'rollout.group': 8 }],
};

/** Seconds of processor time of a process that lives; null where the system does not tell. */
function cpuOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return null;
  }
}

const firstLine = async (child) => String((await once(createInterface(child.stdout), 'line'))[0]);

async function play(root, form) {
  const [config, settings] = runs[engine];
  const sets = Object.entries({ ...settings, steps, 'eval.at': '[]' }).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const args = [command, here(`../${config}`), '--quiet', ...sets, '--set', `name=${form}`, ...(form === 'own' ? ['--view'] : [])];
  const apart =
    form === 'apart' ? spawn(process.execPath, [command, 'view', root, '--port', '0', '--json', '--until-stdin-ends'], stdio) : null;
  // Up before the run begins: a viewer is not started anew for every run.
  const apartUp = apart === null ? null : JSON.parse(await firstLine(apart));
  const child = spawn(process.execPath, ['--import', here('./cpu-at-exit.mjs'), ...args], {
    cwd: join(root, '..'),
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TROUPE_BENCH_USAGE: join(root, `${form}.usage`) },
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said += chunk));
  const ended = once(child, 'exit');
  const viewer = apartUp ?? (form === 'own' ? await ownViewer() : null);
  const before = viewer === null ? 0 : (cpuOf(viewer.pid) ?? 0);
  if (viewer !== null) while (!existsSync(join(root, form, 'journal'))) await new Promise((resolve) => setTimeout(resolve, 20));
  const pages =
    viewer === null ? null : spawn(process.execPath, [here('./viewer-pages.mjs'), viewer.url.replace(/\/(runs\/.*)?$/, ''), form], stdio);
  const told = pages === null ? null : firstLine(pages);
  // Read while it lives: one that the run opened goes with the run.
  let cpu = before;
  const watch = setInterval(() => (cpu = (viewer === null ? null : cpuOf(viewer.pid)) ?? cpu), 200);
  const [code] = await ended;
  clearInterval(watch);
  pages?.stdin.end();
  const did = told === null ? null : JSON.parse(await told);
  if (apart !== null) {
    apart.stdin.end();
    await once(apart, 'exit');
  }
  if (code !== 0) throw new Error(`the run ended with ${code}: ${said}`);
  const taken = lines(join(root, form, 'timings.jsonl')).slice(warmUp);
  const members = lines(join(root, form, 'metrics.jsonl'))
    .slice(warmUp)
    .reduce((sum, row) => sum + row.members, 0);
  const seconds = taken.reduce((sum, row) => sum + row.drawMs + row.rollMs + row.updateMs, 0) / 1000;
  const usage = lines(join(root, `${form}.usage`))[0];
  rmSync(join(root, form), { recursive: true });
  rmSync(join(root, `${form}.usage`));
  return { form, episodesPerSecond: members / seconds, seconds, runCpu: usage.cpu, viewerCpu: cpu - before, pages: did };
}

const stdio = { stdio: ['pipe', 'pipe', 'inherit'] };
const lines = (file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** The run's own viewer listens at the first free of these ports, and says which process it is. */
async function ownViewer() {
  for (let i = 0; i < 600; i++) {
    for (let port = 4600; port < 4608; port++) {
      const url = `http://127.0.0.1:${port}`;
      const about = await fetch(`${url}/api/about`)
        .then((response) => response.json())
        .catch(() => null);
      if (about?.dir === root) return { url, pid: about.pid };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the run opened no viewer');
}

const home = mkdtempSync(join(tmpdir(), 'troupe-bench-viewer-'));
const root = join(home, 'runs');
mkdirSync(root);
const forms = ['none', 'apart', 'own'];
const played = [];
try {
  for (let round = 0; round < rounds; round++) {
    // There and back, so that what changes in the machine meets all forms alike.
    const order = round % 2 === 0 ? forms : forms.toReversed();
    const one = {};
    for (const form of order) one[form] = await play(root, form);
    played.push(one);
    console.error(
      `${engine} round ${round + 1}: ${forms.map((form) => `${form} ${one[form].episodesPerSecond.toFixed(1)}/s (viewer ${one[form].viewerCpu.toFixed(2)} s, run ${one[form].runCpu.toFixed(1)} s)`).join(', ')}`,
    );
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
process.stdout.write(`${JSON.stringify({ played })}\n`);
