/** Qwen3 in double precision, number by number, with a gradient tape: slow, obvious, and sharing no code with the engine it judges. */
import type { PackedRows } from '../../src/gpu/engines/embedded/packed-rows.ts';
import type { ModelShape } from '../../src/gpu/engines/embedded/shape.ts';

interface Scalar {
  readonly value: number;
  grad: number;
  /** Hands this scalar's gradient on to what it was computed from. */
  readonly pull: (grad: number) => void;
}
type Vector = readonly Scalar[];

export interface ReferenceResult {
  readonly logprobs: number[];
  readonly entropy: number[];
  /** dLoss/dparameter, for loss = sum of coefficient * logprob. */
  readonly gradients: Map<string, Float64Array>;
}

export function referenceModel(
  shape: ModelShape,
  tensors: ReadonlyMap<string, Float32Array>,
  packed: PackedRows,
  coefficients: ArrayLike<number>,
): ReferenceResult {
  const tape: Scalar[] = [];
  const scalar = (value: number, pull: (grad: number) => void): Scalar => {
    const node = { value, grad: 0, pull };
    tape.push(node);
    return node;
  };
  const unary = (x: Scalar, value: number, slope: number): Scalar => scalar(value, (g) => void (x.grad += g * slope));
  const add = (x: Scalar, y: Scalar): Scalar => scalar(x.value + y.value, (g) => void ((x.grad += g), (y.grad += g)));
  const mul = (x: Scalar, y: Scalar): Scalar => scalar(x.value * y.value, (g) => void ((x.grad += g * y.value), (y.grad += g * x.value)));
  const dot = (xs: Vector, ys: Vector): Scalar =>
    scalar(
      xs.reduce((sum, x, i) => sum + x.value * at(ys, i).value, 0),
      (g) => xs.forEach((x, i) => ((x.grad += g * at(ys, i).value), (at(ys, i).grad += g * x.value))),
    );
  const parameters = new Map([...tensors].map(([name, data]) => [name, Array.from(data, (value) => scalar(value, () => undefined))]));
  const parameter = (name: string): Vector => {
    const found = parameters.get(name);
    if (!found) throw new Error(`no parameter ${name}`);
    return found;
  };
  const linear = (x: Vector, name: string): Vector => {
    const w = parameter(name);
    return Array.from({ length: w.length / x.length }, (_, row) => dot(w.slice(row * x.length, (row + 1) * x.length), x));
  };
  const norm = (x: Vector, name: string): Vector => {
    const mean = dot(x, x);
    const rms = Math.sqrt(mean.value / x.length + shape.eps);
    const inverse = unary(mean, 1 / rms, -0.5 / (rms ** 3 * x.length));
    const w = parameter(name);
    return x.map((v, i) => mul(mul(v, inverse), at(w, i)));
  };
  const rope = (x: Vector, position: number): Vector => {
    const half = x.length / 2;
    return x.map((v, i) => {
      const angle = position * shape.ropeTheta ** (-(i % half) / half);
      const other = i < half ? at(x, i + half) : at(x, i - half);
      const sign = i < half ? -1 : 1;
      return add(
        unary(v, v.value * Math.cos(angle), Math.cos(angle)),
        unary(other, sign * other.value * Math.sin(angle), sign * Math.sin(angle)),
      );
    });
  };
  const softmax = (xs: Vector): Vector => {
    const top = Math.max(...xs.map((x) => x.value));
    const exps = xs.map((x) => Math.exp(x.value - top));
    const total = exps.reduce((a, b) => a + b, 0);
    return xs.map((_, i) => {
      const p = (exps[i] as number) / total;
      return scalar(p, (g) => xs.forEach((x, j) => (x.grad += g * p * ((i === j ? 1 : 0) - (exps[j] as number) / total))));
    });
  };
  const silu = (x: Scalar): Scalar => {
    const gate = 1 / (1 + Math.exp(-x.value));
    return unary(x, x.value * gate, gate + x.value * gate * (1 - gate));
  };
  const split = (x: Vector): Vector[] =>
    Array.from({ length: x.length / shape.headDim }, (_, h) => x.slice(h * shape.headDim, (h + 1) * shape.headDim));

  /** Logits of every position of one whole sequence. */
  const sequence = (ids: readonly number[]): Vector[] => {
    const embedding = parameter('model.embed_tokens.weight');
    let xs: Vector[] = ids.map((id) => embedding.slice(id * shape.hidden, (id + 1) * shape.hidden));
    for (let layer = 0; layer < shape.layers; layer++) {
      const name = (part: string): string => `model.layers.${layer}.${part}.weight`;
      const hs = xs.map((x) => norm(x, name('input_layernorm')));
      const heads = (part: string): Vector[][] => hs.map((h) => split(linear(h, name(`self_attn.${part}_proj`))));
      const rotated = (part: string): Vector[][] =>
        heads(part).map((row, t) => row.map((head) => rope(norm(head, name(`self_attn.${part}_norm`)), t)));
      const q = rotated('q');
      const k = rotated('k');
      const v = heads('v');
      xs = xs.map((x, t) => {
        const attended = at(q, t).flatMap((query, h) => {
          const group = Math.floor(h / (shape.heads / shape.kvHeads));
          const keys = k.slice(0, t + 1).map((row) => at(row, group));
          const values = v.slice(0, t + 1).map((row) => at(row, group));
          const scale = shape.headDim ** -0.5;
          const p = softmax(
            keys.map((key) => {
              const s = dot(query, key);
              return unary(s, s.value * scale, scale);
            }),
          );
          return Array.from({ length: shape.headDim }, (_, d) =>
            dot(
              p,
              values.map((value) => at(value, d)),
            ),
          );
        });
        return linear(attended, name('self_attn.o_proj')).map((o, i) => add(o, at(x, i)));
      });
      xs = xs.map((x) => {
        const h = norm(x, name('post_attention_layernorm'));
        const up = linear(h, name('mlp.up_proj'));
        const act = linear(h, name('mlp.gate_proj')).map((g, i) => mul(silu(g), at(up, i)));
        return linear(act, name('mlp.down_proj')).map((o, i) => add(o, at(x, i)));
      });
    }
    return xs.map((x) => linear(norm(x, 'model.norm.weight'), shape.tied ? 'model.embed_tokens.weight' : 'lm_head.weight'));
  };

  // A member's sequence is its prefix and its own rows: shared rows are computed again for each member, which must not matter.
  const logitsOf = new Map<number, Vector>();
  for (const { start, length, prefix } of packed.segments) {
    const before = prefix ? [...packed.ids.subarray(prefix.start, prefix.start + prefix.length)] : [];
    const logits = sequence([...before, ...packed.ids.subarray(start, start + length)]);
    for (let i = 0; i < length; i++) logitsOf.set(start + i, at(logits, before.length + i));
  }
  const logprobs: number[] = [];
  const entropy: number[] = [];
  packed.targets.rows.forEach((row, i) => {
    const logits = logitsOf.get(row) as Vector;
    const target = at(packed.targets.ids, i);
    const top = Math.max(...logits.map((l) => l.value));
    const lse = top + Math.log(logits.reduce((sum, l) => sum + Math.exp(l.value - top), 0));
    const ps = logits.map((l) => Math.exp(l.value - lse));
    logprobs.push(at(logits, target).value - lse);
    entropy.push(-ps.reduce((sum, p, j) => sum + p * (at(logits, j).value - lse), 0));
    logits.forEach((l, j) => (l.grad += at(coefficients, i) * ((j === target ? 1 : 0) - at(ps, j))));
  });
  for (const node of tape.toReversed()) node.pull(node.grad);
  return {
    logprobs,
    entropy,
    gradients: new Map([...parameters].map(([name, nodes]) => [name, Float64Array.from(nodes, (node) => node.grad)])),
  };
}

function at<T>(list: ArrayLike<T>, index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(`no element ${index}`);
  return found;
}
