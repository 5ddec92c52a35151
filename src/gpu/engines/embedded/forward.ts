/** One pass from tokens to log-probabilities over packed rows. It keeps in the lane's arena what `backward.ts` needs. */
import type { Address } from './kernels.ts';
import type { Lane } from './lane.ts';
import { project } from './lane.ts';
import type { PackedRows, Segment } from './packed-rows.ts';

export interface Scores {
  /** Natural logarithm at temperature 1, one per target. */
  readonly logprobs: Float32Array;
  /** In nats, one per target. */
  readonly entropy: Float32Array;
}

/** Activations of one layer, [rows, width] each. */
export interface LayerTrace {
  readonly input: Address;
  readonly attentionNormed: Address;
  readonly attentionScales: Address;
  readonly qkv: Address;
  readonly rotated: Address;
  /** Per segment and query head: [rows of the segment, `probabilityStride`]. */
  readonly probabilities: readonly (readonly Address[])[];
  readonly attended: Address;
  readonly middle: Address;
  readonly mlpNormed: Address;
  readonly mlpScales: Address;
  readonly gateUp: Address;
  readonly gated: Address;
}

export interface Trace {
  readonly rows: number;
  readonly ids: Address;
  readonly positions: Address;
  readonly segments: readonly Segment[];
  readonly layers: readonly LayerTrace[];
  readonly targets: number;
  readonly targetRows: Address;
  readonly targetIds: Address;
  /** [targets, hidden]: the last layer's output where a target is predicted, before and after the final norm. */
  readonly last: Address;
  readonly lastNormed: Address;
  readonly lastScales: Address;
  /** [targets, vocab] */
  readonly probabilities: Address;
}

/** Keys of a segment rounded up to a panel, and one more panel that `attend` clears. */
export const probabilityStride = (keys: number): number => ((keys + 7) & ~7) + 8;

export function forward(lane: Lane, packed: PackedRows): { readonly trace: Trace; readonly scores: Scores } {
  const { kernels, arena, plan, shape, table } = lane;
  const { hidden } = shape;
  const rows = packed.ids.length;
  const ids = arena.ints(packed.ids);
  const positions = arena.ints(packed.positions);
  let x = arena.take(rows * hidden);
  kernels.gather(rows, hidden, ids, plan.weights + table.embedding * 4, x);
  const layers: LayerTrace[] = [];
  for (let index = 0; index < shape.layers; index++) {
    const layer = forwardLayer(lane, index, rows, positions, packed.segments, x);
    layers.push(layer.trace);
    x = layer.output;
  }
  const targets = packed.targets.ids.length;
  const targetRows = arena.ints(packed.targets.rows);
  const targetIds = arena.ints(packed.targets.ids);
  const last = arena.take(targets * hidden);
  const lastNormed = arena.take(targets * hidden);
  const lastScales = arena.take(targets);
  const probabilities = arena.take(targets * shape.vocab);
  const logprobs = arena.take(targets);
  const entropy = arena.take(targets);
  kernels.gather(targets, hidden, targetRows, x, last);
  kernels.normalise(targets, hidden, last, plan.weights + table.norm * 4, shape.eps, lastNormed, lastScales);
  project(lane, targets, shape.vocab, hidden, lastNormed, table.head, probabilities, false);
  kernels.score(targets, shape.vocab, probabilities, targetIds, logprobs, entropy);
  return {
    trace: {
      rows,
      ids,
      positions,
      segments: packed.segments,
      layers,
      targets,
      targetRows,
      targetIds,
      last,
      lastNormed,
      lastScales,
      probabilities,
    },
    scores: { logprobs: arena.view(logprobs, targets).slice(), entropy: arena.view(entropy, targets).slice() },
  };
}

