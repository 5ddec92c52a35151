/** `tools import <format> <source>`: another format's tools as JSONL, one ToolSpec a line. Lists; never calls a tool, never opens a reference to elsewhere. */
import { Argument, Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../actors/clock.ts';
import { ConfigFault } from '../errors.ts';
import type { ImportReport } from '../tools/import/collect.ts';
import type { Format } from '../tools/import/formats.ts';
import { toolLine } from '../tools/lines.ts';
import { reasonTable } from '../tools/load.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { lineFile } from './line-file.ts';
import { printableLine } from './printable.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface ImportFlags extends Flags {
  readonly out?: string;
  readonly rejected?: string;
  /** Seconds. */
  readonly timeout: number;
  readonly header: Readonly<Record<string, string>>;
}

const formats = ['openapi', 'mcp', 'toolbench', 'openai'] as const satisfies readonly Format[];
const reasonsShown = 12;

export const importCommand = (): Command =>
  withOutput(new Command('import').description('read tools of another format, as one JSON line each'))
    .addArgument(new Argument('<format>', 'openapi, mcp, toolbench or openai').choices(formats))
    .argument('<source...>', 'files or folders; for mcp an http address, a saved list, or the command that starts a server (after --)')
    .option('--out <file>', 'write the tools there (.jsonl) instead of to stdout')
    .option('--rejected <file>', 'write what cannot be used there, with the reasons (.jsonl)')
    .option('--timeout <seconds>', 'how long to wait for an MCP server', seconds, 60)
    .option('--header <name: value>', 'send this to an MCP server over HTTP; may be given more than once', header, {})
    .addHelpText(
      'after',
      '\nExamples:\n  tools import openapi petstore.yaml --out pets.jsonl\n  tools import mcp --out files.jsonl -- npx -y @modelcontextprotocol/server-filesystem .',
    )
    .action((format: Format, sources: string[], flags: ImportFlags) =>
      carryOut(flags, async (terminal) => {
        const report = await runImport(format, sources, flags, terminal);
        if (flags.json && flags.out !== undefined) terminal.out(JSON.stringify(summaryOf(format, report)));
        say(report, flags, terminal);
        return 0;
      }),
    );

async function runImport(format: Format, sources: readonly string[], flags: ImportFlags, terminal: Terminal): Promise<ImportReport> {
  // Loaded when needed: every other command starts without them.
  const [{ collect }, { candidatesOf }] = await Promise.all([import('../tools/import/collect.ts'), import('../tools/import/formats.ts')]);
  const out = flags.out === undefined ? undefined : lineFile(flags.out);
  const clock = new AbortController();
  const recall = systemClock.after(flags.timeout * 1000, () => clock.abort());
  try {
    const options = { signal: clock.signal, after: systemClock.after, headers: flags.header };
    const report = await collect(candidatesOf(format, sources, options), (tool) => {
      const line = toolLine(tool);
      if (out === undefined) terminal.out(line.trimEnd());
      else out.write(line);
    });
    if (flags.rejected !== undefined) writeRejected(flags.rejected, report);
    if (report.usable === 0) throw new ConfigFault(`${sources.join(' ')}: no usable tool${whyOf(report)}`);
    out?.keep();
    return report;
  } finally {
    recall();
    out?.drop();
  }
}

function writeRejected(path: string, { rejected }: ImportReport): void {
  const file = lineFile(path);
  try {
    for (const rejection of rejected) file.write(`${JSON.stringify(rejection)}\n`);
    file.keep();
  } finally {
    file.drop();
  }
}

const whyOf = ({ rejected }: ImportReport): string => {
  const [first] = reasonTable(rejected);
  return first === undefined ? ': none is listed' : ` of ${rejected.length}: ${first.reason}`;
};

const summaryOf = (format: Format, { sources, usable, rejected, categories, effects, lacks, cuts }: ImportReport): object => ({
  v: 1,
  format,
  sources,
  usable,
  rejected: rejected.length,
  reasons: reasonTable(rejected),
  categories: Object.fromEntries(categories),
  effects,
  lacks,
  cuts: Object.fromEntries(cuts),
});

function say(
  { sources, usable, rejected, categories, effects, lacks, cuts }: ImportReport,
  { out }: ImportFlags,
  terminal: Terminal,
): void {
  const where = out === undefined ? '' : ` in ${printableLine(out)}`;
  terminal.say(`${usable} tools of ${categories.size} categories${where}, from ${sources} ${sources === 1 ? 'source' : 'sources'}`);
  terminal.say(
    `  ${effects.read} read, ${effects.write} write, ${effects.unknown} do not say; ${lacks.returns} do not say what comes back`,
  );
  for (const [cut, tools] of cuts) terminal.say(`  left out of the schemas of ${tools}: ${cut}`);
  if (rejected.length === 0) return;
  const reasons = reasonTable(rejected);
  const rows = reasons.slice(0, reasonsShown).map(({ reason, tools }) => [`${tools}`, printableLine(reason)]);
  terminal.say(`${rejected.length} cannot be used:\n${table(['tools', 'reason'], rows)}`);
  if (reasons.length > reasonsShown) terminal.say(`and ${reasons.length - reasonsShown} more reasons: --rejected <file> lists all`);
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 3600)) throw new InvalidArgumentError('between 0 and 3600 seconds.');
  return value;
}

function header(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const [, name, value] = /^([A-Za-z0-9-]{1,100}):\s*([^\r\n]{0,8000})$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('expected "Name: value".');
  return { ...before, [name]: value };
}
