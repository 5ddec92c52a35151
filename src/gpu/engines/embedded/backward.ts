/** The way back: adds the gradient of one pass to a gradient region, layer by layer in reverse. Overwrites the trace's probabilities. */
import type { LayerTrace, Trace } from './forward.ts';
import { probabilityStride } from './forward.ts';
import type { Address } from './kernels.ts';
import type { Lane } from './lane.ts';
import { projectBackward } from './lane.ts';
import type { Segment } from './packed-rows.ts';

/** `dlogprobs[i]` is dLoss/dlogprob of target i. */
export function backward(lane: Lane, trace: Trace, dlogprobs: Float32Array, gradients: Address): void {
  const { kernels, arena, plan, shape, table } = lane;
  const { rows, targets, targetIds } = trace;
  const { hidden, vocab } = shape;
  const mark = arena.mark();
  const dx = arena.take(rows * hidden);
  kernels.clear(rows * hidden, dx);
  const dnormed = arena.take(targets * hidden);
  const dlast = arena.take(targets * hidden);
  kernels.clear(targets * hidden, dlast);
  kernels.scoreBackward(targets, vocab, trace.probabilities, targetIds, arena.floats(dlogprobs));
  projectBackward(lane, targets, vocab, hidden, trace.lastNormed, trace.probabilities, table.head, gradients, dnormed);
  const norm = table.norm * 4;
  kernels.normaliseBackward(targets, hidden, trace.last, plan.weights + norm, trace.lastScales, dnormed, dlast, gradients + norm);
  kernels.scatterAdd(targets, hidden, trace.targetRows, dlast, dx);
  const scratch = takeScratch(lane, rows);
  for (let index = shape.layers - 1; index >= 0; index--) {
    backwardLayer(lane, index, trace, trace.layers[index] as LayerTrace, scratch, dx, gradients);
  }
  kernels.scatterAdd(rows, hidden, trace.ids, dx, gradients + table.embedding * 4);
  arena.release(mark);
}

/** Gradients of one layer's activations, reused by every layer. */
type Scratch = ReturnType<typeof takeScratch>;

function takeScratch(lane: Lane, rows: number) {
  const { arena, shape, widths } = lane;
  return {
    gated: arena.take(rows * shape.intermediate),
    gateUp: arena.take(rows * 2 * shape.intermediate),
    normed: arena.take(rows * shape.hidden),
    attended: arena.take(rows * widths.queries),
    qkv: arena.take(rows * widths.qkv),
  };
}

/** dx enters as the gradient of the layer's output and leaves as that of its input. */
function backwardLayer(lane: Lane, index: number, trace: Trace, layer: LayerTrace, d: Scratch, dx: Address, gradients: Address): void {
  const { kernels, plan, shape, widths } = lane;
  const { hidden, intermediate, heads, kvHeads, headDim, eps } = shape;
  const { rows, positions } = trace;
  const at = lane.table.layers[index] as (typeof lane.table.layers)[number];
  const weight = (offset: number): Address => plan.weights + offset * 4;
  const gradient = (offset: number): Address => gradients + offset * 4;

  projectBackward(lane, rows, hidden, intermediate, layer.gated, dx, at.down, gradients, d.gated);
  kernels.swigluBackward(rows, intermediate, layer.gateUp, d.gated, d.gateUp);
  projectBackward(lane, rows, 2 * intermediate, hidden, layer.mlpNormed, d.gateUp, at.gateUp, gradients, d.normed);
  kernels.normaliseBackward(rows, hidden, layer.middle, weight(at.mlpNorm), layer.mlpScales, d.normed, dx, gradient(at.mlpNorm));

  projectBackward(lane, rows, hidden, widths.queries, layer.attended, dx, at.output, gradients, d.attended);
  kernels.clear(rows * widths.qkv, d.qkv);
  trace.segments.forEach((segment, s) => attendSegmentBackward(lane, segment, layer, s, d));
  const skip = widths.queries * 4;
  kernels.rotateBackward(
    rows,
    heads,
    headDim,
    layer.qkv,
    widths.qkv,
    weight(at.queryNorm),
    eps,
    positions,
    plan.cos,
    plan.sin,
    d.qkv,
    widths.qkv,
    gradient(at.queryNorm),
  );
  kernels.rotateBackward(
    rows,
    kvHeads,
    headDim,
    layer.qkv + skip,
    widths.qkv,
    weight(at.keyNorm),
    eps,
    positions,
    plan.cos,
    plan.sin,
    d.qkv + skip,
    widths.qkv,
    gradient(at.keyNorm),
  );
  projectBackward(lane, rows, widths.qkv, hidden, layer.attentionNormed, d.qkv, at.qkv, gradients, d.normed);
  kernels.normaliseBackward(
    rows,
    hidden,
    layer.input,
    weight(at.attentionNorm),
    layer.attentionScales,
    d.normed,
    dx,
    gradient(at.attentionNorm),
  );
}

