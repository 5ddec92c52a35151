/** `eval <run|model>`: success on held-out tasks, of a run's newest policy or of any model directory. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { evaluateModel } from '../actors/system.ts';
import { Config } from '../config.ts';
import { findFolder } from '../record/folder.ts';
import { listenForInterruption } from './interruption.ts';
import { carryOut, type Flags, withSettings } from './invocation.ts';
import { newestModel } from './models.ts';
import { levelTable } from './outcome.ts';
import { planText } from './plan.ts';
import { progressView } from './progress.ts';
import { configOfRun } from './resume.ts';
import { changeConfig, readConfig } from './settings/read.ts';

interface EvalFlags extends Flags {
  readonly config?: string;
  readonly dir: string;
  readonly dryRun: boolean;
}

export const evalCommand = (): Command =>
  withSettings(new Command('eval').description('measure success on held-out tasks').argument('<run|model>', 'a run, or a model directory'))
    .option('--config <file>', 'take eval, world and tools from this config')
    .option('--dir <folder>', 'where runs lie', 'runs')
    .action((subject: string, flags: EvalFlags) =>
      carryOut(flags, async (terminal) => {
        const { config, model } = subjectOf(subject, flags);
        if (flags.dryRun) {
          terminal.out(planText(config));
          return 0;
        }
        const view = progressView(terminal);
        const interruption = listenForInterruption(terminal.say);
        try {
          const levels = await evaluateModel(config, { model, signal: interruption.signal, progress: view.show });
          view.end();
          terminal.out(flags.json ? JSON.stringify({ v: 1, model, levels }) : levelTable(levels));
          return 0;
        } finally {
          view.end();
          interruption.end();
        }
      }),
    );

function subjectOf(subject: string, flags: EvalFlags): { readonly config: Config; readonly model: string } {
  if (existsSync(join(subject, 'config.json')))
    return { config: readConfig({ file: flags.config, set: flags.set, env: process.env }), model: resolve(subject) };
  const folder = findFolder(flags.dir, subject);
  const config =
    flags.config === undefined
      ? changeConfig(configOfRun(folder), flags.set)
      : readConfig({ file: flags.config, set: flags.set, env: process.env });
  return { config, model: newestModel(folder).dir };
}
