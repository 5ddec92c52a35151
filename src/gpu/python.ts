/** Which Python has vLLM and PyTorch in it. Knows where `npm run python` puts its environment; installs and starts nothing. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigFault } from '../errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The files whose bytes name the environment, as scripts/python.sh concatenates them. */
const requirements = ['requirements.txt', 'requirements-cpu.txt', 'requirements-cuda.txt', 'overrides-cpu.txt'];
const folder = fileURLToPath(new URL('../../python/', import.meta.url));

/** The environment that `npm run python` makes: TROUPE_PYTHON_HOME, or one in the cache, named after what is installed there. */
export function pythonHome(env: Environment): string {
  const chosen = env['TROUPE_PYTHON_HOME'];
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  const hash = createHash('sha256');
  for (const name of requirements) hash.update(readFileSync(join(folder, name)));
  const cache = env['XDG_CACHE_HOME'];
  return join(
    cache === undefined || cache === '' ? join(homedir(), '.cache') : cache,
    'troupe',
    `python-${hash.digest('hex').slice(0, 12)}`,
  );
}

/**
 * The interpreter: `configured` if it is not `auto` (a path, or a command on PATH), else TROUPE_PYTHON, else the environment of `npm run python`.
 * Throws ConfigFault naming what is missing and the command to run.
 */
export function findPython(configured: string, env: Environment): string {
  if (configured !== 'auto') return existing(configured, 'python', env);
  const named = env['TROUPE_PYTHON'];
  if (named !== undefined && named !== '') return existing(named, 'TROUPE_PYTHON', env);
  const home = pythonHome(env);
  const interpreter = join(home, 'bin', 'python');
  // The script marks an environment when everything is in it: half of one would fail later and elsewhere.
  if (existsSync(interpreter) && existsSync(join(home, 'complete'))) return interpreter;
  throw new ConfigFault(
    `there is no Python with vLLM and PyTorch: \`npm run python\` makes one in ${home}; or set python in the config, or TROUPE_PYTHON, to an interpreter that has them`,
  );
}

function existing(name: string, from: string, env: Environment): string {
  const found =
    isAbsolute(name) || /[/\\]/.test(name)
      ? [resolve(name)]
      : (env['PATH'] ?? '')
          .split(delimiter)
          .filter((part) => part !== '')
          .map((part) => join(part, name));
  const path = found.find((one) => existsSync(one));
  if (path === undefined)
    throw new ConfigFault(`${from}: there is no ${name}; \`npm run python\` makes an environment that is found by itself`);
  return path;
}
