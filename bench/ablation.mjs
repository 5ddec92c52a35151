// The adaptive curriculum against D fixed at 1, D fixed high, and D uniform: same base, same budget of rollouts, same held-out tasks, three seeds each.
import { readdirSync } from 'node:fs';
import { pairedGain, successRate } from '../dist/learning/evaluation.js';
import { gainText, levelsOf, pairs, percent, train } from './training.mjs';

const quick = process.argv.includes('--quick');
const set = quick ? ['steps=5', 'eval.tasks=10'] : [];
const variants = readdirSync('configs/ablation')
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.replace('.yaml', ''))
  .toSorted();
const runs = new Map(variants.map((variant) => [variant, []]));
// Seed by seed, so that an unfinished bench has whole rounds.
for (const seed of quick ? [1] : [1, 2, 3])
  for (const variant of variants)
    runs.get(variant).push({
      seed,
      ...(await train({
        config: `configs/ablation/${variant}.yaml`,
        name: `ablation-${quick ? 'quick-' : ''}${variant}-${seed}`,
        seed,
        set,
      })),
    });

const adaptive = runs.get('adaptive');
const levels = levelsOf(adaptive[0].before);
const hard = levels.filter((D) => D >= 25);
const rate = (results) => successRate(results.filter((one) => one === 1).length, results.length).mean;
const after = (own, chosen) => rate(own.flatMap((run) => pairs(run.before, run.after, chosen).second));
const gain = (own, chosen) => {
  const all = own.map((run) => pairs(run.before, run.after, chosen));
  return pairedGain(
    all.flatMap(({ first }) => first),
    all.flatMap(({ second }) => second),
  );
};
/** Adaptive minus this variant, task by task and seed by seed. */
const advantage = (own, chosen) => {
  const all = own.map((run, i) => pairs(run.after, adaptive[i].after, chosen));
  return pairedGain(
    all.flatMap(({ first }) => first),
    all.flatMap(({ second }) => second),
  );
};
const all = [...runs.values()].flat();
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

console.log(
  JSON.stringify({
    ok: all.every(({ summary }) => summary.ended === 'done' && Object.keys(summary.faults).length === 0),
    figures: variants.map((variant) => ({
      name: `gain of ${variant}, D ≥ 25, pooled over seeds`,
      value: Number(gain(runs.get(variant), hard).mean.toFixed(3)),
      unit: 'success',
      better: 'more',
    })),
    tables: [
      {
        title: `Greedy success on held-out tasks after ${adaptive[0].summary.steps} steps (${adaptive[0].before[0].greedy.length} tasks a level, ${adaptive.length} seeds), gain and adaptive’s advantage with paired 95 % intervals`,
        head: ['curriculum', ...levels.map((D) => `D ${D}`), 'gain, D ≥ 25', 'adaptive better by', 'tokens sampled', 'D at the end'],
        rows: [
          ['base', ...levels.map((D) => percent(rate(pairs(adaptive[0].before, adaptive[0].before, [D]).first))), '', '', '', ''],
          ...variants.map((variant) => {
            const own = runs.get(variant);
            return [
              variant,
              ...levels.map((D) => percent(after(own, [D]))),
              gainText(gain(own, hard)),
              variant === 'adaptive' ? '' : gainText(advantage(own, hard)),
              Math.round(mean(own.map(({ summary }) => summary.sampledTokens))).toLocaleString('en-US'),
              own.map(({ summary }) => summary.difficulty).join(', '),
            ];
          }),
        ],
      },
    ],
    notes: ['Equal budgets of rollouts: 16 tasks × 8 a step. Harder tasks are longer, so equal rollouts are not equal tokens.'],
  }),
);
