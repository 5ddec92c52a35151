/** `eval <run|model>`: success on held-out tasks, of a run's newest policy or of any model or adapter directory. It is a run of no steps, so its episodes can be shown like any other's. */
import { existsSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Command } from 'commander';
import { stringify } from 'yaml';
import type { Config, ConfigInput } from '../config.ts';
import { boundarySync, RecordFault } from '../errors.ts';
import { isAdapter } from '../gpu/adapter.ts';
import { createFolder, findFolder } from '../record/folder.ts';
import { drive } from './drive.ts';
import { carryOut, type Flags, withSettings } from './invocation.ts';
import { newestModel } from './models.ts';
import { dryRun } from './plan.ts';
import { requireModel } from './require-model.ts';
import { configOfRun } from './resume.ts';
import { changeConfig, checkedConfig, readConfig } from './settings/read.ts';

interface EvalFlags extends Flags {
  readonly config?: string;
  readonly dir: string;
  readonly dryRun: boolean;
}

export const evalCommand = (): Command =>
  withSettings(
    new Command('eval')
      .description('measure success on held-out tasks')
      .argument('<run|model>', 'a run, or the directory of a model or adapter'),
  )
    .option('--config <file>', 'take eval, world and tools from this config')
    .option('--dir <folder>', 'where runs lie', 'runs')
    .action((subject: string, flags: EvalFlags) =>
      carryOut(flags, async (terminal) => {
        const config = evaluationOf(subject, flags);
        if (flags.dryRun) return dryRun(config, flags, terminal);
        requireModel(config.policy.model);
        const folder = createFolder(config.record.dir, config.name);
        boundarySync(RecordFault, `cannot write ${folder.config}`, () => writeFileSync(folder.config, stringify(config)));
        return drive(config, folder, { ...flags, resume: false, view: false }, terminal);
      }),
    );

/** The subject's own config, or the one named, turned into a run of no steps that evaluates once. */
function evaluationOf(subject: string, flags: EvalFlags): Config {
  const named = (): Config => readConfig({ file: flags.config, set: flags.set, env: process.env });
  const here = resolve(subject);
  if (isAdapter(here)) return asEvaluation(named(), { adapter: here }, basename(here));
  if (existsSync(join(here, 'config.json'))) return asEvaluation(named(), { model: here }, basename(here));
  const folder = findFolder(flags.dir, subject);
  const config = flags.config === undefined ? changeConfig(configOfRun(folder), flags.set) : named();
  const { dir, adapter } = newestModel(folder);
  return asEvaluation(config, { model: dir, ...(adapter === undefined ? {} : { adapter }) }, folder.name);
}

/** Refused where engine and policy do not fit together: an adapter on an engine that serves whole models. */
function asEvaluation(config: Config, policy: Pick<ConfigInput['policy'] & object, 'model' | 'adapter'>, name: string): Config {
  return checkedConfig({
    ...config,
    name: `${name}-eval`,
    steps: 0,
    policy: { ...config.policy, adapter: undefined, ...policy },
    eval: { ...config.eval, at: ['start'], every: 0 },
  });
}
