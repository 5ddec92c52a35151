/** Runs the built command line as a user does. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export const entry = resolve('dist/run.js');

/** In `cwd`, without colour; is ended after 100 s. */
export function troupe(args: readonly string[], { cwd, env = {} }: { cwd: string; env?: Record<string, string> }): Said {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], {
    cwd,
    encoding: 'utf8',
    timeout: 100_000,
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  return { code: status, out: stdout, err: stderr };
}
