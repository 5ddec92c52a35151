/** `run <config>`: trains, from the first step to the last. */
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { boundarySync, RecordFault } from '../errors.ts';
import { createFolder } from '../record/folder.ts';
import { lacksModel } from '../actors/stand-in.ts';
import { drive } from './drive.ts';
import { carryOut, type Flags, withSettings } from './invocation.ts';
import { dryRun } from './plan.ts';
import { requireModel } from './require-model.ts';
import { readConfig } from './settings/read.ts';

function gibibytesIn(text: string): number {
  const gibibytes = Number(text);
  if (!(gibibytes > 0 && gibibytes <= 10_000)) throw new InvalidArgumentError('expected GiB, such as 80.');
  return gibibytes;
}

function rateIn(text: string): number {
  const rate = Number(text);
  if (!(rate > 0 && rate < Infinity)) throw new InvalidArgumentError('expected tokens a second, such as 10000.');
  return rate;
}

export const runCommand = (): Command =>
  withSettings(new Command('run').description('train as a config says (also without the word run)').argument('<config>', 'a YAML file'))
    .option('--gpu <GiB>', 'with --dry-run: memory of the card to plan for, where it is not this machine’s', gibibytesIn)
    .option('--throughput <tokens/s>', 'with --dry-run: tokens the servers sample a second, where it is known', rateIn)
    .option('--view', 'show it in the browser while it goes on', false)
    .action((file: string, flags: Flags & { dryRun: boolean; view: boolean; gpu?: number; throughput?: number }) =>
      carryOut(flags, async (terminal) => {
        const config = readConfig({ file, set: flags.set, env: process.env });
        if (flags.dryRun) return dryRun(config, flags, terminal);
        if (!lacksModel(config)) requireModel(config.policy.model);
        const folder = createFolder(config.record.dir, config.name);
        boundarySync(RecordFault, `cannot write ${folder.config}`, () => {
          writeFileSync(folder.config, stringify(config));
        });
        terminal.say(`run ${folder.name} in ${folder.dir}`);
        return drive(config, folder, { ...flags, resume: false }, terminal);
      }),
    );
