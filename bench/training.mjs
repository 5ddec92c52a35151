// Runs a config to its end in a process of its own, once: what is done already is read again, what was interrupted is resumed. Reads held-out results from the journal.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pairedGain } from '../dist/learning/evaluation.js';
import { folderOf } from '../dist/record/folder.js';
import { framesFrom } from '../dist/record/reader.js';
import { readConfig } from '../dist/cli/settings/read.js';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Not in the repository: runs are large. */
const runs = process.env.TROUPE_BENCH_RUNS ?? join(root, 'runs', 'bench');

/** Resolves with the exit code; its words go to stderr, its stdout is not needed: the run's folder holds it all. */
function node(args, usage) {
  const child = spawn(
    process.execPath,
    ['--import', new URL('./cpu-at-exit.mjs', import.meta.url).href, join(root, 'dist', 'run.js'), ...args],
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, TROUPE_BENCH_USAGE: usage },
    },
  );
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
}

/** Equal keys: the same experiment. The program itself is not part of it; its commit stands beside the results. */
function keyOf(config) {
  const model = readFileSync(resolve(root, config.policy.model, 'model.safetensors'));
  return createHash('sha256').update(JSON.stringify(config)).update(model).digest('hex').slice(0, 10);
}

/** `settings`: key → value, as --set. `only`: do not begin or resume anything. Null where the run is not there, or failed. */
export async function trained(file, settings, { only = false } = {}) {
  // The config's own bound on minutes would turn a busy machine into a shorter training; here it shows in the seconds instead.
  const set = Object.entries({ 'budget.minutes': 120, ...settings }).map(([key, value]) => `${key}=${value}`);
  const config = readConfig({ file: join(root, file), set, env: {} });
  const home = join(runs, `${config.name}-seed${config.seed}-${keyOf(config)}`);
  const usage = join(home, 'usage.jsonl');
  const dir = () => (existsSync(home) ? readdirSync(home, { withFileTypes: true }).find((entry) => entry.isDirectory()) : undefined);
  const finished = () => dir() !== undefined && hasEnded(join(home, dir().name));
  if (!finished()) {
    if (only) return null;
    mkdirSync(home, { recursive: true });
    const begun = dir();
    const sets = [...set, `record.dir=${home}`].flatMap((each) => ['--set', each]);
    console.error(`${config.name}, seed ${config.seed}…`);
    const code = await node(begun === undefined ? [file, ...sets, '--json'] : ['resume', join(home, begun.name), '--json'], usage);
    if (code !== 0 || !finished()) {
      console.error(`${config.name}, seed ${config.seed}: ended with code ${code}; what there is lies in ${home}`);
      return null;
    }
  }
  const used = existsSync(usage)
    ? readFileSync(usage, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];
  return { ...resultsOf(join(home, dir().name)), ...total(used) };
}

/** An interrupted run leaves a summary too; it can still go on. */
function hasEnded(runDir) {
  const { summary } = folderOf(runDir);
  return existsSync(summary) && ['done', 'budget'].includes(JSON.parse(readFileSync(summary, 'utf8')).ended);
}

const total = (used) => ({
  seconds: used.reduce((sum, { wall }) => sum + wall, 0),
  cpuSeconds: used.reduce((sum, { cpu }) => sum + cpu, 0),
});

/** { dir, seed, summary, before, after, … }: before and after are D → one 0 or 1 a task, null where it was not scored. */
export function resultsOf(runDir) {
  const folder = folderOf(runDir);
  const summary = JSON.parse(readFileSync(folder.summary, 'utf8'));
  const outcomes = new Map();
  let seed;
  for (const { frame } of framesFrom(folder.journal)) {
    if (frame.kind === 'run.started') seed = frame.config.seed;
    if (frame.kind === 'evaluation') outcomes.set(frame.when, new Map(frame.result.map(({ D, greedy }) => [D, greedy])));
  }
  if (!outcomes.has('before') || !outcomes.has('after')) throw new Error(`${runDir} was not evaluated before and after`);
  return {
    dir: runDir,
    seed,
    summary,
    before: outcomes.get('before'),
    after: outcomes.get('after'),
    seconds: summary.seconds,
    cpuSeconds: null,
  };
}

/** It came to its own end and lost nothing on the way. */
export const isSound = ({ summary }) => ['done', 'budget'].includes(summary.ended) && Object.keys(summary.faults).length === 0;

export const levelsOf = ({ before }) => [...before.keys()];
export const isHarder = (D) => D >= 25;
export const rateOf = (attempts) => {
  const scored = attempts.filter((attempt) => attempt !== null);
  return scored.reduce((sum, attempt) => sum + attempt, 0) / scored.length;
};

/**
 * The paired gain from `first` to `second`, lists of D → attempts (one entry a seed), over the levels `keep` lets through. A task's attempts are averaged over the
 * seeds first: the same task under three seeds is one task, so the interval does not pretend to three times as many.
 */
export function gain(first, second, keep) {
  const levels = [...first[0].keys()].filter(keep);
  const means = (maps, D) => maps[0].get(D).map((_, i) => average(maps.map((map) => map.get(D)[i])));
  const pairs = levels.flatMap((D) => {
    const [a, b] = [means(first, D), means(second, D)];
    return a.map((value, i) => [value, b[i]]).filter(([x, y]) => x !== null && y !== null);
  });
  return pairedGain(
    pairs.map(([a]) => a),
    pairs.map(([, b]) => b),
  );
}

function average(attempts) {
  const scored = attempts.filter((attempt) => attempt !== null);
  return scored.length === 0 ? null : scored.reduce((sum, attempt) => sum + attempt, 0) / scored.length;
}

const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
export const gainText = ({ mean, low, high }) => `${signed(mean)} [${signed(low)}, ${signed(high)}]`;

/** `--name=value` from the command line; `--set a.b=c` may come several times. */
export function options(argv) {
  const of = (name) => argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const settings = argv.flatMap((arg) => (arg.startsWith('--set=') ? [arg.slice(6)] : []));
  const known = /^--(?:seeds|arms|from|set)=|^--(?:quick|collect)$/;
  const unknown = argv.filter((arg) => !known.test(arg));
  if (unknown.length > 0)
    throw new Error(`unknown: ${unknown.join(' ')}; there are --seeds=1,2,3 --arms=a,b --from=dir,dir --set=key=value --collect --quick`);
  return {
    seeds: (of('seeds') ?? '1,2,3').split(',').map(Number),
    arms: of('arms')?.split(','),
    from: of('from')?.split(','),
    settings: Object.fromEntries(settings.map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)])),
    only: argv.includes('--collect'),
  };
}

/** For a look at whether everything works: minutes, not results. */
export const quickSettings = { steps: 3, 'eval.tasks': 10 };
