/** `run <config>`: trains, from the first step to the last. */
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { stringify } from 'yaml';
import { boundarySync, RecordFault } from '../errors.ts';
import { createFolder } from '../record/folder.ts';
import { drive } from './drive.ts';
import { carryOut, type Flags, withSettings } from './invocation.ts';
import { requireModel } from './models.ts';
import { planOf, planText } from './plan.ts';
import { readConfig } from './settings/read.ts';

export const runCommand = (): Command =>
  withSettings(
    new Command('run').description('train as a config says (also without the word run)').argument('<config>', 'a YAML file'),
  ).action((file: string, flags: Flags & { dryRun: boolean }) =>
    carryOut(flags, async (terminal) => {
      const config = readConfig({ file, set: flags.set, env: process.env });
      if (flags.dryRun) {
        terminal.out(flags.json ? JSON.stringify({ config, plan: planOf(config) }) : planText(config));
        return 0;
      }
      requireModel(config.policy.model);
      const folder = createFolder(config.record.dir, config.name);
      boundarySync(RecordFault, `cannot write ${folder.config}`, () => {
        writeFileSync(folder.config, stringify(config));
      });
      terminal.say(`run ${folder.name} in ${folder.dir}`);
      return drive(config, folder, { ...flags, resume: false }, terminal);
    }),
  );
