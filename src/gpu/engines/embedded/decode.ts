/** Computes rows against the paged key-value cache, and draws tokens from them. A row's result depends on its own sequence only. */
import { uniform } from '../../../random.ts';

import { rotateHeads } from './forward.ts';
import type { Address } from './kernels.ts';
import type { Lane } from './lane.ts';
import { project } from './lane.ts';
import { PAGE_TOKENS } from './plan.ts';

/** Rows of a prompt computed at once: enough for full tiles, small enough for the second-level cache. */
const PREFILL_ROWS = 96;

export interface Prefill {
  /** Tokens not yet in the cache, the first at position `start`. */
  readonly ids: Int32Array;
  readonly start: number;
  /** Page addresses from position 0 on. */
  readonly pages: Uint32Array;
}

export interface Continuation {
  /** Logits of the prompt's last token. */
  readonly logits: Float32Array;
  /** Tokens already in the cache. */
  readonly length: number;
  readonly pages: Uint32Array;
  readonly seed: number;
  readonly stop: readonly number[];
  readonly maxTokens: number;
  /** 0 takes the most probable token. */
  readonly temperature: number;
}

export interface Sample {
  /** Drawn tokens, the stop token included. */
  readonly ids: Int32Array;
  /** Natural log-probability of each under the distribution it was drawn from, temperature included; under the model's own if greedy. */
  readonly logprobs: Float32Array;
  readonly finish: 'stop' | 'length';
}

interface Batch {
  readonly ids: Address;
  readonly positions: Address;
  /** Per row, the address of its sequence's page list. */
  readonly tables: Address;
  readonly x: Address;
  readonly normed: Address;
  readonly scales: Address;
  readonly qkv: Address;
  readonly rotated: Address;
  readonly attended: Address;
  readonly gateUp: Address;
  readonly gated: Address;
  readonly scores: Address;
  readonly logits: Address;
  readonly logprob: Address;
}

function takeBatch(lane: Lane, rows: number): Batch {
  const { arena, shape, widths } = lane;
  return {
    ids: arena.take(rows),
    positions: arena.take(rows),
    tables: arena.take(rows),
    x: arena.take(rows * shape.hidden),
    normed: arena.take(rows * shape.hidden),
    scales: arena.take(rows),
    qkv: arena.take(rows * widths.qkv),
    rotated: arena.take(rows * widths.rotated),
    attended: arena.take(rows * widths.queries),
    gateUp: arena.take(rows * 2 * shape.intermediate),
    gated: arena.take(rows * shape.intermediate),
    scores: arena.take(shape.maxPositions + 2 * PAGE_TOKENS),
    logits: arena.take(rows * shape.vocab),
    logprob: arena.take(1),
  };
}

/** Returns, per prompt, the logits of its last token. */
export function prefill(lane: Lane, prompts: readonly Prefill[]): Float32Array[] {
  const { arena, shape } = lane;
  const mark = arena.mark();
  const batch = takeBatch(lane, PREFILL_ROWS);
  const ids = arena.intView(batch.ids, PREFILL_ROWS);
  const positions = arena.intView(batch.positions, PREFILL_ROWS);
  const tables = arena.intView(batch.tables, PREFILL_ROWS);
  const logits: Float32Array[] = [];
  let rows = 0;
  let ends: number[] = [];
  const flush = (): void => {
    advance(lane, batch, rows);
    for (const row of ends) {
      computeLogits(lane, batch, row, 1);
      logits.push(arena.view(batch.logits, shape.vocab).slice());
    }
    rows = 0;
    ends = [];
  };
  for (const prompt of prompts) {
    const table = arena.ints(prompt.pages);
    for (let i = 0; i < prompt.ids.length; i++) {
      ids[rows] = prompt.ids[i] as number;
      positions[rows] = prompt.start + i;
      tables[rows] = table;
      if (i === prompt.ids.length - 1) ends.push(rows);
      if (++rows === PREFILL_ROWS) flush();
    }
  }
  if (rows > 0) flush();
  arena.release(mark);
  return logits;
}

