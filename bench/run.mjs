// Runs benches, each in a process of its own, checks what they report, and writes bench/RESULTS.md from it (and bench/results.json, so that the next run can say
// what got worse).  npm run bench -- [names…] [--quick] [--keep]     --quick: small sizes; --keep: print only, leave the files as they are.
// Without names all but the long ones run. Long: viewer, quickstart, vllm, ablation (they train); their own flags, such as --seeds=1, --rounds=4 or --collect, are handed on.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { load, machine } from './machine.mjs';
import { markdown, misses, regressions } from './report.mjs';

const benches = {
  codec: { title: 'Codec: a message as bytes', long: false },
  hop: { title: 'Thread hop: a model call there and back', long: false },
  journal: { title: 'Journal: append, flush, read', long: false },
  episode: { title: 'Episode runtime with the scripted engine, journal on', long: false },
  serve: { title: 'The whole runtime over a real socket', long: false },
  render: { title: 'Chat rendering: a turn behind a real template', long: false },
  broker: { title: 'Broker on fake servers with a time model', long: false },
  cost: { title: 'Cost of an episode, by role', long: false },
  variance: { title: 'Variance within groups that simulators cause', long: false },
  repair: { title: 'Broken simulators: repaired, masked, or neither', long: false },
  engine: { title: 'Embedded engine: training and sampling', long: false },
  viewer: { title: 'The viewer: what it costs a run, and very long runs in it', long: true },
  quickstart: { title: 'Quickstart learning curve', long: true },
  vllm: { title: 'Learning on a real vLLM server', long: true },
  ablation: { title: 'Ablation of the curriculum', long: true },
};
const resultsFile = new URL('./results.json', import.meta.url);
const reportFile = new URL('./RESULTS.md', import.meta.url);

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const keep = args.includes('--keep');
const named = args.filter((arg) => !arg.startsWith('--'));
const own = (arg) => arg === '--quick' || arg === '--keep';
/** For the long benches, which say themselves what they take. */
const passed = args.filter((arg) => arg.startsWith('--') && !own(arg));
const isLong = (name) => benches[name]?.long === true;
const unknown = [...named.filter((name) => !(name in benches)), ...(named.length > 0 && named.every(isLong) ? [] : passed)];
if (unknown.length > 0) {
  console.error(`no bench or flag ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}, --quick and --keep`);
  process.exit(2);
}
if (!existsSync(new URL('../dist/run.js', import.meta.url))) {
  console.error('dist/ is missing: npm run build');
  process.exit(3);
}

/** The bench's last line of stdout, read as JSON. Throws where it failed or printed none. */
function outputOf(name) {
  const file = fileURLToPath(new URL(`./${name}.mjs`, import.meta.url));
  const child = spawn(process.execPath, ['--expose-gc', file, ...(quick ? ['--quick'] : []), ...passed], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const last = Buffer.concat(chunks).toString().trim().split('\n').at(-1);
      if (code !== 0) reject(new Error(`ended with code ${code}`));
      else resolve(JSON.parse(last));
    });
  });
}

const before = (entry) => (entry === undefined || entry.quick !== quick ? undefined : { date: entry.machine.date, figures: entry.figures });

async function entryOf(name, earlier) {
  const [began, loadBefore] = [performance.now(), load()];
  const result = await outputOf(name);
  if (result.ok !== true) throw new Error(`its own check failed: ${JSON.stringify(result).slice(0, 500)}`);
  const { figures, tables, notes } = result;
  return {
    title: benches[name].title,
    command: [
      'npm run bench --',
      name,
      ...(quick ? ['--quick'] : []),
      ...passed.map((flag) => flag.replace(/^--from=.*/, '--from=…')),
    ].join(' '),
    machine: machine(),
    load: { before: loadBefore, after: load() },
    seconds: (performance.now() - began) / 1000,
    quick,
    figures,
    ...(tables === undefined ? {} : { tables }),
    ...(notes === undefined ? {} : { notes }),
    ...(before(earlier) === undefined ? {} : { before: before(earlier) }),
  };
}

function write(file, text) {
  writeFileSync(`${fileURLToPath(file)}.next`, text);
  renameSync(`${fileURLToPath(file)}.next`, file);
}

/** Read afresh each time: a long bench may be running beside. */
const kept = () => (existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, 'utf8')) : {});
let failures = 0;
for (const name of named.length > 0 ? named : Object.keys(benches).filter((name) => !benches[name].long)) {
  console.error(`${name}…`);
  try {
    const entry = await entryOf(name, kept()[name]);
    for (const { name: what, value, unit } of entry.figures) console.log(`${name}  ${what}: ${value} ${unit}`);
    for (const text of entry.notes ?? []) console.log(`${name}  ${text}`);
    for (const text of misses(entry)) console.log(`${name}  misses its target: ${text}`);
    for (const text of regressions(entry)) console.log(`${name}  got worse: ${text}`);
    if (!keep) {
      const results = { ...kept(), [name]: entry };
      const ordered = Object.fromEntries(Object.keys(benches).flatMap((known) => (known in results ? [[known, results[known]]] : [])));
      write(resultsFile, `${JSON.stringify(ordered, null, 1)}\n`);
      write(reportFile, markdown(ordered));
    }
  } catch (error) {
    failures++;
    console.error(`${name} failed: ${error.message}`);
  }
}
process.exitCode = failures === 0 ? 0 : 1;
