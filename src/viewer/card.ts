/** One run's line in the list, from the small files beside its journal. Knows no index: listing reads no journal but its first frame. */
import { statSync } from 'node:fs';
import { unpack } from '../protocol/codec.ts';
import type { JsonObject, JsonValue } from '../protocol/json.ts';
import type { RunFolder } from '../record/folder.ts';
import { segmentFile } from '../record/inspection.ts';
import { metricsEnd, type MetricsEnd, overviewOf } from '../record/projections/overview.ts';
import { recordsOf } from '../record/segment.ts';
import type { RunCard } from './contract.ts';
import { kindOf } from './peek.ts';

/** Of a sparkline. */
const points = 60;

interface Metrics {
  /** Of the file when it was read. */
  readonly stamp: string;
  readonly end: MetricsEnd;
  readonly rewards: readonly (number | null)[];
}

/** Remembers what does not change, and what metrics.jsonl ends with for as long as the file stays as it is. */
export class CardReader {
  readonly #files = new Map<string, Metrics>();
  readonly #configs = new Map<string, JsonObject>();

  /** Throws where the folder cannot be read. `trouble`: what is known of the journal. */
  read(folder: RunFolder, trouble: string | null): RunCard {
    const { end, rewards } = this.#metricsOf(folder);
    const { run, state, steps, difficulty, meanReward, success } = overviewOf(folder, end);
    const ofSteps = this.configOf(folder)?.['steps'];
    return { run, state, steps, ofSteps: numberOf(ofSteps), difficulty, meanReward, success, rewards, trouble };
  }

  /** As the run began; null where its journal says nothing yet. */
  configOf(folder: RunFolder): JsonObject | null {
    const first = segmentFile(folder.journal, 1);
    const { ino, birthtimeMs } = statSync(first, { throwIfNoEntry: false }) ?? { ino: 0, birthtimeMs: 0 };
    if (ino === 0) return null;
    const key = `${first} ${ino} ${birthtimeMs}`;
    const known = this.#configs.get(key);
    if (known !== undefined) return known;
    const config = firstConfig(first);
    if (config !== null) this.#configs.set(key, config);
    return config;
  }

  #metricsOf(folder: RunFolder): Metrics {
    const stat = statSync(folder.metrics, { throwIfNoEntry: false });
    const stamp = stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
    const known = this.#files.get(folder.dir);
    if (known?.stamp === stamp) return known;
    const end = metricsEnd(folder, points);
    const found = { stamp, end: { ...end, last: end.last.slice(-1) }, rewards: end.last.map(rewardOf) };
    this.#files.set(folder.dir, found);
    return found;
  }
}

/** A run's first frame says how it began. */
function firstConfig(file: string): JsonObject | null {
  const records = recordsOf(file);
  try {
    for (let record = records.next(); record.done !== true; record = records.next()) {
      const kind = kindOf(record.value.frame);
      if (kind === 'run.started') return (unpack(record.value.frame) as { config: JsonObject }).config;
      if (kind !== 'segment') return null;
    }
    return null;
  } finally {
    // Closes the file.
    records.return({ offset: 0, damage: null });
  }
}

function rewardOf(line: string): number | null {
  try {
    return numberOf((JSON.parse(line) as JsonObject)['meanReward']);
  } catch {
    return null;
  }
}

const numberOf = (value: JsonValue | undefined): number | null => (typeof value === 'number' ? value : null);