/** Draws every continuation to its end; finished ones leave the batch. */
export function decode(lane: Lane, items: readonly Continuation[]): Sample[] {
  const { arena, shape } = lane;
  const mark = arena.mark();
  const batch = takeBatch(lane, items.length);
  const ids = arena.intView(batch.ids, items.length);
  const positions = arena.intView(batch.positions, items.length);
  const tables = arena.intView(batch.tables, items.length);
  const drawn = items.map((item) => ({
    ids: new Int32Array(item.maxTokens),
    logprobs: new Float32Array(item.maxTokens),
    length: 0,
    finish: 'length' as Sample['finish'],
  }));
  const pages = items.map((item) => arena.ints(item.pages));

  /** True if the sequence goes on. */
  const take = (index: number, logits: Address): boolean => {
    const item = items[index] as Continuation;
    const sample = drawn[index] as (typeof drawn)[number];
    const token = drawToken(lane, item, sample.length, logits, batch.logprob);
    sample.ids[sample.length] = token;
    sample.logprobs[sample.length++] = arena.view(batch.logprob, 1)[0] as number;
    if (item.stop.includes(token)) sample.finish = 'stop';
    else return sample.length < item.maxTokens;
    return false;
  };
  let live = items.flatMap((item, index) => {
    if (item.maxTokens < 1) return [];
    arena.view(batch.logits, shape.vocab).set(item.logits);
    return take(index, batch.logits) ? [index] : [];
  });
  while (live.length > 0) {
    live.forEach((index, row) => {
      const sample = drawn[index] as (typeof drawn)[number];
      ids[row] = sample.ids[sample.length - 1] as number;
      positions[row] = (items[index] as Continuation).length + sample.length - 1;
      tables[row] = pages[index] as Address;
    });
    advance(lane, batch, live.length);
    computeLogits(lane, batch, 0, live.length);
    live = live.filter((index, row) => take(index, batch.logits + row * shape.vocab * 4));
  }
  arena.release(mark);
  return drawn.map((sample) => ({
    ids: sample.ids.slice(0, sample.length),
    logprobs: sample.logprobs.slice(0, sample.length),
    finish: sample.finish,
  }));
}

/** The k-th token of a sample uses the k-th draw of its own stream. */
function drawToken(lane: Lane, item: Continuation, k: number, logits: Address, logprob: Address): number {
  const { kernels, shape } = lane;
  if (item.temperature === 0) return kernels.drawGreedy(shape.vocab, logits, logprob);
  return kernels.draw(shape.vocab, logits, 1 / item.temperature, uniform(item.seed, k), logprob);
}

/** Leaves the last layer's output of `rows` rows in x; their keys and values go to the cache. */
function advance(lane: Lane, b: Batch, rows: number): void {
  const { kernels, plan, shape, table, widths } = lane;
  const { hidden, intermediate, heads, kvHeads, headDim, eps } = shape;
  const layerBytes = kvHeads * headDim * PAGE_TOKENS * 8;
  kernels.gather(rows, hidden, b.ids, plan.weights + table.embedding * 4, b.x);
  table.layers.forEach((at, index) => {
    const weight = (offset: number): Address => plan.weights + offset * 4;
    kernels.normalise(rows, hidden, b.x, weight(at.attentionNorm), eps, b.normed, b.scales);
    project(lane, rows, widths.qkv, hidden, b.normed, at.qkv, b.qkv, false);
    rotateHeads(lane, rows, b.qkv, weight(at.queryNorm), weight(at.keyNorm), b.positions, b.rotated);
    const key = b.rotated + widths.queries * 4;
    const value = b.qkv + widths.rotated * 4;
    const layer = index * layerBytes;
    kernels.remember(rows, kvHeads, headDim, key, widths.rotated, value, widths.qkv, b.positions, b.tables, layer);
    kernels.attendPaged(
      rows,
      heads,
      heads / kvHeads,
      headDim,
      b.rotated,
      widths.rotated,
      b.positions,
      b.tables,
      layer,
      headDim ** -0.5,
      b.scores,
      b.attended,
      widths.queries,
    );
    project(lane, rows, hidden, widths.queries, b.attended, at.output, b.x, true);
    kernels.normalise(rows, hidden, b.x, weight(at.mlpNorm), eps, b.normed, b.scales);
    project(lane, rows, 2 * intermediate, hidden, b.normed, at.gateUp, b.gateUp, false);
    kernels.swiglu(rows, intermediate, b.gateUp, b.gated);
    project(lane, rows, hidden, intermediate, b.gated, at.down, b.x, true);
  });
}

function computeLogits(lane: Lane, b: Batch, first: number, rows: number): void {
  const { kernels, plan, shape, table } = lane;
  kernels.normalise(rows, shape.hidden, b.x + first * shape.hidden * 4, plan.weights + table.norm * 4, shape.eps, b.normed, b.scales);
  project(lane, rows, shape.vocab, shape.hidden, b.normed, table.head, b.logits, false);
}
