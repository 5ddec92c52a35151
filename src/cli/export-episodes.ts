/** `export openai` and `export tokens`: episodes of a run, a group or one alone, a line each, to a file or to stdout. How a line is written is record/exports/'s. */
import { Command } from 'commander';
import { resultJson } from '../gpu/tokens/messages.ts';
import type { Member } from '../record/exports/member.ts';
import { openAiLine } from '../record/exports/openai.ts';
import { tokenLines } from '../record/exports/tokens.ts';
import { filterIn, membersOf, type TargetFlags, targetOf } from './export-target.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { lineFile } from './line-file.ts';
import type { Terminal } from './terminal.ts';

interface EpisodeFlags extends Flags, TargetFlags {
  readonly out?: string;
  readonly filter?: string;
}

export const openAiCommand = (): Command =>
  episodesCommand('openai', 'write episodes as OpenAI messages with tool calls, a JSON line each', (member) => [
    openAiLine(member, resultJson),
  ]);

export const tokensCommand = (): Command =>
  episodesCommand(
    'tokens',
    'write token ids, log-probs of sampler and trainer, mask, reward and advantage, a JSON line a trace',
    tokenLines,
  );

const episodesCommand = (name: string, what: string, linesOf: (member: Member) => readonly string[]): Command =>
  withOutput(
    new Command(name).description(what).argument('<run|group|episode>', 'a run’s folder or name, or latest; or an id such as s00001.t003'),
  )
    .option('--run <run>', 'the run of a group or episode (default: the latest)')
    .option('--dir <folder>', 'where runs lie', 'runs')
    .option('--filter <expression>', 'only episodes that pass, such as \'reward>0 && tool=="refund"\'')
    .option('--out <file>', 'write them there instead of to stdout')
    .action((argument: string, flags: EpisodeFlags) => carryOut(flags, (terminal) => write(argument, flags, linesOf, terminal)));

async function write(
  argument: string,
  flags: EpisodeFlags,
  linesOf: (member: Member) => readonly string[],
  terminal: Terminal,
): Promise<number> {
  const filter = filterIn(flags.filter);
  const target = targetOf(argument, flags);
  const { viewerPorts } = await import('./view-ports.ts');
  const warn = (text: string): void => terminal.warn(text);
  let episodes = 0;
  let lines = 0;
  const file = flags.out === undefined ? null : lineFile(flags.out);
  try {
    for (const member of membersOf(target, filter, viewerPorts(warn), warn)) {
      episodes++;
      for (const line of linesOf(member)) {
        lines++;
        if (file === null) terminal.out(line.trimEnd());
        else file.write(line);
      }
    }
    file?.keep();
  } finally {
    file?.drop();
  }
  // With --json the result is about the file; without a file the lines are the result.
  if (flags.json && flags.out !== undefined) terminal.out(JSON.stringify({ v: 1, file: flags.out, episodes, lines }));
  else terminal.say(`${episodes} episodes, ${lines} lines${flags.out === undefined ? '' : ` in ${flags.out}`}`);
  return 0;
}
