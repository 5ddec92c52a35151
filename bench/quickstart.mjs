// The quickstart with seeds 1, 2 and 3: success on the same held-out tasks before and after, paired, by seed and over seeds.
import { pairedGain, successRate } from '../dist/learning/evaluation.js';
import { gainText, levelsOf, pairs, percent, train } from './training.mjs';

const quick = process.argv.includes('--quick');
const set = quick ? ['steps=10', 'eval.tasks=20'] : [];
const runs = [];
for (const seed of quick ? [1] : [1, 2, 3])
  runs.push({
    seed,
    ...(await train({ config: 'configs/quickstart.yaml', name: `quickstart-${quick ? 'quick-' : ''}${seed}`, seed, set })),
  });

const levels = levelsOf(runs[0].before);
const hard = levels.filter((D) => D >= 25);
const rate = (results) => successRate(results.filter((one) => one === 1).length, results.length).mean;
const over = (chosen, own = runs) => {
  const all = own.map((run) => pairs(run.before, run.after, chosen));
  return {
    before: rate(all.flatMap(({ first }) => first)),
    after: rate(all.flatMap(({ second }) => second)),
    gain: pairedGain(
      all.flatMap(({ first }) => first),
      all.flatMap(({ second }) => second),
    ),
  };
};
const nearest = hard.toSorted((a, b) => Math.abs(over([a]).before - 0.5) - Math.abs(over([b]).before - 0.5))[0];
const pooled = runs.map((run) => over(hard, [run]).gain);
const cpu = runs.map((run) => run.cpuSeconds).filter((seconds) => seconds !== null);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

console.log(
  JSON.stringify({
    ok: runs.every(({ summary }) => ['done', 'budget'].includes(summary.ended) && Object.keys(summary.faults).length === 0),
    figures: [
      {
        name: `gain at D = ${nearest}, nearest to 0.5, pooled over seeds`,
        value: Number(over([nearest]).gain.mean.toFixed(3)),
        unit: 'success',
        better: 'more',
        target: 0.1,
      },
      {
        name: 'lowest end of a seed’s 95 % interval, D ≥ 25 pooled',
        value: Number(Math.min(...pooled.map(({ low }) => low)).toFixed(3)),
        unit: 'success',
        better: 'more',
        target: 0,
      },
      {
        name: 'change at D = 5, pooled over seeds',
        value: Number(over([5]).gain.mean.toFixed(3)),
        unit: 'success',
        better: 'more',
        target: -0.03,
      },
      {
        name: 'wall time, slowest seed',
        value: Math.round(Math.max(...runs.map(({ summary }) => summary.seconds))),
        unit: 's',
        better: 'less',
      },
      ...(cpu.length === 0 ? [] : [{ name: 'processor time, mean', value: Math.round(mean(cpu)), unit: 's', better: 'less' }]),
      { name: 'D at the end, mean', value: mean(runs.map(({ summary }) => summary.difficulty)), unit: '', better: 'more' },
    ],
    tables: [
      {
        title: `Greedy success on ${runs[0].before[0].greedy.length} held-out tasks a level (unseen tool families and names), before and after, gain with its paired 95 % interval`,
        head: ['D', 'before', 'after', 'all seeds', ...runs.map(({ seed }) => `seed ${seed}`)],
        rows: [
          ...levels.map((D) => [
            String(D),
            percent(over([D]).before),
            percent(over([D]).after),
            gainText(over([D]).gain),
            ...runs.map((run) => gainText(over([D], [run]).gain)),
          ]),
          ['≥ 25', percent(over(hard).before), percent(over(hard).after), gainText(over(hard).gain), ...pooled.map(gainText)],
        ],
      },
    ],
  }),
);
