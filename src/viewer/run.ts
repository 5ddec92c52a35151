/** The run page: what a run was asked to do and how it goes, from its index and the small files beside its journal. Knows no group and no episode. */
import { existsSync, readFileSync } from 'node:fs';
import type { JsonObject } from '../protocol/json.ts';
import type { RunCard, RunPage } from './contract.ts';
import type { ViewerPorts } from './ports.ts';
import type { RunIndex } from './run-index.ts';

export function runPage(
  card: RunCard,
  index: RunIndex,
  { config, actors }: { readonly config: JsonObject | null; readonly actors: NonNullable<RunPage['actors']> },
  { levels }: Pick<ViewerPorts, 'levels'>,
): RunPage {
  const { folder } = index;
  return {
    ...card,
    ...(index.isWhole ? {} : { read: index.read }),
    config: config ?? {},
    metrics: rowsIn(folder.metrics),
    timings: rowsIn(folder.timings),
    evaluations: index.evaluations.map(({ when, step, result }) => ({ when, step: Number(step.slice(1)), levels: levels(result) })),
    halted: index.halted,
    aspects: index.aspects(),
    actors,
  };
}

/** Lines that are whole; one that is being written comes with the next look. */
function rowsIn(file: string): JsonObject[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as JsonObject];
      } catch {
        return [];
      }
    });
}
