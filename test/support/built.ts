/** Builds `dist` once before the suite: worker threads and the command line are tested as users run them. */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync, existsSync } from 'node:fs';
import { join } from 'node:path';

function newest(folder: string): number {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return time;
}

export default function setup(): void {
  const built = existsSync('dist/run.js') ? newest('dist') : 0;
  if (built >= newest('src')) return;
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}
