/** `ls`: every run and how it stands. */
import { Command } from 'commander';
import { listFolders } from '../record/folder.ts';
import { overviewOf } from '../record/projections/overview.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { printableLine } from './printable.ts';
import { table } from './table.ts';

export const lsCommand = (): Command =>
  withOutput(new Command('ls').description('list runs').argument('[dir]', 'where runs lie', 'runs')).action((dir: string, flags: Flags) =>
    carryOut(flags, (terminal) => {
      const runs = listFolders(dir).map((folder) => overviewOf(folder));
      if (flags.json) {
        terminal.out(JSON.stringify(runs));
        return 0;
      }
      if (runs.length === 0) {
        terminal.say(`no run in ${dir}`);
        return 0;
      }
      const figure = (value: number | null): string => (value === null ? '–' : value.toFixed(2));
      terminal.out(
        table(
          ['run', 'state', 'steps', 'D', 'reward', 'success', 'version'],
          runs.map((run) => [
            printableLine(run.run),
            run.state,
            `${run.steps}`,
            `${run.difficulty ?? '–'}`,
            figure(run.meanReward),
            figure(run.success),
            `${run.version ?? '–'}`,
          ]),
        ),
      );
      return 0;
    }),
  );
