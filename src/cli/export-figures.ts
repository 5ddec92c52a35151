/** `export tensorboard` and `export csv`: the figures of a run's steps for other programs to draw. How a file is written is record/exports/'s. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { boundarySync, RecordFault } from '../errors.ts';
import { csvOf } from '../record/exports/csv.ts';
import { eventFileName, figuresOf, timedFiguresOf } from '../record/exports/figures.ts';
import { tfevents } from '../record/exports/tfevents.ts';
import { findFolder } from '../record/folder.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { lineFile } from './line-file.ts';

interface FigureFlags extends Flags {
  readonly dir: string;
  readonly out?: string;
}

export const tensorboardCommand = (): Command =>
  withOutput(new Command('tensorboard').description('write the figures of a run’s steps as TensorBoard events').argument('<run>', runHelp))
    .option('--out <folder>', 'the folder that TensorBoard is given (default: <run>-tensorboard)')
    .option('--dir <folder>', 'where runs lie', 'runs')
    .action((run: string, flags: FigureFlags) =>
      carryOut(flags, (terminal) => {
        const folder = findFolder(flags.dir, run);
        const out = flags.out ?? `${folder.name}-tensorboard`;
        const { start, steps } = timedFiguresOf(folder);
        const file = join(out, eventFileName(start));
        boundarySync(RecordFault, `cannot write ${file}`, () => {
          mkdirSync(out, { recursive: true });
          writeFileSync(file, Buffer.concat([...tfevents(start, steps)]));
        });
        const scalars = steps.reduce((sum, step) => sum + step.scalars.size, 0);
        if (flags.json) terminal.out(JSON.stringify({ v: 1, file, steps: steps.length, scalars }));
        else terminal.out(`${file}: ${steps.length} steps, ${scalars} figures\nlook at it: tensorboard --logdir ${out}`);
        return 0;
      }),
    );

export const csvCommand = (): Command =>
  withOutput(new Command('csv').description('write the figures of a run’s steps as a table').argument('<run>', runHelp))
    .option('--out <file>', 'write it there instead of to stdout')
    .option('--dir <folder>', 'where runs lie', 'runs')
    .action((run: string, flags: FigureFlags) =>
      carryOut(flags, (terminal) => {
        const steps = figuresOf(findFolder(flags.dir, run));
        const text = csvOf(steps);
        if (flags.out === undefined) {
          terminal.out(text.trimEnd());
          return 0;
        }
        const file = lineFile(flags.out);
        try {
          file.write(text);
          file.keep();
        } finally {
          file.drop();
        }
        if (flags.json) terminal.out(JSON.stringify({ v: 1, file: flags.out, steps: steps.length }));
        else terminal.say(`${steps.length} steps in ${flags.out}`);
        return 0;
      }),
    );

const runHelp = 'its folder, its name, or latest';
