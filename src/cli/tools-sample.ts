/** `tools sample <list>`: some of its tools by chance, as JSONL. A list that is too long to be loaded can still be drawn from; no one source need fill the sample. */
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
  readonly cap?: number;
  readonly out?: string;
}

export const sampleCommand = (): Command =>
  withOutput(new Command('sample').description('draw some tools of a list, one JSON line each').argument('<list>', listHelp))
    .option('--count <n>', 'how many', whole, 10)
    .option('--seed <n>', 'the same seed draws the same tools', whole, 1)
    .option('--category <name>', 'only of this category')
    .option('--cap <n>', 'at most so many of one source (a document, a server, a file)', whole)
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

interface Held {
  readonly tool: ToolSpec;
  /** Its place in the list. */
  readonly at: number;
}

/** One pass that holds no more than it may give (reservoir sampling, Vitter 1985, algorithm R), for each source where they are capped; in the order of the list. */
function drawFrom(tools: Iterable<ToolSpec>, { count, seed, category, cap }: SampleFlags): ToolSpec[] {
  const draws = stream(seedOf(seed, 'tools-sample'));
  const reservoirs = new Map<string, { readonly held: Held[]; seen: number }>();
  const size = Math.min(count, cap ?? count);
  let at = 0;
  for (const tool of tools) {
    at++;
    if (category !== undefined && tool.category !== category) continue;
    const source = cap === undefined ? '' : (tool.source.split('#')[0] as string);
    const reservoir = reservoirs.get(source) ?? { held: [], seen: 0 };
    reservoirs.set(source, reservoir);
    const place = reservoir.seen < size ? reservoir.seen : draws.int(reservoir.seen + 1);
    if (place < size) reservoir.held[place] = { tool, at };
    reservoir.seen++;
  }
  const held = [...reservoirs.values()].flatMap((reservoir) => reservoir.held);
  return (held.length > count ? draws.sample(held, count) : held).sort((a, b) => a.at - b.at).map(({ tool }) => tool);
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 50_000) throw new InvalidArgumentError('a whole number up to 50000.');
  return value;
}
