/** `export tensorboard` and `export csv`: the figures of a run's steps for other programs to draw. How a file is written is record/exports/'s. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { boundarySync, RecordFault } from '../errors.ts';
import type { JsonObject } from '../protocol/json.ts';
import { csvOf } from '../record/exports/csv.ts';
import { scalarsOf, type StepScalars } from '../record/exports/scalars.ts';
import { tfevents, type TimedScalars } from '../record/exports/tfevents.ts';
import { findFolder, type RunFolder } from '../record/folder.ts';
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
        const start = statSync(folder.journal).birthtimeMs / 1000;
        const steps = timed(folder, start);
        // One name a run: exported again, it replaces itself, where a second file would draw everything twice.
        const file = join(out, `events.out.tfevents.${Math.floor(start)}.troupe`);
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

const figuresOf = ({ metrics }: RunFolder): StepScalars[] => rowsIn(metrics).map(scalarsOf);

/** Each step at the time it ended, as far as the run's timings tell: a record itself holds no times. */
function timed(folder: RunFolder, start: number): TimedScalars[] {
  const took = new Map(
    rowsIn(folder.timings).map((row) => [
      scalarsOf(row).step,
      Object.entries(row).reduce((sum, [name, value]) => (name.endsWith('Ms') && typeof value === 'number' ? sum + value : sum), 0) / 1000,
    ]),
  );
  let wallTime = start;
  return figuresOf(folder).map((figures) => {
    wallTime += took.get(figures.step) ?? 0;
    return { ...figures, wallTime };
  });
}

/** A last line that is being written is left out. */
function rowsIn(file: string): JsonObject[] {
  if (!existsSync(file)) return [];
  const lines = boundarySync(RecordFault, `cannot read ${file}`, () => readFileSync(file, 'utf8')).split('\n');
  return boundarySync(RecordFault, file, () =>
    lines
      .slice(0, -1)
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as JsonObject),
  );
}
