/** `repair <run>`: gives up what follows a damaged place in the journal, after saying what that is. What is cut is kept beside it. */
import { Command } from 'commander';
import { findFolder } from '../record/folder.ts';
import { inspectJournal } from '../record/inspection.ts';
import { lockRun } from '../record/lock.ts';
import { cutJournal } from '../record/repair.ts';
import { exitCodes } from './exit.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { program } from './outcome.ts';
import { byteSize } from './table.ts';

export const repairCommand = (): Command =>
  withOutput(
    new Command('repair')
      .description('check a run’s journal; cut it where it is damaged')
      .argument('<run>', 'its folder, its name, or latest'),
  )
    .option('--yes', 'cut; the bytes are kept beside the journal', false)
    .option('--dir <folder>', 'where runs lie', 'runs')
    .action((run: string, flags: Flags & { yes: boolean; dir: string }) =>
      carryOut(flags, (terminal) => {
        const folder = findFolder(flags.dir, run);
        const { frames, torn, damage, segments } = inspectJournal(folder.journal);
        if (damage === null) {
          const tail = torn === 0 ? '' : `; a torn tail of ${byteSize(torn)} goes when the run is resumed`;
          terminal.out(
            flags.json ? JSON.stringify({ v: 1, frames, torn, damage }) : `sound: ${frames} frames in ${segments.length} segments${tail}`,
          );
          return 0;
        }
        if (!flags.yes) {
          terminal.out(
            flags.json
              ? JSON.stringify({ v: 1, frames, torn, damage })
              : `${damage.message}\n${frames} frames before it are sound; cut with: ${program} repair ${folder.dir} --yes`,
          );
          return exitCodes.environment;
        }
        const lock = lockRun(folder.dir);
        try {
          const cut = cutJournal(folder.journal);
          terminal.out(
            flags.json
              ? JSON.stringify({ v: 1, frames, cut })
              : `cut ${byteSize(cut?.bytes ?? 0)}, kept in ${cut?.kept.join(', ')}; ${frames} frames remain. Go on: ${program} resume ${folder.dir}`,
          );
        } finally {
          lock.release();
        }
        return 0;
      }),
    );
