/** Which Python runs vLLM and the torch trainer. Knows paths, not what is installed there: doctor looks. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from './environment.ts';
import { packageRoot } from './package-root.ts';

/** What makes the environment that `auto` looks for. */
export const pythonFix = 'npm run python';

/** The config's own, else TROUPE_PYTHON, else the environment that `npm run python` made; null where there is none of them. */
export function pythonFor(python: string, env: Environment): string | null {
  if (python !== 'auto') return python;
  const given = env['TROUPE_PYTHON'] ?? '';
  if (given !== '') return given;
  const made = join(packageRoot, '.venv', 'bin', 'python');
  return existsSync(made) ? made : null;
}
