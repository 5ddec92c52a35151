/** `tools ls|show|check <list>`: what is in a tool list, one tool in full, and which tools can be used. A list is `builtin`, `catalogue` or a file. */
import { Command } from 'commander';
import { ConfigFault } from '../errors.ts';
import type { ToolSpec } from '../protocol/tool.ts';
import { builtinTools } from '../simulation/procedural/families.ts';
import { gapsOf } from '../tools/gaps.ts';
import { complaintOfSchema } from '../tools/import/json-schema/compile.ts';
import { loadTools, reasonTable } from '../tools/load.ts';
import type { Sorted } from '../tools/sieve.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { printable, printableLine } from './printable.ts';
import { nearest } from '../record/nearest.ts';
import { table } from './table.ts';

export const listHelp = 'catalogue, builtin, or a file: JSONL, OpenAI function JSON or ToolBench JSON';
const toolsShown = 200;

export const toolsNamed = (list: string): Sorted => (list === 'builtin' ? { usable: builtinTools, rejected: [] } : loadTools(list));

interface LsFlags extends Flags {
  readonly category?: string;
}

export const lsCommand = (): Command =>
  withOutput(new Command('ls').description('list the categories of a tool list, or the tools of one').argument('<list>', listHelp))
    .option('--category <name>', 'list the tools of this category')
    .action((list: string, flags: LsFlags) =>
      carryOut(flags, (terminal) => {
        const { usable } = toolsNamed(list);
        const groups = byCategory(usable);
        if (flags.category !== undefined) {
          const tools = groups.get(flags.category) ?? missing('category', flags.category, [...groups.keys()]);
          if (flags.json) terminal.out(JSON.stringify(tools));
          else terminal.out(toolTable(tools));
          return 0;
        }
        const rows = [...groups].map(([category, tools]) => ({ category, ...countsOf(tools) })).sort((a, b) => b.tools - a.tools);
        if (flags.json) terminal.out(JSON.stringify({ v: 1, ...countsOf(usable), categories: rows }));
        else {
          terminal.out(
            table(
              ['category', 'tools', 'read', 'write', 'unknown', 'say what comes back'],
              rows.map((row) => [
                printableLine(row.category),
                `${row.tools}`,
                `${row.read}`,
                `${row.write}`,
                `${row.unknown}`,
                `${row.returns}`,
              ]),
            ),
          );
          terminal.say(`${usable.length} tools of ${groups.size} categories`);
        }
        return 0;
      }),
    );

function byCategory(tools: readonly ToolSpec[]): ReadonlyMap<string, readonly ToolSpec[]> {
  const groups = new Map<string, ToolSpec[]>();
  for (const tool of tools) {
    const group = groups.get(tool.category);
    if (group === undefined) groups.set(tool.category, [tool]);
    else group.push(tool);
  }
  return groups;
}

function toolTable(tools: readonly ToolSpec[]): string {
  const rows = tools.slice(0, toolsShown).map(({ name, effects, description }) => [name, effects, printableLine(description).slice(0, 90)]);
  const more = tools.length - toolsShown;
  return `${table(['tool', 'effects', 'description'], rows)}${more > 0 ? `\nand ${more} more` : ''}`;
}

const countsOf = (tools: readonly ToolSpec[]) => ({
  tools: tools.length,
  read: tools.filter(({ effects }) => effects === 'read').length,
  write: tools.filter(({ effects }) => effects === 'write').length,
  unknown: tools.filter(({ effects }) => effects === 'unknown').length,
  returns: tools.filter(({ returns }) => returns !== undefined).length,
});

export const showCommand = (): Command =>
  withOutput(
    new Command('show').description('print one tool in full').argument('<list>', listHelp).argument('<name>', 'of the tool'),
  ).action((list: string, name: string, flags: Flags) =>
    carryOut(flags, (terminal) => {
      const { usable } = toolsNamed(list);
      const tool =
        usable.find((candidate) => candidate.name === name) ??
        missing(
          'tool',
          name,
          usable.map((candidate) => candidate.name),
        );
      terminal.out(flags.json ? JSON.stringify(tool) : printable(JSON.stringify(tool, null, 2)));
      for (const { lacks } of gapsOf([tool])) terminal.say(`it does not say: ${lacks.join(', ')}`);
      return 0;
    }),
  );

function missing(what: string, name: string, names: readonly string[]): never {
  const meant = nearest(name, names);
  throw new ConfigFault(`no ${what} ${printableLine(name)}${meant === null ? '' : `; did you mean "${printableLine(meant)}"?`}`);
}

export const checkCommand = (): Command =>
  withOutput(
    new Command('check').description('say which tools of a list can be used, and why the others cannot').argument('<list>', listHelp),
  ).action((list: string, flags: Flags) =>
    carryOut(flags, (terminal) => {
      const { usable, rejected } = toolsNamed(list);
      const refused = usable.flatMap(({ name, source, parameters }) => {
        const reason = complaintOfSchema(parameters);
        return reason === undefined ? [] : [{ name, source, reason }];
      });
      const all = [...rejected, ...refused];
      const good = usable.length - refused.length;
      const reasons = reasonTable(all);
      const gaps = gapsOf(usable).flatMap(({ lacks }) => lacks);
      const lacking = { description: 0, returns: 0, effects: 0 };
      for (const lack of gaps) lacking[lack]++;
      if (flags.json) terminal.out(JSON.stringify({ v: 1, usable: good, rejected: all.length, reasons, lacks: lacking }));
      else {
        terminal.out(`${good} usable, ${all.length} not`);
        const rows = reasons.map(({ reason, tools }) => [`${tools}`, printableLine(reason)]);
        if (rows.length > 0) terminal.out(table(['tools', 'reason'], rows));
        for (const [lack, tools] of Object.entries(lacking)) if (tools > 0) terminal.out(`${tools} do not say: ${lack}`);
      }
      return 0;
    }),
  );
