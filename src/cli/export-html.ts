/** `export html`: an episode or a group as one file that opens without a server and loads nothing. What is in it is viewer/standalone.ts's. */
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { ConfigFault } from '../errors.ts';
import { type TargetFlags, targetOf } from './export-target.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { lineFile } from './line-file.ts';
import { printableLine } from './printable.ts';
import { packageRoot } from './settings/package-root.ts';

interface HtmlFlags extends Flags, TargetFlags {
  readonly out?: string;
}

export const htmlCommand = (): Command =>
  withOutput(
    new Command('html')
      .description('write an episode or a group as one page that opens from a file, without a server')
      .argument('<group|episode>', 'e.g. s00001.t003 or s00001.t003.e05'),
  )
    .option('--run <run>', 'a run’s folder or name', 'latest')
    .option('--dir <folder>', 'where runs lie', 'runs')
    .option('--out <file>', 'where to write (default: <run>-<id>.html)')
    .action((argument: string, flags: HtmlFlags) =>
      carryOut(flags, async (terminal) => {
        const { folder, id } = targetOf(argument, flags);
        if (id === null) throw new ConfigFault(`which group or episode of ${folder.name}?`);
        const out = flags.out ?? `${folder.name}-${id}.html`;
        const [{ standalone }, { viewerPorts }] = await Promise.all([import('../viewer/standalone.ts'), import('./view-ports.ts')]);
        const built = { page: join(packageRoot, 'dist/viewer/page'), charts: join(packageRoot, 'dist/viewer/charts.json') };
        const pieces = standalone(
          { dir: dirname(folder.dir), run: folder.name, id, ...built },
          viewerPorts((text) => terminal.warn(printableLine(text))),
        );
        // Asked for first: where there is nothing to write no file is begun.
        let piece = await pieces.next();
        const file = lineFile(out);
        try {
          for (; piece.done !== true; piece = await pieces.next()) file.write(piece.value);
          file.keep();
        } finally {
          file.drop();
        }
        const held = piece.value;
        if (flags.json) terminal.out(JSON.stringify({ v: 1, file: out, ...held }));
        else
          terminal.out(
            `${out}: ${held.episodes === 1 ? 'one episode' : `${held.episodes} episodes`}, ${held.events} events; open it in a browser`,
          );
        return 0;
      }),
    );
