// Where and when figures were taken: machine, load, versions. Knows nothing of the figures.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';

const packages = ['piscina', 'xstate', 'msgpackr', 'comlink'];

function commit() {
  try {
    const head = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    const changed = execFileSync('git', ['status', '--porcelain', '--', 'src'], { encoding: 'utf8' }).trim() !== '';
    return changed ? `${head} and changes` : head;
  } catch {
    return 'unknown';
  }
}

const versionOf = (name) => JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;

export function machine() {
  const cores = cpus();
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    versions: Object.fromEntries(packages.map((name) => [name, versionOf(name)])),
    commit: commit(),
  };
}

/** Runnable processes over the last minute, per core: above about 1 somebody else is using the machine too. */
export const load = () => Number((loadavg()[0] / cpus().length).toFixed(2));