function forwardLayer(
  lane: Lane,
  index: number,
  rows: number,
  positions: Address,
  segments: readonly Segment[],
  input: Address,
): { readonly trace: LayerTrace; readonly output: Address } {
  const { kernels, arena, plan, shape, widths } = lane;
  const { hidden, intermediate } = shape;
  const at = lane.table.layers[index] as (typeof lane.table.layers)[number];
  const weight = (offset: number): Address => plan.weights + offset * 4;

  const attentionNormed = arena.take(rows * hidden);
  const attentionScales = arena.take(rows);
  const qkv = arena.take(rows * widths.qkv);
  const rotated = arena.take(rows * widths.rotated);
  const attended = arena.take(rows * widths.queries);
  kernels.normalise(rows, hidden, input, weight(at.attentionNorm), shape.eps, attentionNormed, attentionScales);
  project(lane, rows, widths.qkv, hidden, attentionNormed, at.qkv, qkv, false);
  rotateHeads(lane, rows, qkv, weight(at.queryNorm), weight(at.keyNorm), positions, rotated);
  const probabilities = segments.map((segment) => attendSegment(lane, segment, qkv, rotated, attended));
  const middle = arena.take(rows * hidden);
  kernels.copy(rows * hidden, input, middle);
  project(lane, rows, hidden, widths.queries, attended, at.output, middle, true);

  const mlpNormed = arena.take(rows * hidden);
  const mlpScales = arena.take(rows);
  const gateUp = arena.take(rows * 2 * intermediate);
  const gated = arena.take(rows * intermediate);
  kernels.normalise(rows, hidden, middle, weight(at.mlpNorm), shape.eps, mlpNormed, mlpScales);
  project(lane, rows, 2 * intermediate, hidden, mlpNormed, at.gateUp, gateUp, false);
  kernels.swiglu(rows, intermediate, gateUp, gated);
  const output = arena.take(rows * hidden);
  kernels.copy(rows * hidden, middle, output);
  project(lane, rows, hidden, intermediate, gated, at.down, output, true);
  return {
    trace: { input, attentionNormed, attentionScales, qkv, rotated, probabilities, attended, middle, mlpNormed, mlpScales, gateUp, gated },
    output,
  };
}

/** rotated[rows, queries + keys] from the first columns of qkv. */
export function rotateHeads(
  lane: Lane,
  rows: number,
  qkv: Address,
  queryNorm: Address,
  keyNorm: Address,
  positions: Address,
  rotated: Address,
): void {
  const { kernels, plan, shape, widths } = lane;
  const { heads, kvHeads, headDim, eps } = shape;
  kernels.rotate(rows, heads, headDim, qkv, widths.qkv, queryNorm, eps, positions, plan.cos, plan.sin, rotated, widths.rotated);
  const skip = widths.queries * 4;
  kernels.rotate(
    rows,
    kvHeads,
    headDim,
    qkv + skip,
    widths.qkv,
    keyNorm,
    eps,
    positions,
    plan.cos,
    plan.sin,
    rotated + skip,
    widths.rotated,
  );
}

/** Returns the probabilities of each query head. */
function attendSegment(lane: Lane, segment: Segment, qkv: Address, rotated: Address, attended: Address): readonly Address[] {
  const { kernels, arena, shape, widths } = lane;
  const { heads, kvHeads, headDim } = shape;
  const { start, length } = segment;
  const before = segment.prefix?.length ?? 0;
  const keys = before + length;
  const stride = probabilityStride(keys);
  const probabilities = Array.from({ length: heads }, () => arena.take(length * stride));
  const mark = arena.mark();
  const keyPanels = arena.take(((keys + 7) & ~7) * headDim);
  const valuePanels = arena.take(keys * headDim);
  const spans = segment.prefix ? [segment.prefix, segment] : [segment];
  for (let kv = 0; kv < kvHeads; kv++) {
    let at = 0;
    for (const span of spans) {
      const key = rotated + (span.start * widths.rotated + widths.queries + kv * headDim) * 4;
      const value = qkv + (span.start * widths.qkv + widths.rotated + kv * headDim) * 4;
      kernels.packKeys(span.length, at, headDim, key, widths.rotated, keyPanels);
      kernels.packValues(span.length, at, keys, headDim, value, widths.qkv, valuePanels);
      at += span.length;
    }
    for (let head = (kv * heads) / kvHeads; head < ((kv + 1) * heads) / kvHeads; head++) {
      const query = rotated + (start * widths.rotated + head * headDim) * 4;
      const out = attended + (start * widths.queries + head * headDim) * 4;
      const p = probabilities[head] as Address;
      kernels.attend(
        length,
        before,
        headDim,
        query,
        widths.rotated,
        keyPanels,
        valuePanels,
        headDim ** -0.5,
        p,
        stride,
        out,
        widths.queries,
      );
    }
  }
  arena.release(mark);
  return probabilities;
}
