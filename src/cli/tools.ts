/** `tools …`: tool lists imported, looked at, and drawn from. */
import { Command } from 'commander';
import { importCommand } from './tools-import.ts';
import { inferCommand } from './tools-infer.ts';
import { checkCommand, lsCommand, showCommand } from './tools-look.ts';
import { sampleCommand } from './tools-sample.ts';

export const toolsCommand = (): Command =>
  new Command('tools')
    .description('import tool lists and look at them')
    .addCommand(importCommand())
    .addCommand(lsCommand())
    .addCommand(showCommand())
    .addCommand(checkCommand())
    .addCommand(sampleCommand())
    .addCommand(inferCommand());
