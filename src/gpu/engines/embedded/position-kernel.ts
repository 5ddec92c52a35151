/**
 * Attention by position alone: how much each rotary frequency must weigh so that a head looks a fixed number of tokens back. Knows no weights.
 *
 * Score at distance D of a head with offset o: g²·√hd/hd · Σ_i w_i cos((D − o) θ_i), θ_i = base^(−2i/hd), Σ w_i = hd, g = the q-norm and k-norm weight.
 * w maximises Σ_o log softmax_D(score)[o] over D = 0 … 399 and the offsets 1 and 2: 1,500 Adam steps on the logits of w.
 */

const DISTANCES = 400;
const STEPS = 1500;
const RATE = 0.05;

/** The rotary angles per position, one for each pair of a head's dimensions. */
export const rotaryAngles = (headDim: number, base: number): number[] =>
  Array.from({ length: headDim / 2 }, (_, i) => base ** ((-2 * i) / headDim));

/**
 * Weights of the pairs, sum = headDim. Rounded to 1/1024, so that a last bit in which platforms' cosines differ cannot reach a model's weights.
 * `gain` is the weight of q-norm and of k-norm.
 */
export function positionWeights(headDim: number, base: number, gain: number, offsets: readonly number[] = [1, 2]): number[] {
  const angles = rotaryAngles(headDim, base);
  const cosines = offsets.map((offset) =>
    Array.from({ length: DISTANCES }, (_, d) => angles.map((angle) => Math.cos((d - offset) * angle))),
  );
  const scale = gain * gain * Math.sqrt(headDim);
  const logits = angles.map(() => 0);
  const first = angles.map(() => 0);
  const second = angles.map(() => 0);
  for (let step = 1; step <= STEPS; step++) {
    const w = softmax(logits);
    // d/dw of −Σ_o log softmax(scale · C_o w)[o] = scale · (C_oᵀ p_o − C_o[o]).
    const gradient = angles.map(() => 0);
    for (const [index, offset] of offsets.entries()) {
      const table = cosines[index] as number[][];
      const mass = softmax(table.map((row) => scale * dot(row, w)));
      for (const [d, row] of table.entries()) {
        const weight = scale * ((mass[d] as number) - (d === offset ? 1 : 0));
        for (let i = 0; i < angles.length; i++) gradient[i] = (gradient[i] as number) + weight * (row[i] as number);
      }
    }
    const mean = dot(gradient, w);
    for (let i = 0; i < angles.length; i++) {
      const g = (w[i] as number) * ((gradient[i] as number) - mean);
      first[i] = 0.9 * (first[i] as number) + 0.1 * g;
      second[i] = 0.999 * (second[i] as number) + 0.001 * g * g;
      const m = (first[i] as number) / (1 - 0.9 ** step);
      const v = (second[i] as number) / (1 - 0.999 ** step);
      logits[i] = (logits[i] as number) - (RATE * m) / (Math.sqrt(v) + 1e-8);
    }
  }
  return softmax(logits).map((w) => Math.round(w * headDim * 1024) / 1024);
}

/** The share of attention that a head with these weights gives to the token `offset` back, among 400 positions. */
export function positionMass(weights: readonly number[], headDim: number, base: number, gain: number, offset: number): number {
  const angles = rotaryAngles(headDim, base);
  const scale = (gain * gain * Math.sqrt(headDim)) / headDim;
  const scores = Array.from(
    { length: DISTANCES },
    (_, d) =>
      scale *
      dot(
        weights,
        angles.map((angle) => Math.cos((d - offset) * angle)),
      ),
  );
  return softmax(scores)[offset] as number;
}

function softmax(scores: readonly number[]): number[] {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
