// The compute core alone: training and sampling rate of two model shapes on 1 and 2 threads, beside the measured ceiling of its multiply-adds.
// Run after `npm run build`:  node bench/engine.mjs [repeats]   Prints one JSON object; rates are medians, in tokens per second of wall time, and,
// for machines that do other work meanwhile, per second of processor time (`perCpu`, all threads together; `peakShare` compares these).
import { createCore } from '../dist/gpu/engines/embedded/core.js';
import { packSequences } from '../dist/gpu/engines/embedded/packed-rows.js';
import { parametersOf } from '../dist/gpu/engines/embedded/shape.js';
import { seedOf, stream } from '../dist/random.js';

const repeats = Number(process.argv[2] ?? 7);
const common = { ropeTheta: 1e6, eps: 1e-6, tied: true, maxPositions: 512 };
const workloads = {
  reference: {
    shape: { ...common, vocab: 512, hidden: 192, layers: 4, heads: 6, kvHeads: 6, headDim: 32, intermediate: 512 },
    shards: (shape) =>
      Array.from({ length: 8 }, (_, s) => packSequences(Array.from({ length: 4 }, (_x, i) => tokens(shape, 160, s * 4 + i)))),
    requests: (shape) => Array.from({ length: 64 }, (_, i) => ({ ids: tokens(shape, 16, i), n: 1, maxTokens: 96 })),
  },
  policy: {
    shape: { ...common, vocab: 384, hidden: 128, layers: 4, heads: 4, kvHeads: 2, headDim: 64, intermediate: 256 },
    shards: (shape) => Array.from({ length: 16 }, (_, s) => group(shape, 120, [20, 60, 30, 90, 50, 40, 80, 70], s)),
    requests: (shape) => Array.from({ length: 16 }, (_, i) => ({ ids: tokens(shape, 120, i), n: 8, maxTokens: 55 })),
  },
};

function tokens(shape, length, seed) {
  const chance = stream(seedOf('bench', seed));
  return Int32Array.from({ length }, () => chance.int(shape.vocab));
}

/** One shared prefix, every row of every member predicting its successor. */
function group(shape, prefix, members, seed) {
  const segments = [{ start: 0, length: prefix }];
  for (const length of members) segments.push({ start: segments.at(-1).start + segments.at(-1).length, length, prefix: segments[0] });
  const total = segments.at(-1).start + segments.at(-1).length;
  const positions = new Int32Array(total);
  for (const { start, length, prefix: shared } of segments)
    for (let i = 0; i < length; i++) positions[start + i] = (shared?.length ?? 0) + i;
  const rows = Int32Array.from({ length: total - prefix }, (_, i) => prefix + i);
  return { ids: tokens(shape, total, seed), positions, segments, targets: { rows, ids: tokens(shape, rows.length, seed + 1000) } };
}

function weights(shape) {
  const chance = stream(1);
  const value = (p) => (p.kind === 'norm' ? 1 : ((chance.next() - 0.5) * 3.4) / Math.sqrt(p.cols));
  return new Map(parametersOf(shape).list.map((p) => [p.name, Float32Array.from({ length: p.rows * p.cols }, () => value(p))]));
}

/** Multiply-adds of one trained token, twice, times three passes: matrices, head and the visible half of attention. */
function flopsPerToken(shape, meanKeys) {
  const { hidden, layers, heads, kvHeads, headDim, intermediate, vocab } = shape;
  const matrices = hidden * (2 * heads + 2 * kvHeads) * headDim + 3 * hidden * intermediate;
  return 6 * (layers * (matrices + 2 * heads * headDim * meanKeys) + hidden * vocab);
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
/** [seconds of wall time, seconds of processor time] */
const seconds = (work) => {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  work();
  const { user, system } = process.cpuUsage(cpu);
  return [(performance.now() - start) / 1000, (user + system) / 1e6];
};

function measure(name, threads, deterministic) {
  const { shape, shards: makeShards, requests: makeRequests } = workloads[name];
  const core = createCore({ shape, threads, deterministic });
  core.load(weights(shape));
  const shards = makeShards(shape);
  const trained = shards.reduce((sum, rows) => sum + rows.ids.length, 0);
  const meanKeys = shards.reduce((sum, rows) => sum + rows.positions.reduce((a, p) => a + p + 1, 0), 0) / trained;
  const objective = (_targets, logprobs) => new Float32Array(logprobs.length).fill(-1 / trained);
  const step = { kind: 'adamw', lr: 1e-4, beta1: 0.9, beta2: 0.95, weightDecay: 0, clip: 1 };
  let nonce = 0;
  const train = () => {
    core.forwardBackward(shards, objective);
    core.optimStep(step);
  };
  const sample = () => {
    const requests = makeRequests(shape).map((request, r) => ({
      ...request,
      seeds: Array.from({ length: request.n }, (_, i) => seedOf('bench', ++nonce, r, i)),
      stop: [],
      temperature: 1,
    }));
    const replies = core.sample(requests);
    return replies.flat().reduce((sum, reply) => sum + reply.ids.length, 0);
  };
  const drawn = sample();
  train();
  core.spin(1e6);
  const spinning = [];
  const training = [];
  const sampling = [];
  for (let i = 0; i < repeats; i++) {
    spinning.push(seconds(() => core.spin(2e6)));
    training.push(seconds(train));
    sampling.push(seconds(sample));
  }
  for (const { logprobs } of core.forward(shards))
    if (!logprobs.every((value) => value < 0)) throw new Error(`${name}: a log-probability is not negative`);
  core.close();
  const rate = (amount, times, clock) => amount / median(times.map((time) => time[clock]));
  const peak = rate(threads * 2e6 * 80, spinning, 1) / 1e9;
  const gflops = (rate(trained, training, 1) * flopsPerToken(shape, meanKeys)) / 1e9;
  const [trainRate, sampleRate] = [rate(trained, training, 0), rate(drawn, sampling, 0)];
  return {
    workload: name,
    threads,
    variant: core.variant,
    train: Math.round(trainRate),
    sample: Math.round(sampleRate),
    sampleOverTrain: Number((sampleRate / trainRate).toFixed(2)),
    perCpu: { train: Math.round(rate(trained, training, 1)), sample: Math.round(rate(drawn, sampling, 1)) },
    gflopsPerCpu: Number(gflops.toFixed(1)),
    peakGflopsPerCpu: Number(peak.toFixed(1)),
    peakShare: Number((gflops / peak).toFixed(3)),
  };
}

const runs = [];
for (const name of Object.keys(workloads)) {
  for (const threads of [1, 2]) for (const deterministic of [false, true]) runs.push(measure(name, threads, deterministic));
}
console.log(JSON.stringify({ node: process.version, repeats, runs }, null, 2));
