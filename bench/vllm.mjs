// 100 steps of configs/vllm-tiny.yaml on a real vLLM server and the torch sidecar: success on held-out tasks before and after, paired; where the time of a step goes;
// how far sampler and trainer ever disagreed. Needs the environment of `npm run python`. Runs are kept in runs/bench and not repeated, as in quickstart.mjs.
//   [TROUPE_BENCH_RUNS=dir] node bench/vllm.mjs [--seeds=1] [--from=run,run] [--set=key=value] [--collect] [--quick]
import { readFileSync } from 'node:fs';
import { figure, finish, isQuick } from './measure.mjs';
import { gain, gainText, isHarder, isSound, levelsOf, options, quickSettings, rateOf, resultsOf, trained } from './training.mjs';

const { seeds, from, settings, only } = options(process.argv.slice(2));
const long = { steps: 100, 'curriculum.start': 1, 'rollout.tasks': 16, 'eval.levels': '[25,50,75]', 'eval.tasks': 200 };
const results = [];
if (from !== undefined) results.push(...from.map(resultsOf));
else {
  for (const seed of seeds.slice(0, process.argv.some((arg) => arg.startsWith('--seeds=')) ? Infinity : 1)) {
    const result = await trained('configs/vllm-tiny.yaml', { ...long, seed, ...(isQuick ? quickSettings : {}), ...settings }, { only });
    if (result !== null) results.push(result);
  }
}
if (results.length === 0) throw new Error('no finished run');

const levels = levelsOf(results[0]);
const pooled = (keep) =>
  gain(
    results.map(({ before }) => before),
    results.map(({ after }) => after),
    keep,
  );
const lines = (file) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
const steps = results.flatMap(({ dir }) => lines(`${dir}/metrics.jsonl`).filter(({ gap }) => typeof gap === 'number'));
const timings = results.flatMap(({ dir }) => lines(`${dir}/timings.jsonl`));
const seconds = (name) => mean(timings.map((row) => row[name])) / 1000;

finish({
  ok: results.every(isSound),
  figures: [
    figure('gain over D ≥ 25', pooled(isHarder).mean, 'share', 'more'),
    figure('lower end of its 95 % interval', pooled(isHarder).low, 'share', 'more', 0),
    figure('versions published', Math.min(...results.map(({ summary }) => summary.policyVersions)), 'versions', 'more'),
    figure('largest mean |Δ log-prob| of a step, sampler against trainer', Math.max(...steps.map(({ gap }) => gap)), 'nats', 'less', 1e-3),
    figure('largest |Δ log-prob| of a canary', Math.max(...steps.map(({ canaryGap }) => canaryGap ?? 0)), 'nats', 'less', 1e-3),
    figure('a step: rollouts', seconds('rollMs'), 's', 'less'),
    figure('a step: update, checkpoint, publication, canary', seconds('updateMs'), 's', 'less'),
  ],
  tables: [
    {
      title: 'Share of held-out tasks solved at temperature 0, before → after, and the paired gain with its 95 % interval.',
      head: ['D', 'base', ...results.map(({ seed }) => `seed ${seed}`), 'gain'],
      rows: [
        ...levels.map((D) => [
          D,
          rateOf(results.flatMap(({ before }) => before.get(D))).toFixed(3),
          ...results.map(({ after }) => rateOf(after.get(D)).toFixed(3)),
          gainText(pooled((level) => level === D)),
        ]),
        ['all', '', ...results.map(() => ''), gainText(pooled(isHarder))],
      ],
    },
  ],
  notes: [
    'One model of 0.85 million weights: frozen base and a LoRA adapter of rank 16 on a vLLM server on this CPU, trained by PyTorch in float32 beside it.',
  ],
});
