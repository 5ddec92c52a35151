/**
 * episodes.jsonl and metrics.jsonl as they grow: rows are written when their step is committed, groups in id order, so that equal runs have equal files whoever was quicker.
 * Knows which frames count; the rows themselves are projections/.
 */
import { appendFileSync, closeSync, existsSync, ftruncateSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { boundarySync, RecordFault } from '../errors.ts';
import { unpack } from '../protocol/codec.ts';
import type { Frame, FrameOf } from '../protocol/frame.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import type { GroupId, StepId } from '../protocol/ids.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { RunFolder } from './folder.ts';
import { episodeRows } from './projections/episodes.ts';
import { metricsRow } from './projections/metrics.ts';

/** Bytes of both files after a step. */
interface Extent {
  readonly step: StepId;
  readonly episodes: number;
  readonly metrics: number;
}

export class Exports {
  readonly #folder: RunFolder;
  readonly #transcripts: boolean;
  /** Sealed and not yet committed, packed. */
  readonly #sealed = new Map<GroupId, { readonly step: StepId; readonly bytes: Uint8Array }>();
  #extents: Extent[] = [];

  /** Begins with empty files: whoever resumes feeds the whole journal first. */
  constructor(folder: RunFolder, { transcripts }: { readonly transcripts: boolean }) {
    this.#folder = folder;
    this.#transcripts = transcripts;
    boundarySync(RecordFault, `cannot write in ${folder.dir}`, () => {
      for (const file of [folder.episodes, folder.metrics]) writeFileSync(file, '');
    });
  }

  /** Takes every frame, in the journal's order. Throws RecordFault where a file cannot be written. */
  feed(frame: Frame): void {
    if (frame.kind === 'group.sealed') this.#sealed.set(frame.envelope.group, { step: frame.envelope.step, bytes: frame.bytes });
    else if (frame.kind === 'step.committed') this.#commit(frame);
    else if (frame.kind === 'run.resumed') this.#takeBack(frame.after);
  }

  #commit(frame: FrameOf<'step.committed'>): void {
    const { step } = frame.committed;
    const groups = [...this.#sealed].filter(([, sealed]) => sealed.step === step).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const rows = groups.flatMap(([, { bytes }]) => episodeRows(unpack(bytes) as RolloutGroup, { transcripts: this.#transcripts }));
    append(this.#folder.episodes, rows);
    append(this.#folder.metrics, [metricsRow(frame)]);
    // Earlier steps' groups too: what was sealed after its step's commit is late and counts nowhere.
    for (const [group, sealed] of this.#sealed) if (sealed.step <= step) this.#sealed.delete(group);
    this.#extents.push({ step, episodes: statSync(this.#folder.episodes).size, metrics: statSync(this.#folder.metrics).size });
  }

  /** Steps after `after` will be done again. Their groups come again too, or are fed from the journal by whoever reuses them. */
  #takeBack(after: StepId | null): void {
    this.#extents = this.#extents.filter((extent) => after !== null && extent.step <= after);
    const last = this.#extents.at(-1);
    cutTo(this.#folder.episodes, last?.episodes ?? 0);
    cutTo(this.#folder.metrics, last?.metrics ?? 0);
  }
}

/** One line of timings.jsonl: wall times, which no other export may hold. */
export const appendTiming = (folder: RunFolder, row: JsonObject): void => append(folder.timings, [row]);

function append(file: string, rows: readonly JsonObject[]): void {
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  boundarySync(RecordFault, `cannot write ${file}`, () => {
    appendFileSync(file, text);
  });
}

function cutTo(file: string, size: number): void {
  if (!existsSync(file)) return;
  boundarySync(RecordFault, `cannot write ${file}`, () => {
    if (size === 0) rmSync(file);
    const fd = openSync(file, 'a');
    ftruncateSync(fd, size);
    closeSync(fd);
  });
}
