/** What every command is called with, and how it is carried out: flags in, exit code out. */
import type { Command } from 'commander';
import { exitCodeOf, failureText, faultOf } from './exit.ts';
import { terminalOf, type Terminal } from './terminal.ts';

export interface Flags {
  readonly json: boolean;
  readonly quiet: boolean;
  /** `key=value` each. */
  readonly set: readonly string[];
}

/** Carries out a command's body and sets the process's exit code; every failure of every command ends here. */
export async function carryOut(flags: Partial<Flags>, body: (terminal: Terminal) => Promise<number> | number): Promise<void> {
  const terminal = terminalOf({ quiet: flags.quiet === true, results: 'stdout' });
  try {
    process.exitCode = await body(terminal);
  } catch (error) {
    const fault = faultOf(error);
    terminal.warn(failureText(fault));
    process.exitCode = exitCodeOf(fault);
  }
}

const collect = (value: string, values: readonly string[]): string[] => [...values, value];

export const withOutput = (command: Command): Command =>
  command.option('--json', 'print the result as JSON on stdout', false).option('--quiet', 'print nothing but results and failures', false);

export const withSettings = (command: Command): Command =>
  withOutput(command)
    .option('--set <key=value>', 'change one key of the config; may be given more than once', collect, [])
    .option('--dry-run', 'print the resolved config and the plan; start nothing', false);
