/** `tools sample <list>`: some of its tools by chance, as JSONL. A list that is too long to be loaded can still be drawn from. */
import { Command, InvalidArgumentError } from 'commander';
import { ConfigFault } from '../errors.ts';
import type { ToolSpec } from '../protocol/tool.ts';
import { seedOf, stream } from '../random.ts';
import { isLinesFile, isRejection, toolLine, toolsOfFile } from '../tools/lines.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { lineFile } from './line-file.ts';
import { listHelp, toolsNamed } from './tools-look.ts';

interface SampleFlags extends Flags {
  readonly count: number;
  readonly seed: number;
  readonly category?: string;
  readonly out?: string;
}

export const sampleCommand = (): Command =>
  withOutput(new Command('sample').description('draw some tools of a list, one JSON line each').argument('<list>', listHelp))
    .option('--count <n>', 'how many', whole, 10)
    .option('--seed <n>', 'the same seed draws the same tools', whole, 1)
    .option('--category <name>', 'only of this category')
    .option('--out <file>', 'write them there (.jsonl) instead of to stdout')
    .action((list: string, flags: SampleFlags) =>
      carryOut(flags, (terminal) => {
        const drawn = drawFrom(toolsIn(list), flags);
        if (drawn.length === 0) throw new ConfigFault(`${list}: no tool to draw`);
        if (flags.out === undefined) for (const tool of drawn) terminal.out(toolLine(tool).trimEnd());
        else {
          const file = lineFile(flags.out);
          try {
            for (const tool of drawn) file.write(toolLine(tool));
            file.keep();
          } finally {
            file.drop();
          }
        }
        terminal.say(`${drawn.length} tools`);
        return 0;
      }),
    );

function* toolsIn(list: string): Generator<ToolSpec> {
  if (!isLinesFile(list)) yield* toolsNamed(list).usable;
  else for (const entry of toolsOfFile(list)) if (!isRejection(entry)) yield entry;
}

/** One pass that holds no more than it gives (reservoir sampling, Vitter 1985, algorithm R); in the order of the list. */
function drawFrom(tools: Iterable<ToolSpec>, { count, seed, category }: SampleFlags): ToolSpec[] {
  const draws = stream(seedOf(seed, 'tools-sample'));
  const held: { readonly tool: ToolSpec; readonly at: number }[] = [];
  let seen = 0;
  for (const tool of tools) {
    if (category !== undefined && tool.category !== category) continue;
    const place = seen < count ? seen : draws.int(seen + 1);
    if (place < count) held[place] = { tool, at: seen };
    seen++;
  }
  return held.sort((a, b) => a.at - b.at).map(({ tool }) => tool);
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 50_000) throw new InvalidArgumentError('a whole number up to 50000.');
  return value;
}
