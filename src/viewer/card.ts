/** One run's line in the list, from the small files beside its journal. Knows no index: listing reads no journal but its first frame. */
import { existsSync, statSync } from 'node:fs';
import { unpack } from '../protocol/codec.ts';
import type { FrameOf } from '../protocol/frame.ts';
import type { JsonObject, JsonValue } from '../protocol/json.ts';
import type { RunFolder } from '../record/folder.ts';
import { segmentFile } from '../record/inspection.ts';
import { metricsEnd, type MetricsEnd, overviewOf } from '../record/projections/overview.ts';
import { recordsOf } from '../record/segment.ts';
import type { ForkEnd, RunCard } from './contract.ts';
import { endIn } from './forked.ts';
import { kindOf } from './peek.ts';

/** Bytes of a journal that is read for its end alone. */
const shortJournal = 4 * 1024 * 1024;

/** Of a sparkline. */
const points = 60;

interface Metrics {
  /** Of the file when it was read. */
  readonly stamp: string;
  readonly end: MetricsEnd;
  readonly rewards: readonly (number | null)[];
}

interface End {
  /** Of the journal when it was read. */
  readonly size: number;
  readonly halt: FrameOf<'run.halted'>['reason'] | null;
  readonly fork: ForkEnd | null;
}

/** Remembers what does not change, and what metrics.jsonl ends with for as long as the file stays as it is. */
export class CardReader {
  readonly #files = new Map<string, Metrics>();
  readonly #beginnings = new Map<string, FrameOf<'run.started'>>();
  /** How short runs without a summary ended, by the size of their journal. */
  readonly #ends = new Map<string, End>();

  /** Throws where the folder cannot be read. `trouble`: what is known of the journal. */
  read(folder: RunFolder, trouble: string | null): RunCard {
    const { end, rewards } = this.#metricsOf(folder);
    const { run, state, steps, difficulty, meanReward, success } = overviewOf(folder, end);
    const { config, parent } = this.#beginningOf(folder) ?? {};
    return {
      run,
      state: state === 'interrupted' ? (this.#endOf(folder)?.halt ?? state) : state,
      steps,
      ofSteps: numberOf(config?.['steps']),
      difficulty,
      meanReward,
      success,
      rewards,
      ...(parent === undefined ? {} : { parent }),
      trouble,
    };
  }

  /** As the run began; null where its journal says nothing yet. */
  configOf(folder: RunFolder): JsonObject | null {
    return this.#beginningOf(folder)?.config ?? null;
  }

  #beginningOf(folder: RunFolder): FrameOf<'run.started'> | null {
    const first = segmentFile(folder.journal, 1);
    const { ino, birthtimeMs } = statSync(first, { throwIfNoEntry: false }) ?? { ino: 0, birthtimeMs: 0 };
    if (ino === 0) return null;
    const key = `${first} ${ino} ${birthtimeMs}`;
    const known = this.#beginnings.get(key);
    if (known !== undefined) return known;
    const beginning = framesOf(first, 'run.started', 2).at(0) ?? null;
    if (beginning !== null) this.#beginnings.set(key, beginning);
    return beginning;
  }

  /** Of a fork: what it was played anew from. */
  parentOf(folder: RunFolder): NonNullable<RunCard['parent']> | null {
    return this.#beginningOf(folder)?.parent ?? null;
  }

  /** How a fork's one episode ended; null while it has not, and where its journal is long. */
  forkEnd(folder: RunFolder): ForkEnd | null {
    return this.#endOf(folder)?.fork ?? null;
  }

  /** Only a run that trains leaves a summary; of others, such as forks, the journal says how they ended. It is short, or nobody looks. */
  #endOf(folder: RunFolder): End | null {
    const first = segmentFile(folder.journal, 1);
    const size = statSync(first, { throwIfNoEntry: false })?.size ?? 0;
    if (existsSync(folder.summary) || size > shortJournal) return null;
    const known = this.#ends.get(first);
    if (known?.size === size) return known;
    const parent = this.parentOf(folder);
    const sealed = parent === null ? undefined : framesOf(first, 'group.sealed').at(-1);
    const halt = framesOf(first, 'run.halted').at(-1)?.reason ?? null;
    const end: End = { size, halt, fork: parent === null || sealed === undefined ? null : endIn(sealed, parent.episode) };
    this.#ends.set(first, end);
    return end;
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

/** Those of one kind among the first `most` records of a file; it is closed again. */
function framesOf<K extends 'run.started' | 'run.halted' | 'group.sealed'>(file: string, kind: K, most = Infinity): FrameOf<K>[] {
  const found: FrameOf<K>[] = [];
  let seen = 0;
  for (const { frame } of recordsOf(file)) {
    if (kindOf(frame) === kind) found.push(unpack(frame) as FrameOf<K>);
    if (++seen >= most) break;
  }
  return found;
}

function rewardOf(line: string): number | null {
  try {
    return numberOf((JSON.parse(line) as JsonObject)['meanReward']);
  } catch {
    return null;
  }
}

const numberOf = (value: JsonValue | undefined): number | null => (typeof value === 'number' ? value : null);
