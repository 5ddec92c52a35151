/** `ls`: every run and how it stands. */
import { Command } from 'commander';
import type { Parent } from '../protocol/frame.ts';
import { listFolders } from '../record/folder.ts';
import { forkEndIn, parentIn } from '../record/parent.ts';
import { overviewOf } from '../record/projections/overview.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { printableLine } from './printable.ts';
import { table } from './table.ts';

export const lsCommand = (): Command =>
  withOutput(new Command('ls').description('list runs').argument('[dir]', 'where runs lie', 'runs')).action((dir: string, flags: Flags) =>
    carryOut(flags, (terminal) => {
      const runs = listFolders(dir).map((folder) => {
        const parent = parentIn(folder.journal);
        const overview = overviewOf(folder);
        if (parent === null) return { ...overview, parent };
        return {
          ...overview,
          state: overview.state === 'interrupted' ? (forkEndIn(folder.journal) ?? overview.state) : overview.state,
          parent,
        };
      });
      if (flags.json) {
        terminal.out(JSON.stringify(runs));
        return 0;
      }
      if (runs.length === 0) {
        terminal.say(`no run in ${dir}`);
        return 0;
      }
      const hasForks = runs.some(({ parent }) => parent !== null);
      const figure = (value: number | null): string => (value === null ? '–' : value.toFixed(2));
      terminal.out(
        table(
          ['run', 'state', 'steps', 'D', 'reward', 'success', 'version', ...(hasForks ? ['fork of'] : [])],
          runs.map((run) => [
            printableLine(run.run),
            run.state,
            `${run.steps}`,
            `${run.difficulty ?? '–'}`,
            figure(run.meanReward),
            figure(run.success),
            `${run.version ?? '–'}`,
            ...(hasForks ? [forkText(run.parent)] : []),
          ]),
        ),
      );
      return 0;
    }),
  );

const forkText = (parent: Parent | null): string =>
  parent === null ? '' : printableLine(`${parent.run} ${parent.episode} from turn ${parent.turn}`);
