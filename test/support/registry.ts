/** What a stage needs of the npm registry: packages in a folder of their own, kept between runs. Says why where there is none. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Milliseconds for a package of 45 MB on a slow line. */
const patience = 300_000;

/** The installed package's folder, or why there is none, in words for a skipped test. No script of the package is run. */
export function installed(name: string, version: string): { readonly folder: string } | { readonly absent: string } {
  const home = join(tmpdir(), `troupe-stage-${name.replace(/\W+/g, '-')}-${version}`);
  const folder = join(home, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return { folder };
  mkdirSync(home, { recursive: true });
  const args = ['install', '--prefix', home, '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', `${name}@${version}`];
  const { status, stderr, error } = spawnSync('npm', args, { encoding: 'utf8', timeout: patience });
  if (status === 0 && existsSync(folder)) return { folder };
  const said = stderr.split('\n').find((line) => line.startsWith('npm error')) ?? error?.message ?? 'npm says nothing';
  return { absent: `${name}@${version} cannot be had: ${said}` };
}
