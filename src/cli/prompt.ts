/** `prompt <role>`: exactly what a language model would be sent that plays this role, for a task of a file or an episode of a run. Asks none. */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { lmSettingsOf } from '../actors/settings.ts';
import type { Config } from '../config.ts';
import { SimulatorRole } from '../protocol/outcome.ts';
import type { Posed, Simulator } from '../simulation/contract.ts';
import type { LmSettings } from '../simulation/lm/settings.ts';
import { dialects, lmSimulators } from '../simulation/lm/simulators.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { printable } from './printable.ts';
import { judgeViewOf, type Material, taskViewOf, toolViewOf, userViewOf } from './prompt-views.ts';
import { readConfig } from './settings/read.ts';
import type { Terminal } from './terminal.ts';

interface PromptFlags extends Flags, Material {
  readonly config?: string;
  readonly dialect?: LmSettings['dialect'];
  readonly complaint: readonly string[];
}

const collect = (value: string, values: readonly string[]): string[] => [...values, value];

export const promptCommand = (): Command =>
  withOutput(
    new Command('prompt')
      .description('print exactly what a language model is sent that plays a role')
      .addArgument(new Argument('<role>', 'which').choices(SimulatorRole.options)),
  )
    .option('--task <file>', 'a task as JSON, or a group or an episode that holds one')
    .option('--turns <file>', 'what happened since its first request, as a JSON list of turns')
    .option('--episode <id>', 'task and turns of a recorded episode instead, e.g. s00001.t003.e05')
    .option('--run <run>', 'the run it is of: a folder or a name', 'latest')
    .option('--dir <folder>', 'where runs lie', 'runs')
    .option('--call <json>', 'for a tool: {"name", "arguments"}; left out: the task’s first expected call')
    .option('--difficulty <D>', 'for the task writer, which is given no task: 1..100', difficulty, 1)
    .option('--tools <list>', 'for the task writer: catalogue, builtin or a file; left out: the config’s')
    .option('--seed <n>', 'for the task writer: draws aspects, tools and branch', whole, 1)
    .addOption(
      new Option('--dialect <name>', 'how the model is spoken to; left out: the config’s, prose where that is auto').choices([
        'prose',
        'words',
      ]),
    )
    .option('--complaint <text>', 'why an earlier answer was refused; may be given more than once', collect, [])
    .option('--config <file>', 'take temperatures, limits and tools from this config')
    .option('--set <key=value>', 'change one key of the config; may be given more than once', collect, [])
    .action((role: SimulatorRole, flags: PromptFlags) =>
      carryOut(flags, (terminal) => {
        const config = readConfig({ file: flags.config, set: flags.set, env: process.env });
        const { dialect } = config.simulation;
        const settings = lmSettingsOf(config, flags.dialect ?? (dialect === 'auto' ? 'prose' : dialect));
        const posed = posedTo(role, config, settings, flags);
        print(posed, { role, dialect: settings.dialect, version: dialects[settings.dialect][role].version }, flags, terminal);
        return 0;
      }),
    );

function posedTo(role: SimulatorRole, config: Config, settings: LmSettings, flags: PromptFlags): Posed {
  const { task, user, tool, judge } = lmSimulators(settings);
  const pose = <View>(simulator: Simulator<View, unknown>, view: View): Posed => simulator.pose(view, flags.complaint, flags.seed);
  switch (role) {
    case 'task':
      return pose(task, taskViewOf(config, flags));
    case 'user':
      return pose(user, userViewOf(flags));
    case 'tool':
      return pose(tool, toolViewOf(config, flags));
    case 'judge':
      return pose(judge, judgeViewOf(flags));
    default:
      return role satisfies never;
  }
}

interface Heading {
  readonly role: SimulatorRole;
  readonly dialect: string;
  /** Of the wording. */
  readonly version: number;
}

function print(posed: Posed, heading: Heading, { json }: Flags, terminal: Terminal): void {
  if (json) {
    terminal.out(JSON.stringify({ v: 1, ...heading, ...posed }));
    return;
  }
  const line = (title: string): string => terminal.paint('dim', `──── ${title}`);
  if (posed.kind === 'reply') {
    terminal.say('no model is asked: rules decide (simulation.judge.gates=false would ask about every criterion)');
    terminal.out(JSON.stringify(posed.reply, null, 2));
    return;
  }
  const { messages, schema, maxTokens, temperature } = posed;
  for (const { role, content } of messages) terminal.out(`${line(role)}\n${printable(content)}\n`);
  const limits = `${heading.dialect} ${heading.role} v${heading.version}, temperature ${temperature}, at most ${maxTokens} tokens`;
  terminal.out(`${line(`reply: ${limits}`)}\n${schema === undefined ? 'any text' : printable(JSON.stringify(schema))}`);
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('a whole number.');
  return value;
}

function difficulty(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 100)) throw new InvalidArgumentError('a number from 1 to 100.');
  return value;
}
