/** `replay [episode]`: proves that the record leads to the states it says; with `--from`, plays the episode anew from one of its turns, as a small run of its own. */
import { Command, InvalidArgumentError } from 'commander';
import { ConfigFault } from '../errors.ts';
import type { EpisodeId } from '../protocol/ids.ts';
import { findFolder, type RunFolder } from '../record/folder.ts';
import { transcriptOf } from '../record/projections/transcript.ts';
import { exitCodes } from './exit.ts';
import { createFork, type ForkedRun } from './fork.ts';
import { endOfStdin, listenForInterruption } from './interruption.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { program } from './outcome.ts';
import { printableLine } from './printable.ts';
import { type Divergence, proofOf } from './proof.ts';
import { readingOf } from './reading.ts';
import type { Terminal } from './terminal.ts';

interface ReplayFlags extends Flags {
  readonly run: string;
  readonly dir: string;
  readonly from?: number;
  readonly seed?: number;
  readonly version?: number;
  readonly simulator: readonly string[];
  readonly untilStdinEnds: boolean;
}

function numberIn(text: string): number {
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(Number(text))) throw new InvalidArgumentError('expected a whole number from 0.');
  return Number(text);
}

const collect = (value: string, values: readonly string[]): string[] => [...values, value];

/** `tool=lm`, or `lm` for all: the settings it stands for. */
function simulatorIn(text: string, settings: readonly string[]): string[] {
  const [, role, who] = /^(?:(user|tool|judge)=)?(procedural|lm)$/.exec(text) ?? [];
  if (who === undefined)
    throw new InvalidArgumentError('expected user=, tool= or judge= with procedural or lm, or one of these for all three.');
  return [...settings, ...(role === undefined ? ['user', 'tool', 'judge'] : [role]).map((each) => `roles.${each}=${who}`)];
}

export const replayCommand = (): Command => {
  const command = withOutput(
    new Command('replay')
      .description('prove a record by its own charts; with --from, play an episode anew from a turn')
      .argument('[episode]', 'e.g. s00001.t003.e05; without --from also a group, a step, or left out: all of the run'),
  )
    .option('--run <run>', 'a run’s folder or name', 'latest')
    .option('--dir <folder>', 'where runs lie', 'runs')
    .option('--from <turn>', 'the first turn that is played anew; those before it stay as they were', numberIn)
    .option(
      '--seed <n>',
      'of what is drawn anew; left out: the run’s own, which plays the same again where the engine is deterministic',
      numberIn,
    )
    .option('--version <n>', 'policy version that says the new turns, one that is kept; left out: the one that said the last', numberIn)
    .option(
      '--simulator <role=who>',
      'who plays on: user, tool or judge = lm (a language model) or procedural (code); lm alone: all three; may be given more than once',
      simulatorIn,
      [],
    )
    .option('--set <key=value>', 'change one key of the config for what is played anew; may be given more than once', collect, [])
    .addHelpText(
      'after',
      `
Without --from nothing is played: exit code 0 means that every recorded state is the one the events lead to, 1 that one is not, and where.
With --from the fork becomes a run of its own beside its parent, which stays as it was; its policy versions are its parent’s.

  ${program} replay s00001.t003.e05
  ${program} replay s00001.t003.e05 --from 2 --seed 7
  ${program} replay s00001.t003.e05 --from 2 --version 0
  ${program} replay s00001.t003.e05 --from 2 --simulator tool=lm --set simulation.temperature.tool=0.7`,
    )
    .action((id: string | undefined, flags: ReplayFlags) =>
      carryOut(flags, (terminal) => {
        const folder = findFolder(flags.dir, flags.run);
        if (flags.from !== undefined) return playAnew(folder, id, { ...flags, from: flags.from }, terminal);
        if (flags.seed !== undefined || flags.version !== undefined || flags.simulator.length > 0 || flags.set.length > 0)
          throw new ConfigFault('--seed, --version, --simulator and --set are for what is played anew: say from which turn with --from');
        return prove(folder, id, flags, terminal);
      }),
    );
  // For the viewer, whose forks go when it goes.
  return command.addOption(command.createOption('--until-stdin-ends').hideHelp().default(false));
};

function prove(folder: RunFolder, id: string | undefined, { json }: ReplayFlags, terminal: Terminal): number {
  const proof = proofOf(folder, id);
  if (proof.events === 0)
    throw new ConfigFault(`nothing recorded is called ${printableLine(id ?? '')} in ${folder.name}; ${program} show lists its last step`);
  if (json) terminal.out(JSON.stringify({ v: 1, run: folder.name, of: id ?? null, ...proof }));
  else {
    const { events, actors, agreeing, divergence } = proof;
    terminal.out(
      `${agreeing} of ${events} events of ${actors} actors lead to the recorded state${divergence === null ? '' : `\n${divergenceText(divergence)}`}`,
    );
  }
  return proof.divergence === null ? 0 : exitCodes.failed;
}

function divergenceText({ index, actor, event, expected, actual, state }: Divergence): string {
  const where = `first divergence: event ${index}, ${printableLine(event)} of ${printableLine(actor)}`;
  if (actual === null) return `${where}: its beginning is not recorded`;
  return `${where}: recorded ${printableLine(expected)}, the chart leads to ${actual} (${printableLine(JSON.stringify(state))})`;
}

async function playAnew(
  parent: RunFolder,
  id: string | undefined,
  { from: turn, seed, version, simulator, set, json, untilStdinEnds }: ReplayFlags & { readonly from: number },
  terminal: Terminal,
): Promise<number> {
  if (id === undefined) throw new ConfigFault('which episode? e.g. replay s00001.t003.e05 --from 2');
  const note = (text: string): void => terminal.say(printableLine(text));
  const interruption = listenForInterruption(() => terminal.say('interrupted: ending the episode; once more to stop at once'));
  if (untilStdinEnds) void endOfStdin().then(() => process.kill(process.pid, 'SIGTERM'));
  const begun = ({ name, dir }: RunFolder): void =>
    untilStdinEnds ? terminal.out(JSON.stringify({ begun: name })) : terminal.say(`recorded in ${printableLine(dir)}`);
  try {
    const asked = { episode: id as EpisodeId, turn, seed, version };
    const forked = await createFork({ parent, set: [...simulator, ...set], signal: interruption.signal, note, begun, ...asked });
    if (json) terminal.out(JSON.stringify(summaryOf(parent, turn, forked)));
    else terminal.out(textOf(parent, turn, forked, terminal));
    return 0;
  } finally {
    interruption.end();
    if (untilStdinEnds) process.stdin.destroy();
  }
}

const summaryOf = (parent: RunFolder, turn: number, { folder, episode, seed, version, isSame }: ForkedRun) => ({
  v: 1,
  run: folder.name,
  dir: folder.dir,
  episode: episode.id,
  parent: { run: parent.name, episode: episode.id, turn },
  seed,
  version,
  outcome: episode.outcome.kind,
  reward: episode.reward,
  turns: episode.turns.length,
  same: isSame,
});

function textOf(parent: RunFolder, turn: number, { folder, group, episode, seed, version, isSame }: ForkedRun, terminal: Terminal): string {
  return [
    readingOf(transcriptOf(group, episode), terminal),
    '',
    `played anew from turn ${turn} of ${episode.id} in ${parent.name}, seed ${seed}, policy version ${version}`,
    ...(isSame ? ['it is what it was, to the last token: another --seed or --version plays it otherwise'] : []),
    `read it:    ${program} show ${episode.id} --run ${folder.dir}`,
    `look at it: ${program} view ${folder.dir}`,
  ].join('\n');
}