/** Fills the segment's queries in d.qkv (still rotated) and adds to the keys and values it attended to, its prefix's among them. */
function attendSegmentBackward(lane: Lane, segment: Segment, layer: LayerTrace, index: number, d: Scratch): void {
  const { kernels, arena, shape, widths } = lane;
  const { heads, kvHeads, headDim } = shape;
  const { start, length } = segment;
  const before = segment.prefix?.length ?? 0;
  const keys = before + length;
  const stride = probabilityStride(keys);
  const mark = arena.mark();
  const keyRows = arena.take(keys * headDim);
  const valueKeys = arena.take(((keys + 7) & ~7) * headDim);
  const queryRows = arena.take(length * headDim);
  const gradientRows = arena.take(length * headDim);
  const ds = arena.take(length * stride);
  const dk = arena.take(2 * keys * headDim);
  const dv = dk + keys * headDim * 4;
  const spans = segment.prefix ? [segment.prefix, segment] : [segment];
  for (let kv = 0; kv < kvHeads; kv++) {
    const keyColumn = widths.queries + kv * headDim;
    const valueColumn = widths.rotated + kv * headDim;
    let at = 0;
    for (const span of spans) {
      const key = layer.rotated + (span.start * widths.rotated + keyColumn) * 4;
      const value = layer.qkv + (span.start * widths.qkv + valueColumn) * 4;
      kernels.packValues(span.length, at, keys, headDim, key, widths.rotated, keyRows);
      kernels.packKeys(span.length, at, headDim, value, widths.qkv, valueKeys);
      at += span.length;
    }
    kernels.clear(2 * keys * headDim, dk);
    for (let head = (kv * heads) / kvHeads; head < ((kv + 1) * heads) / kvHeads; head++) {
      const query = layer.rotated + (start * widths.rotated + head * headDim) * 4;
      const out = d.attended + (start * widths.queries + head * headDim) * 4;
      kernels.packValues(length, 0, length, headDim, query, widths.rotated, queryRows);
      kernels.packValues(length, 0, length, headDim, out, widths.queries, gradientRows);
      const p = layer.probabilities[index]?.[head] as Address;
      const dq = d.qkv + (start * widths.qkv + head * headDim) * 4;
      kernels.attendBackward(
        length,
        before,
        headDim,
        out,
        widths.queries,
        keyRows,
        valueKeys,
        queryRows,
        gradientRows,
        headDim ** -0.5,
        p,
        ds,
        stride,
        dq,
        widths.qkv,
        dk,
        dv,
      );
    }
    at = 0;
    for (const span of spans) {
      const row = d.qkv + span.start * widths.qkv * 4;
      kernels.addRows(span.length, headDim, dk + at * headDim * 4, headDim, row + keyColumn * 4, widths.qkv);
      kernels.addRows(span.length, headDim, dv + at * headDim * 4, headDim, row + valueColumn * 4, widths.qkv);
      at += span.length;
    }
  }
  arena.release(mark);
}
