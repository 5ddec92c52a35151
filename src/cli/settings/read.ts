/** The only reader of config files, `--set` and the environment: what is written, checked against the schema, later sources over earlier ones. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Config, type ConfigInput } from '../../config.ts';
import { ConfigFault } from '../../errors.ts';
import { assign, type Assignment, parseAssignment } from './assignment.ts';
import { type Complaint, complaintsOf } from './complaint.ts';
import type { Environment } from './environment.ts';
import { cachedModel, isHubName } from './hub.ts';
import { packageRoot } from './package-root.ts';
import { readSource, type Source } from './source.ts';

export interface Settings {
  /** Left out: defaults only. */
  readonly file?: string | undefined;
  /** `key=value`, later ones win. */
  readonly set?: readonly string[];
  /** `TROUPE_SET` holds assignments separated by `;`, stronger than the file and weaker than `set`. */
  readonly env?: Environment;
}

/** Every default filled in; model and tool paths made absolute. Throws ConfigFault with one line per complaint. */
export function readConfig({ file, set = [], env = {} }: Settings): Config {
  const source = file === undefined ? null : readSource(file);
  const fromEnv = (env['TROUPE_SET'] ?? '').split(';').filter((text) => text.trim() !== '');
  const assignments = [...fromEnv.map((text) => parseAssignment(text, 'TROUPE_SET')), ...set.map((text) => parseAssignment(text, '--set'))];
  return located(checkConfig(source?.value ?? {}, assignments, source), env);
}

/** The same for a config that a run was started with. */
export function changeConfig(config: Config, set: readonly string[]): Config {
  return checkConfig(
    { ...config },
    set.map((text) => parseAssignment(text, '--set')),
    null,
  );
}

/** One that was put together here. */
export const checkedConfig = (config: ConfigInput): Config => checkConfig({ ...config }, [], null);

function checkConfig(written: { readonly [key: string]: unknown }, assignments: readonly Assignment[], source: Source | null): Config {
  const value = assignments.reduce<{ readonly [key: string]: unknown }>((sum, { path, value }) => assign(sum, path, value), written);
  const parsed = Config.safeParse(value);
  if (parsed.success) return parsed.data;
  // Contradictions between values that are themselves refused would only repeat them.
  const single = parsed.error.issues.filter((issue) => issue.code !== 'custom');
  const lines = complaintsOf(single.length > 0 ? single : parsed.error.issues, value).map(
    (complaint) => `${originOf(complaint, assignments, source)}${complaint.text}`,
  );
  throw new ConfigFault(lines.join('\n'));
}

function originOf({ path }: Complaint, assignments: readonly Assignment[], source: Source | null): string {
  const setter = assignments.findLast((assignment) => overlaps(assignment.path, path));
  if (setter !== undefined) return `${setter.text}: `;
  if (source === null) return '';
  const place = source.placeOf(path);
  return place === null ? `${source.file}: ` : `${source.file}:${place.line}:${place.column}: `;
}

const overlaps = (a: readonly PropertyKey[], b: readonly PropertyKey[]): boolean => a.slice(0, b.length).every((step, i) => step === b[i]);

/** The path from the working directory if something is there, else from this package. */
function locate(path: string): string {
  const here = resolve(path);
  const shipped = join(packageRoot, path);
  return existsSync(here) || !existsSync(shipped) ? here : shipped;
}

/** A name such as Qwen/Qwen3-8B becomes the folder in which the Hugging Face cache has it, or stays what it is. */
function locateModel(model: string, env: Environment): string {
  const path = locate(model);
  // models/mine is a path that is not there, Qwen/Qwen3-8B a name: nobody has a folder of that owner here.
  if (!isHubName(model) || existsSync(path) || existsSync(locate(dirname(model)))) return path;
  return cachedModel(model, env) ?? model;
}

function located(config: Config, env: Environment): Config {
  return {
    ...config,
    policy: {
      ...config.policy,
      model: locateModel(config.policy.model, env),
      ...(config.policy.adapter === undefined ? {} : { adapter: locate(config.policy.adapter) }),
    },
    tools: config.tools === 'builtin' || config.tools === 'catalogue' ? config.tools : locate(config.tools),
  };
}
