/** Models by their Hugging Face name: where the cache of that hub holds them on this machine. Downloads nothing. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './environment.ts';

const nameForm = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

/** `Qwen/Qwen3-8B`: owner and model. A relative path of two parts has the same form, so paths are tried first. */
export const isHubName = (text: string): boolean => nameForm.test(text);

/** What puts a model there. */
export const downloadCommand = (name: string): string => `hf download ${name}`;

/** The newest complete-looking snapshot of a model, or null where the cache has none. The cache lies where huggingface_hub looks: HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, ~/.cache. */
export function cachedModel(name: string, env: Environment): string | null {
  const repository = join(cacheOf(env), `models--${name.replace('/', '--')}`);
  const snapshots = join(repository, 'snapshots');
  if (!existsSync(snapshots)) return null;
  const main = join(repository, 'refs', 'main');
  const pinned = existsSync(main) ? readFileSync(main, 'utf8').trim() : '';
  const byAge = readdirSync(snapshots)
    .map((revision) => ({ revision, time: statSync(join(snapshots, revision)).mtimeMs }))
    .toSorted((a, b) => b.time - a.time)
    .map(({ revision }) => revision);
  const found = [pinned, ...byAge].find((revision) => revision !== '' && existsSync(join(snapshots, revision, 'config.json')));
  return found === undefined ? null : join(snapshots, found);
}

function cacheOf(env: Environment): string {
  const given = (variable: string): string | undefined => (env[variable] === '' ? undefined : env[variable]);
  const home = given('HF_HOME') ?? join(given('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface');
  return given('HF_HUB_CACHE') ?? join(home, 'hub');
}
