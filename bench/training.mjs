// Runs trainings as users do (node dist/run.js <config> --json), one folder each, and reads what they left: raw held-out outcomes, so that any pairing can be made.
// A run that is complete is not run again: a bench of many hours goes on where it stopped. TROUPE_BENCH_RUNS names the folder (default runs/bench).
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { framesFrom } from '../dist/record/reader.js';

export const runsDir = process.env.TROUPE_BENCH_RUNS ?? 'runs/bench';

/** Resolves with { summary, before, after, cpuSeconds }: outcomes are [{ D, greedy: (0|1|null)[] }]; cpuSeconds null where the run was there already. */
export async function train({ config, name, seed, set = [] }) {
  const dir = join(runsDir, name);
  const done = join(dir, 'summary.json');
  let cpuSeconds = null;
  if (!existsSync(done)) {
    rmSync(dir, { recursive: true, force: true });
    const settings = [`name=${name}`, `seed=${seed}`, `record.dir=${runsDir}`, ...set].flatMap((text) => ['--set', text]);
    console.error(`${name}…`);
    cpuSeconds = await timed(['dist/run.js', config, '--json', ...settings]);
  }
  const outcomes = {};
  for (const { frame } of framesFrom(join(dir, 'journal'))) if (frame.kind === 'evaluation') outcomes[frame.when] = frame.result;
  return { summary: JSON.parse(readFileSync(done, 'utf8')), before: outcomes.before, after: outcomes.after, cpuSeconds };
}

/** Processor seconds of one node command, its threads included. Rejects when it fails. */
function timed(args) {
  const child = spawn('bash', ['-c', 'TIMEFORMAT="cpu %U %S"; time node "$@"', 'bash', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let tail = '';
  child.stderr.on('data', (chunk) => (tail = `${tail}${chunk}`.slice(-2000)));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const cpu = /cpu ([\d.]+) ([\d.]+)/.exec(tail);
      if (code !== 0) reject(new Error(`node ${args.join(' ')} ended with code ${code}: ${tail}`));
      else resolve(cpu === null ? null : Number(cpu[1]) + Number(cpu[2]));
    });
  });
}

export const levelsOf = (outcomes) => outcomes.map(({ D }) => D);
const at = (outcomes, D) => outcomes.find((level) => level.D === D).greedy;

/** Greedy results of two evaluations over the same tasks, at the levels given; tasks unscored in either are left out. */
export function pairs(first, second, levels) {
  const both = levels
    .flatMap((D) => at(first, D).map((value, i) => [value, at(second, D)[i]]))
    .filter(([a, b]) => a !== null && b !== null);
  return { first: both.map(([a]) => a), second: both.map(([, b]) => b) };
}

export const percent = (share) => share.toFixed(3);
export const gainText = ({ mean, low, high }) =>
  `${mean >= 0 ? '+' : '−'}${Math.abs(mean).toFixed(3)} (${low.toFixed(3)} … ${high.toFixed(3)})`;
