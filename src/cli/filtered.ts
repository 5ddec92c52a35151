/** The episodes of a run that pass a filter, a line each. Reads the journal once and keeps rows, never what was said. */
import { ConfigFault } from '../errors.ts';
import { unpack } from '../protocol/codec.ts';
import { RolloutGroup } from '../protocol/group.ts';
import type { JsonObject } from '../protocol/json.ts';
import { fieldNames, fields } from '../record/filter-fields.ts';
import { type Filter, filterOf, folded } from '../record/filter.ts';
import type { RunFolder } from '../record/folder.ts';
import { episodeRows } from '../record/projections/episodes.ts';
import { type Band, bandOf } from '../record/projections/fates.ts';
import { saidIn } from '../record/projections/said.ts';
import { framesFrom } from '../record/reader.ts';
import { rowsOf } from '../viewer/rows.ts';
import { printable, printableLine } from './printable.ts';

/** Throws ConfigFault that shows where the text is wrong. */
export function filterIn(text: string): Filter {
  const read = filterOf(text);
  if (read.kind === 'filter') return read;
  // Space by space, so that the mark stands under its place.
  const shown = (part: string): string => printable(part).replaceAll(/\s/gu, ' ');
  const [before, wrong, after] = [shown(text.slice(0, read.at)), shown(text.slice(read.at, read.end)), shown(text.slice(read.end))];
  const mark = ' '.repeat(before.length) + '^'.repeat(Math.max(1, wrong.length));
  throw new ConfigFault(`the filter cannot be read: ${read.message}\n  ${before}${wrong}${after}\n  ${mark}`);
}

/** The language, for a command's help. */
export function filterHelp(): string {
  const width = Math.max(...fieldNames.map((name) => fields[name].example.length));
  const lines = fieldNames.map((name) => `  ${fields[name].example.padEnd(width)}  ${name}: ${fields[name].what}`);
  return [...lines, '  Compare with == != < <= > >= and ~ (contains, whatever the case); join with && || ! and ( ).'].join('\n');
}

/** Rows as episodes.jsonl has them, in id order, of the whole run or of one step or group of it; sealed again, a group replaces itself. */
export function filteredRows(folder: RunFolder, filter: Filter, within: string | undefined): JsonObject[] {
  const found = new Map<string, JsonObject[]>();
  let band: Band | null = null;
  for (const { frame } of framesFrom(folder.journal)) {
    if (frame.kind === 'run.started') band = bandOf(frame.config);
    if (frame.kind !== 'group.sealed') continue;
    const { step, group } = frame.envelope;
    if (within !== undefined && within !== step && within !== group) continue;
    found.set(group, passingOf(RolloutGroup.parse(unpack(frame.bytes)), filter, band));
  }
  if (within !== undefined && found.size === 0)
    throw new ConfigFault(
      `no step or group is called ${printableLine(within)} in ${folder.name}; leave it out to look through the whole run`,
    );
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, rows]) => rows);
}

function passingOf(group: RolloutGroup, filter: Filter, band: Band | null): JsonObject[] {
  const passing = new Set(
    rowsOf(group, band).flatMap((row) => {
      const known = filter.matches(row);
      if (known !== null) return known ? [row.member] : [];
      const episode = group.episodes.find(({ member }) => member === row.member);
      return filter.matchesSaid(row, episode === undefined ? '' : folded(saidIn(episode))) ? [row.member] : [];
    }),
  );
  return episodeRows(group, { transcripts: false }).filter((row) => passing.has(row['member'] as number));
}
