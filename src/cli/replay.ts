/** `replay [episode]`: proves that the record leads to the states it says; with `--from`, plays the episode anew from one of its turns, as a small run of its own. */
import { Command, InvalidArgumentError } from 'commander';
import { ConfigFault } from '../errors.ts';
import type { EpisodeId } from '../protocol/ids.ts';
import { findFolder, type RunFolder } from '../record/folder.ts';
import { transcriptOf } from '../record/projections/transcript.ts';
import { exitCodes } from './exit.ts';
import { createFork, type ForkedRun } from './fork.ts';
import { listenForInterruption } from './interruption.ts';
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
}

function numberIn(text: string): number {
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(Number(text))) throw new InvalidArgumentError('expected a whole number from 0.');
  return Number(text);
}

const collect = (value: string, values: readonly string[]): string[] => [...values, value];

export const replayCommand = (): Command =>
  withOutput(
    new Command('replay')
      .description('prove a record by its own charts; with --from, play an episode anew from a turn')
      .argument('[episode]', 'e.g. s00001.t003.e05; without --from also a group, a step, or left out: all of the run'),
  )
    .option('--run <run>', 'a run’s folder or name', 'latest')
    .option('--dir <folder>', 'where runs lie', 'runs')
    .option('--from <turn>', 'the first turn that is played anew; those before it stay as they were', numberIn)
    .option('--seed <n>', 'of what is drawn anew; left out: the run’s own, which plays the same again', numberIn)
    .option('--version <n>', 'policy version that says the new turns; left out: the one that said the last', numberIn)
    .option('--set <key=value>', 'change one key of the config for what is played anew; may be given more than once', collect, [])
    .action((id: string | undefined, flags: ReplayFlags) =>
      carryOut(flags, (terminal) => {
        const folder = findFolder(flags.dir, flags.run);
        if (flags.from !== undefined) return playAnew(folder, id, { ...flags, from: flags.from }, terminal);
        if (flags.seed !== undefined || flags.version !== undefined || flags.set.length > 0)
          throw new ConfigFault('--seed, --version and --set are for what is played anew: say from which turn with --from');
        return prove(folder, id, flags, terminal);
      }),
    );

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
  { from: turn, seed, version, set, json }: ReplayFlags & { readonly from: number },
  terminal: Terminal,
): Promise<number> {
  if (id === undefined) throw new ConfigFault('which episode? e.g. replay s00001.t003.e05 --from 2');
  const note = (text: string): void => terminal.say(printableLine(text));
  const interruption = listenForInterruption(() => terminal.say('interrupted: ending the episode; once more to stop at once'));
  try {
    const episode = id as EpisodeId;
    const forked = await createFork({ parent, set, signal: interruption.signal, note, episode, turn, seed, version });
    if (json) terminal.out(JSON.stringify(summaryOf(parent, turn, forked)));
    else terminal.out(textOf(parent, turn, forked, terminal));
    return 0;
  } finally {
    interruption.end();
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
    `recorded in ${folder.dir}; ${program} show ${episode.id} --run ${folder.dir}`,
  ].join('\n');
}
