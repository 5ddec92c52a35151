/**
 * From token samples to packed rows: no padding, a group's common prefix computed once, nothing behind the last sampled token. Knows neither weights nor losses.
 *
 * Targets come out in the order of the samples and of their tokens, so arrays made per sampled token of the batch fit them one to one.
 * The cut into shards depends on the batch alone, never on threads: it fixes the order in which gradients are summed.
 */
import type { TokenBatch, TokenSample } from '../../../learning/batch.ts';
import type { PackedRows, Segment, Span } from '../../engines/embedded/packed-rows.ts';

/** A batch as the trainer's thread needs it; every array is its own, so that it can be transferred. */
export interface PackedBatch {
  readonly shards: readonly PackedRows[];
  /** Per shard, where each sample's targets end: bounds[0] = 0, as learning/objective.ts wants them. */
  readonly bounds: readonly Int32Array[];
  /** One per target of all shards, in order. */
  readonly behaviour: Float32Array;
  readonly advantages: Float32Array;
  readonly proximal: Float32Array | undefined;
  readonly denominator: number;
}

/** Neighbouring samples of one group with the ids they share. */
interface Family {
  readonly samples: readonly TokenSample[];
  /** Rows all of them begin with. */
  readonly shared: number;
  readonly rows: number;
}

/** Shards come in multiples of this, so that the work divides over threads and accumulators alike. */
const SHARDS = 4;

/** `maxRows`: rows a shard should not exceed; one sample that is longer makes a longer shard. */
export function packBatch(batch: TokenBatch, maxRows: number): PackedBatch {
  const samples = batch.samples.filter((sample) => rowsOf(sample) > 0);
  const shards = cut(families(samples), maxRows).map(packShard);
  const places = samples.flatMap((sample) => sampledPlaces(sample).map((i) => ({ sample, i })));
  return {
    shards: shards.map((shard) => shard.rows),
    bounds: shards.map((shard) => shard.bounds),
    behaviour: Float32Array.from(places, ({ sample, i }) => sample.logprobs[i] as number),
    advantages: Float32Array.from(places, ({ sample }) => sample.advantage),
    proximal: samples.some((sample) => sample.proximal !== undefined)
      ? Float32Array.from(places, ({ sample, i }) => proximalAt(sample, i))
      : undefined,
    denominator: batch.denominator,
  };
}

/** Every buffer of the batch, each once. */
export function buffersOf(batch: PackedBatch): ArrayBuffer[] {
  const lists = [
    batch.behaviour,
    batch.advantages,
    batch.proximal,
    ...batch.bounds,
    ...batch.shards.flatMap(({ ids, positions, targets }) => [ids, positions, targets.rows, targets.ids]),
  ];
  return lists.flatMap((list) => (list === undefined ? [] : [list.buffer as ArrayBuffer]));
}

/** Rows the model must compute: up to the one that predicts the last sampled token. */
const rowsOf = (sample: TokenSample): number => Math.max(0, sample.sampled.lastIndexOf(1));

const sampledPlaces = (sample: TokenSample): number[] => [...sample.sampled.keys()].filter((i) => sample.sampled[i] === 1);

function proximalAt(sample: TokenSample, i: number): number {
  if (sample.proximal === undefined) throw new RangeError('some samples have proximal log-probs and others have none');
  return sample.proximal[i] as number;
}

function families(samples: readonly TokenSample[]): Family[] {
  const runs: TokenSample[][] = [];
  for (const sample of samples) {
    const last = runs.at(-1);
    if (last?.[0]?.group === sample.group) last.push(sample);
    else runs.push([sample]);
  }
  return runs.map(familyOf);
}

function familyOf(samples: readonly TokenSample[]): Family {
  const shared = samples.length > 1 ? commonPrefix(samples) : 0;
  return { samples, shared, rows: shared + samples.reduce((sum, sample) => sum + rowsOf(sample) - shared, 0) };
}

function commonPrefix(samples: readonly TokenSample[]): number {
  const [first, ...rest] = samples as [TokenSample, ...TokenSample[]];
  let shared = Math.min(...samples.map(rowsOf));
  for (const sample of rest) {
    let same = 0;
    while (same < shared && sample.ids[same] === first.ids[same]) same++;
    shared = same;
  }
  return shared;
}

/** Consecutive families, as many shards as keep each near the same size and under `maxRows`. A family that is too large alone is split, and its prefix computed again. */
function cut(whole: readonly Family[], maxRows: number): Family[][] {
  const parts = whole.flatMap((family) => split(family, maxRows));
  const total = parts.reduce((sum, family) => sum + family.rows, 0);
  const count = SHARDS * Math.ceil(total / maxRows / SHARDS);
  const shards: Family[][] = [];
  let filled = 0;
  for (const family of parts) {
    // The shard that the middle of this family falls into, were all shards equally long.
    const wanted = Math.min(count - 1, Math.floor(((filled + family.rows / 2) * count) / total));
    const open = shards.at(-1);
    const full = open !== undefined && open.reduce((sum, one) => sum + one.rows, 0) + family.rows > maxRows;
    if (open === undefined || full || wanted >= shards.length) shards.push([family]);
    else open.push(family);
    filled += family.rows;
  }
  return shards;
}

function split(family: Family, maxRows: number): Family[] {
  if (family.rows <= maxRows || family.samples.length === 1) return [family];
  const half = Math.ceil(family.samples.length / 2);
  return [family.samples.slice(0, half), family.samples.slice(half)].flatMap((samples) => split(familyOf(samples), maxRows));
}

function packShard(shard: readonly Family[]): { rows: PackedRows; bounds: Int32Array } {
  const ids: number[] = [];
  const positions: number[] = [];
  const segments: Segment[] = [];
  const rows: number[] = [];
  const next: number[] = [];
  const bounds = [0];
  const append = (sample: TokenSample, from: number, to: number, prefix?: Span): number => {
    const start = ids.length;
    if (to > from) segments.push({ start, length: to - from, ...(prefix === undefined ? {} : { prefix }) });
    for (let i = from; i < to; i++) {
      ids.push(sample.ids[i] as number);
      positions.push(i);
    }
    return start;
  };
  for (const { samples, shared } of shard) {
    const prefix = shared > 0 ? { start: append(samples[0] as TokenSample, 0, shared), length: shared } : undefined;
    for (const sample of samples) {
      const start = append(sample, shared, rowsOf(sample), prefix);
      for (const i of sampledPlaces(sample)) {
        const row = i - 1;
        rows.push(row < shared ? (prefix?.start ?? 0) + row : start + row - shared);
        next.push(sample.ids[i] as number);
      }
      bounds.push(next.length);
    }
  }
  const targets = { rows: Int32Array.from(rows), ids: Int32Array.from(next) };
  return { rows: { ids: Int32Array.from(ids), positions: Int32Array.from(positions), segments, targets }, bounds: Int32Array.from(bounds) };
}
