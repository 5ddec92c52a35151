/** `export <what>`: results of a run in other programs' forms. Here `export model`: the trained policy as a Hugging Face directory with tokenizer and chat template, and the line that serves it. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, renameSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { boundarySync, ConfigFault, RecordFault } from '../errors.ts';
import { findFolder } from '../record/folder.ts';
import { openAiCommand, tokensCommand } from './export-episodes.ts';
import { csvCommand, tensorboardCommand } from './export-figures.ts';
import { htmlCommand } from './export-html.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { newestModel } from './models.ts';

export const exportCommand = (): Command =>
  [htmlCommand, openAiCommand, tokensCommand, tensorboardCommand, csvCommand].reduce(
    (command, part) => command.addCommand(part()),
    new Command('export').description('take results out of a run').addCommand(modelCommand()),
  );

const modelCommand = (): Command =>
  withOutput(
    new Command('model')
      .description('write the trained policy as a Hugging Face directory: a whole model, or an adapter')
      .argument('<run>', 'its folder, its name, or latest'),
  )
    .option('--to <folder>', 'where to write; must not exist (default: <run>-model)')
    .option('--dir <folder>', 'where runs lie', 'runs')
    .action((run: string, flags: Flags & { to?: string; dir: string }) =>
      carryOut(flags, (terminal) => {
        const folder = findFolder(flags.dir, run);
        const model = newestModel(folder);
        const to = resolve(flags.to ?? `${folder.name}-model`);
        copyModel(model.adapter ?? model.dir, to);
        const serve =
          model.adapter === undefined
            ? `vllm serve ${to} --served-model-name ${basename(to)}`
            : `vllm serve ${model.dir} --enable-lora --max-lora-rank ${rankOf(model.adapter)} --lora-modules ${basename(to)}=${to}`;
        if (flags.json)
          terminal.out(JSON.stringify({ v: 1, model: to, step: model.step, version: model.version, files: readdirSync(to), serve }));
        else
          terminal.out(
            `policy version ${model.version}${model.step === null ? ' (no trained model is there)' : `, after step ${model.step}`}, in ${to}${model.adapter === undefined ? '' : `: an adapter of ${model.dir}`}\nserve it: ${serve}`,
          );
        return 0;
      }),
    );

/** As peft wrote it: what a server must have kernels for. */
const rankOf = (adapter: string): number =>
  boundarySync(RecordFault, `cannot read ${adapter}`, () =>
    z.looseObject({ r: z.int().min(1) }).parse(JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8'))),
  ).r;

/** Whole or not at all. Throws ConfigFault if `to` exists. */
export function copyModel(from: string, to: string): void {
  if (existsSync(to)) throw new ConfigFault(`${to} exists; choose another folder`);
  const draft = join(dirname(to), `.${basename(to)}.partial`);
  boundarySync(RecordFault, `cannot write ${to}`, () => {
    rmSync(draft, { recursive: true, force: true });
    cpSync(from, draft, { recursive: true });
    renameSync(draft, to);
  });
}
