// The learning curve of configs/quickstart.yaml: success on held-out tasks before and after, paired, a seed at a time and over seeds; wall and processor seconds.
// Runs are kept in runs/bench and not repeated.  [TROUPE_BENCH_RUNS=dir] node bench/quickstart.mjs [--seeds=1,2,3] [--from=run,run] [--set=key=value] [--collect] [--quick]
// --from: read these finished runs instead. --collect: only what is there already. --quick: three steps, to see that it works.
import { figure, finish, isQuick } from './measure.mjs';
import { gain, gainText, isHarder, isSound, levelsOf, options, quickSettings, rateOf, resultsOf, trained } from './training.mjs';

const { seeds, from, settings, only } = options(process.argv.slice(2));
const results = [];
if (from !== undefined) results.push(...from.map(resultsOf));
else {
  for (const seed of seeds) {
    const result = await trained('configs/quickstart.yaml', { seed, ...(isQuick ? quickSettings : {}), ...settings }, { only });
    if (result !== null) results.push(result);
  }
}
if (results.length === 0) throw new Error('no finished run');

const levels = levelsOf(results[0]);
const befores = results.map(({ before }) => before);
const afters = results.map(({ after }) => after);
const pooled = (keep) => gain(befores, afters, keep);
const base = (D) => rateOf(befores.flatMap((before) => before.get(D)));
/** Where there is most to see: neither solved nor hopeless. */
const middle = levels.filter(isHarder).sort((a, b) => Math.abs(base(a) - 0.5) - Math.abs(base(b) - 0.5))[0];
const easiest = Math.min(...levels);
const most = (values) => Math.max(...values);
const measured = results.filter(({ cpuSeconds }) => cpuSeconds !== null);

finish({
  ok: results.every(isSound),
  figures: [
    figure('gain over D ≥ 25, all seeds', pooled(isHarder).mean, 'share', 'more'),
    ...results.map(({ seed, before, after }) =>
      figure(`seed ${seed}: lower end of the gain over D ≥ 25`, gain([before], [after], isHarder).low, 'share', 'more', 0),
    ),
    figure(`gain at D = ${middle}, where the base is nearest to 0.5, all seeds`, pooled((D) => D === middle).mean, 'share', 'more', 0.1),
    figure(`change at D = ${easiest}, all seeds`, pooled((D) => D === easiest).mean, 'share', 'more', -0.03),
    figure('longest run', most(results.map(({ seconds }) => seconds)), 's', 'less'),
    ...(measured.length === 0
      ? []
      : [figure('most processor time of a run', most(measured.map(({ cpuSeconds }) => cpuSeconds)), 's', 'less')]),
  ],
  tables: [
    {
      title: 'Share of held-out tasks solved at temperature 0, before → after, and the paired gain with its 95 % interval.',
      head: ['D', 'base', ...results.map(({ seed }) => `seed ${seed}`), 'gain, all seeds'],
      rows: [
        ...levels.map((D) => [
          D,
          base(D).toFixed(3),
          ...results.map(({ after }) => rateOf(after.get(D)).toFixed(3)),
          gainText(pooled((level) => level === D)),
        ]),
        ['≥ 25', '', ...results.map(({ before, after }) => gainText(gain([before], [after], isHarder))), gainText(pooled(isHarder))],
      ],
    },
    {
      title: 'The runs.',
      head: ['seed', 'steps', 'ended', 'last D', 'episodes', 'sampled tokens', 'wall, s', 'processor, s'],
      rows: results.map(({ seed, summary, seconds, cpuSeconds }) => [
        seed,
        summary.steps,
        summary.ended,
        summary.difficulty,
        summary.episodes,
        summary.sampledTokens,
        seconds.toFixed(0),
        cpuSeconds === null ? '–' : cpuSeconds.toFixed(0),
      ]),
    },
  ],
  notes: [
    `${results[0].before.get(levels[0]).length} tasks a level of tool families and names never trained on, the same before and after and for every seed. Over seeds a task counts once, with its mean.`,
  ],
});
