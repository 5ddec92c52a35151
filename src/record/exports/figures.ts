/** The figures of a run's steps as exports take them, from the small files beside its journal: each step's numbers, and when it ended. Knows rows; what is in them is scalars.ts's. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { boundarySync, RecordFault } from '../../errors.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { RunFolder } from '../folder.ts';
import { scalarsOf, type StepScalars } from './scalars.ts';
import type { TimedScalars } from './tfevents.ts';

/** Of all committed steps. Throws RecordFault where they cannot be read. */
export const figuresOf = ({ metrics }: RunFolder): StepScalars[] => rowsIn(metrics).map(scalarsOf);

/** Each step at the time it ended, as far as the run's timings tell: a record itself holds no times. Throws RecordFault likewise. */
export function timedFiguresOf(folder: RunFolder): { readonly start: number; readonly steps: readonly TimedScalars[] } {
  const start = boundarySync(RecordFault, `cannot read ${folder.journal}`, () => statSync(folder.journal)).birthtimeMs / 1000;
  const took = new Map(
    rowsIn(folder.timings).map((row) => [
      scalarsOf(row).step,
      Object.entries(row).reduce((sum, [name, value]) => (name.endsWith('Ms') && typeof value === 'number' ? sum + value : sum), 0) / 1000,
    ]),
  );
  let wallTime = start;
  const steps = figuresOf(folder).map((figures) => {
    wallTime += took.get(figures.step) ?? 0;
    return { ...figures, wallTime };
  });
  return { start, steps };
}

/** One name a run: exported again, it replaces itself, where a second file would draw everything twice. */
export const eventFileName = (start: number): string => `events.out.tfevents.${Math.floor(start)}.troupe`;

/** A last line that is being written is left out. */
function rowsIn(file: string): JsonObject[] {
  if (!existsSync(file)) return [];
  const lines = boundarySync(RecordFault, `cannot read ${file}`, () => readFileSync(file, 'utf8')).split('\n');
  return boundarySync(RecordFault, file, () =>
    lines
      .slice(0, -1)
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as JsonObject),
  );
}
