/** `show [episode]`: an episode as a readable transcript, or the episodes of a step or group to choose from. */
import { Command } from 'commander';
import { simulatorHealthOf } from '../actors/summary.ts';
import { ConfigFault } from '../errors.ts';
import { addHealth } from '../learning/health.ts';
import { unpack } from '../protocol/codec.ts';
import { RolloutGroup } from '../protocol/group.ts';
import { type GroupId, type StepId } from '../protocol/ids.ts';
import type { JsonObject, JsonValue } from '../protocol/json.ts';
import { findFolder, type RunFolder } from '../record/folder.ts';
import { episodeRows } from '../record/projections/episodes.ts';
import { healthRow } from '../record/projections/health.ts';
import { transcriptOf } from '../record/projections/transcript.ts';
import { framesFrom } from '../record/reader.ts';
import { callListing, callsOf } from './call-listing.ts';
import { filteredRows, filterHelp, filterIn } from './filtered.ts';
import { healthTable } from './health-table.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { program } from './outcome.ts';
import { printableLine } from './printable.ts';
import { readingOf } from './reading.ts';
import { table } from './table.ts';
import { tokenListing } from './token-listing.ts';

interface ShowFlags extends Flags {
  readonly run: string;
  readonly dir: string;
  readonly calls: boolean;
  readonly tokens: boolean;
  readonly filter?: string;
}

export const showCommand = (): Command =>
  withOutput(
    new Command('show')
      .description('print an episode, or list those of a step or group')
      .argument('[episode]', 'e.g. s00001.t003.e05, s00001.t003, s00001; left out: the last step'),
  )
    .addHelpText('after', () => `\nFields of a filter:\n${filterHelp()}`)
    .option('--run <run>', 'a run’s folder or name', 'latest')
    .option('--dir <folder>', 'where runs lie', 'runs')
    .option(
      '--filter <expression>',
      'list the episodes of the run, step or group that pass, e.g. \'reward<0 && tool=="refund" && text~"invoice"\'',
    )
    .option('--calls', 'list every prompt of the simulated roles as it was sent, the reply as it came, and what became of it', false)
    .option('--tokens', 'list every token with its log-prob and whether it was sampled', false)
    .action((id: string | undefined, flags: ShowFlags) =>
      carryOut(flags, (terminal) => {
        const folder = findFolder(flags.dir, flags.run);
        if (flags.filter !== undefined) {
          const passing = filteredRows(folder, filterIn(flags.filter), id);
          if (passing.length > 0)
            terminal.out(flags.json ? passing.map((row) => JSON.stringify(row)).join('\n') : episodeTable(passing, folder));
          terminal.say(`${passing.length} ${passing.length === 1 ? 'episode passes' : 'episodes pass'}`);
          return 0;
        }
        const groups = sealedGroups(folder, id);
        const group = groups[0];
        if (group === undefined)
          throw new ConfigFault(`nothing sealed is called ${printableLine(id ?? '')} in ${folder.name}; ${lastStep(folder)}`);
        const member = id === undefined ? undefined : memberOf(group, id);
        if (member === undefined) {
          const rows = groups.flatMap((one) => episodeRows(one, { transcripts: false }));
          const healthRows = groups.flatMap((one) => healthRow(one) ?? []);
          if (flags.json) terminal.out([...rows, ...healthRows].map((row) => JSON.stringify(row)).join('\n'));
          else terminal.out([episodeTable(rows, folder), ...healthTexts(groups, id === undefined ? folder : null)].join('\n\n'));
          return 0;
        }
        const episode = group.episodes.find((one) => one.member === member);
        if (episode === undefined) {
          const missing = group.missing.find((one) => one.member === member);
          throw new ConfigFault(
            missing === undefined
              ? `${group.id} has no member ${member}`
              : `${id} has no episode: ${missing.fault.kind}: ${missing.fault.message}`,
          );
        }
        const calls = flags.calls ? callsOf(folder, group.id, episode.id) : null;
        if (flags.json) terminal.out(JSON.stringify({ ...transcriptOf(group, episode), ...(calls === null ? {} : { calls }) }));
        else {
          terminal.out(readingOf(transcriptOf(group, episode), terminal));
          if (calls !== null) terminal.out(`\n${callListing(calls, terminal)}`);
        }
        if (flags.tokens) terminal.out(tokenListing(folder, episode));
        return 0;
      }),
    );

/** Of what is listed, and of the whole run where no part of it was named; nothing where code played all roles. */
function healthTexts(groups: readonly RolloutGroup[], folder: RunFolder | null): string[] {
  const parts = groups.flatMap(({ health }) => health ?? []);
  const whole = folder === null ? null : simulatorHealthOf(folder);
  return [
    ...(parts.length === 0 ? [] : [`the simulated roles of these episodes\n${healthTable(addHealth(parts))}`]),
    ...(whole === null ? [] : [`and over the run, its tasks’ writing included\n${healthTable(whole)}`]),
  ];
}

/** Undefined where the name is the group's or its step's. */
export function memberOf(group: RolloutGroup, id: string): number | undefined {
  const suffix = id.startsWith(`${group.id}.e`) ? id.slice(group.id.length + 2) : '';
  return /^\d+$/.test(suffix) ? Number(suffix) : undefined;
}

/** The groups of a step (the last one where no name is given), or the one group that the name or the episode it names belongs to. In id order; sealed again, a group replaces itself. */
export function sealedGroups(folder: RunFolder, id: string | undefined): RolloutGroup[] {
  const found = new Map<GroupId, Uint8Array>();
  let last: StepId | undefined;
  for (const { frame } of framesFrom(folder.journal)) {
    if (frame.kind !== 'group.sealed') continue;
    const { step, group } = frame.envelope;
    if (id === undefined && (last === undefined || step > last)) {
      found.clear();
      last = step;
    }
    if (step === (id ?? last) || group === id || id?.startsWith(`${group}.e`) === true) found.set(group, frame.bytes);
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, bytes]) => RolloutGroup.parse(unpack(bytes)));
}

function lastStep(folder: RunFolder): string {
  let last = '';
  for (const { frame } of framesFrom(folder.journal))
    if (frame.kind === 'group.sealed' && frame.envelope.step > last) last = frame.envelope.step;
  return last === '' ? 'no group was sealed yet' : `the last step with groups is ${last}`;
}

function episodeTable(rows: readonly JsonObject[], folder: RunFolder): string {
  const cell = (value: JsonValue | undefined): string =>
    value === null || value === undefined ? '–' : printableLine(typeof value === 'string' ? value : JSON.stringify(value));
  const listed = table(
    ['episode', 'D', 'branch', 'reward', 'outcome', 'turns', 'calls', 'sampled', 'reason'],
    rows.map((row) => [
      cell(row['episode'] ?? `${cell(row['group'])} member ${cell(row['member'])}`),
      cell(row['difficulty']),
      cell(row['branch']),
      cell(row['reward']),
      cell(row['outcome']),
      cell(row['turns']),
      cell(row['calls']),
      cell(row['sampledTokens']),
      cell(row['reason']).slice(0, 60),
    ]),
  );
  return `${listed}\n\nread one: ${program} show ${cell(rows.find((row) => row['episode'] !== null)?.['episode'])} --run ${folder.dir}`;
}
