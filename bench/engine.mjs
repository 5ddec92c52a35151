// The embedded compute core alone: training and sampling rate of two model shapes, beside the measured ceiling of this machine's multiply-adds and, where
// torch is installed, beside PyTorch's step on the same shape, in turn with it.  Run after `npm run build`:  [TROUPE_PYTHON=…] node bench/engine.mjs [--quick]
import { createCore } from '../dist/gpu/engines/embedded/core.js';
import { seedOf } from '../dist/random.js';
import { flopsPerToken, weights, workloads } from './engine-work.mjs';
import { figure, finish, isQuick, median, timed } from './measure.mjs';
import { findTorch, torchSteps } from './torch.mjs';

const pairs = isQuick ? 3 : 5;
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const spins = 2e6;
/** What core.spin does a round: 40 multiply-adds. */
const flopsPerSpin = 80;

function coreOf(name, threads, deterministic) {
  const { shape, shards: makeShards, requests: makeRequests } = workloads[name];
  const core = createCore({ shape, threads, deterministic });
  core.load(weights(shape));
  const shards = makeShards(shape);
  const trained = shards.reduce((sum, rows) => sum + rows.ids.length, 0);
  const objective = (_targets, logprobs) => new Float32Array(logprobs.length).fill(-1 / trained);
  let nonce = 0;
  const seeds = (n, r) => Array.from({ length: n }, (_, i) => seedOf('bench', ++nonce, r, i));
  return {
    core,
    trained,
    meanKeys: shards.reduce((sum, rows) => sum + rows.positions.reduce((keys, position) => keys + position + 1, 0), 0) / trained,
    train: () => {
      core.forwardBackward(shards, objective);
      core.optimStep({ kind: 'adamw', lr: 1e-4, beta1: 0.9, beta2: 0.95, weightDecay: 0, clip: 1 });
    },
    /** Returns the tokens drawn. */
    sample: () => {
      const requests = makeRequests(shape).map((request, r) => ({ ...request, seeds: seeds(request.n, r), stop: [], temperature: 1 }));
      return core
        .sample(requests)
        .flat()
        .reduce((sum, reply) => sum + reply.ids.length, 0);
    },
    check: () => core.forward(shards).every(({ logprobs }) => logprobs.every((value) => value < 0 && Number.isFinite(value))),
  };
}

/** Medians over `pairs` rounds, in each of which the core spins, trains, samples, and PyTorch trains. */
async function measure({ name, threads, deterministic }, torch) {
  const at = coreOf(name, threads, deterministic);
  const drawn = at.sample();
  at.train();
  at.core.spin(spins / 2);
  const rounds = [];
  for (let i = 0; i < pairs; i++) {
    const peak = await timed(() => at.core.spin(spins));
    const train = await timed(at.train);
    const sample = await timed(at.sample);
    const theirs = await torch?.repetition();
    // Its threads spin for a while after their work.
    if (torch !== undefined) await rest(300);
    rounds.push({ peak, train, sample, theirs });
    console.error(`${name}, ${threads} threads, round ${i + 1} of ${pairs}`);
  }
  const ok = at.check();
  at.core.close();
  const of = (pick) => median(rounds.map(pick));
  const flops = at.trained * flopsPerToken(workloads[name].shape, at.meanKeys);
  const spun = threads * spins * flopsPerSpin;
  return {
    ok,
    name,
    threads,
    variant: at.core.variant,
    train: of((round) => at.trained / round.train.wall),
    trainCpu: of((round) => at.trained / round.train.cpu),
    sample: of((round) => drawn / round.sample.wall),
    sampleCpu: of((round) => drawn / round.sample.cpu),
    sampleOverTrain: of((round) => drawn / round.sample.wall / (at.trained / round.train.wall)),
    gflopsPeak: of((round) => spun / round.peak.cpu) / 1e9,
    peakShare: of((round) => flops / round.train.cpu / (spun / round.peak.cpu)),
    ...(torch === undefined
      ? {}
      : {
          torch: of((round) => round.theirs.tokensPerSecond),
          overTorch: of((round) => at.trained / round.train.wall / round.theirs.tokensPerSecond),
          overTorchCpu: of((round) => at.trained / round.train.cpu / round.theirs.tokensPerCpuSecond),
        }),
  };
}

const found = findTorch();
if (found.reason !== undefined) console.error(`NO COMPARISON WITH PYTORCH: ${found.reason}`);
const plan = [
  { name: 'reference', threads: 2, deterministic: false },
  { name: 'reference', threads: 1, deterministic: false },
  ...(isQuick
    ? []
    : [
        { name: 'reference', threads: 2, deterministic: true },
        { name: 'policy', threads: 2, deterministic: false },
      ]),
];
const runs = [];
for (const work of plan) {
  const compares = work.name === 'reference' && !work.deterministic && found.python !== undefined;
  const torch = compares ? await torchSteps(found.python, work.threads) : undefined;
  runs.push(await measure(work, torch));
  torch?.close();
}

const labelled = ({ name, threads, variant }) => `${name}, ${threads} thread${threads > 1 ? 's' : ''}, ${variant}`;
const [two, one] = runs;
const compared = (run, target) =>
  run.torch === undefined
    ? []
    : [
        figure(`training over PyTorch, ${run.threads} thread${run.threads > 1 ? 's' : ''}`, run.overTorch, '×', 'more', target),
        figure(`the same per processor second, ${run.threads} thread${run.threads > 1 ? 's' : ''}`, run.overTorchCpu, '×', 'more'),
      ];
finish({
  ok: runs.every(({ ok }) => ok),
  figures: [
    ...runs.flatMap((run) => [
      figure(`training, ${labelled(run)}`, run.train, 'tokens/s', 'more'),
      figure(`sampling, ${labelled(run)}`, run.sample, 'tokens/s', 'more'),
    ]),
    ...runs.map((run) => figure(`training per processor second, ${labelled(run)}`, run.trainCpu, 'tokens/s', 'more')),
    figure('sampling over training, reference, 2 threads', two.sampleOverTrain, '×', 'more', 1.7),
    figure('share of the measured f32 peak, reference, 2 threads', two.peakShare, '', 'more'),
    figure('share of the measured f32 peak, reference, 1 thread', one.peakShare, '', 'more'),
    ...compared(two, 0.3),
    ...compared(one),
  ],
  notes: [
    `Medians of ${pairs} rounds; ratios are medians of the rounds' own ratios. Reference: 4 layers, width 192, 6 heads, feed-forward 512, vocabulary 512; training 32 × 160 tokens with AdamW, ` +
      `sampling 64 × 96. Policy: the shape of models/tiny-base, 16 groups of 8 over a shared prompt. Peak: ${one.gflopsPeak.toFixed(1)} Gflop/s a thread, multiply-adds of the same WebAssembly without memory. ` +
      (found.python === undefined
        ? `**No comparison with PyTorch:** ${found.reason}.`
        : `PyTorch ${found.version}, ${two.torch.toLocaleString('en-US', { maximumFractionDigits: 0 })} tokens/s on 2 threads and ${one.torch.toLocaleString('en-US', { maximumFractionDigits: 0 })} on 1, in turn with ours.`),
  ],
});
