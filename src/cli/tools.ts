/** `tools check <file>`: which tools of a list can be used, and why the others cannot. */
import { Command } from 'commander';
import { loadTools, reasonTable } from '../tools/load.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { printableLine } from './printable.ts';
import { table } from './table.ts';

export const toolsCommand = (): Command => new Command('tools').description('look at tool lists').addCommand(checkCommand());

const checkCommand = (): Command =>
  withOutput(
    new Command('check').description('say which tools of a file can be used').argument('<file>', 'OpenAI function JSON or ToolBench JSON'),
  ).action((file: string, flags: Flags) =>
    carryOut(flags, (terminal) => {
      const { usable, rejected } = loadTools(file);
      const reasons = reasonTable(rejected);
      if (flags.json) terminal.out(JSON.stringify({ v: 1, usable: usable.length, rejected: rejected.length, reasons }));
      else {
        terminal.out(`${usable.length} usable, ${rejected.length} not`);
        if (reasons.length > 0)
          terminal.out(
            table(
              ['tools', 'reason'],
              reasons.map(({ reason, tools }) => [`${tools}`, printableLine(reason)]),
            ),
          );
      }
      return 0;
    }),
  );
