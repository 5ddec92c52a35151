/** The command line: every command by name, and what a wrong line is told. */
import { existsSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { configCommand } from './config.ts';
import { doctorCommand } from './doctor.ts';
import { evalCommand } from './eval.ts';
import { exitCodes } from './exit.ts';
import { exportCommand } from './export.ts';
import { imitateCommand } from './imitate.ts';
import { initCommand } from './init.ts';
import { lsCommand } from './ls.ts';
import { printableLine } from './printable.ts';
import { promptCommand } from './prompt.ts';
import { pruneCommand } from './prune.ts';
import { repairCommand } from './repair.ts';
import { replayCommand } from './replay.ts';
import { resumeCommand } from './resume.ts';
import { runCommand } from './run.ts';
import { nearest } from '../record/nearest.ts';
import { showCommand } from './show.ts';
import { toolsCommand } from './tools.ts';
import { viewCommand } from './view.ts';

const commands = [
  runCommand,
  resumeCommand,
  lsCommand,
  showCommand,
  replayCommand,
  viewCommand,
  evalCommand,
  imitateCommand,
  configCommand,
  initCommand,
  doctorCommand,
  exportCommand,
  pruneCommand,
  repairCommand,
  toolsCommand,
  promptCommand,
];

function programOf(version: string): Command {
  const program = new Command('troupe')
    .description('Teaches a language model to use tools by reinforcement learning in a simulated environment.')
    .version(version)
    .showSuggestionAfterError()
    // `replay --version 3` names a policy's; the program's own stands before a command.
    .enablePositionalOptions()
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 config, 3 environment, 4 backend, 130 interrupted.\nStart: node dist/run.js configs/quickstart.yaml',
    );
  for (const make of commands) {
    const command = make();
    program.addCommand(command, { isDefault: command.name() === 'run' });
  }
  visit(program, (command) => command.exitOverride());
  return program;
}

function visit(command: Command, act: (command: Command) => void): void {
  act(command);
  for (const inner of command.commands) visit(inner, act);
}

/** A first word that is neither a command nor a file is a command misspelt, or a config that is not there: null where it is neither. */
function misspelt(program: Command, word: string | undefined): string | null {
  if (word === undefined || word.startsWith('-') || existsSync(word)) return null;
  const names = program.commands.map((command) => command.name());
  if (word === 'help' || names.includes(word)) return null;
  const meant = nearest(word, names);
  return `no config ${printableLine(word)}${meant === null ? '' : `, and no such command; did you mean "${meant}"?`}`;
}

/** Carries out one command line; sets the process's exit code. `argv` as Node gives it. */
export async function main(argv: readonly string[], version: string): Promise<void> {
  const program = programOf(version);
  const [, , first] = argv;
  const mistake = misspelt(program, first);
  if (mistake !== null) {
    process.stderr.write(`ConfigFault: ${mistake}\n`);
    process.exitCode = exitCodes.config;
    return;
  }
  try {
    if (first === undefined) program.help();
    await program.parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version are no mistakes; commander has said what was wrong otherwise.
    process.exitCode = error.exitCode === 0 ? 0 : exitCodes.config;
  }
}
