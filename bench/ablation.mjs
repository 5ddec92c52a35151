// What the adaptive curriculum is worth: configs/ablation/*.yaml on the same seeds, steps and held-out tasks, and the paired difference between the adaptive arm and each other.
// Runs are kept in runs/bench and not repeated, so it may be done in pieces.  node bench/ablation.mjs [--arms=adaptive,uniform] [--seeds=1,2,3] [--from=run,run] [--set=key=value] [--collect] [--quick]
// --from: read these finished runs instead. --collect: only what is there already. --quick: three steps, to see that it works.
import { readdirSync } from 'node:fs';
import { figure, finish, isQuick } from './measure.mjs';
import { gain, gainText, isHarder, isSound, levelsOf, options, quickSettings, rateOf, resultsOf, trained } from './training.mjs';

const all = readdirSync(new URL('../configs/ablation/', import.meta.url))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -5));
const { seeds, arms: wanted = all, from, settings, only } = options(process.argv.slice(2));
const arms = [];
// Seed by seed: whenever it is stopped, the arms have equally many.
const bySeed = new Map(all.map((name) => [name, []]));
for (const result of (from ?? []).map(resultsOf)) {
  const arm = all.find((name) => result.summary.run.includes(name));
  if (arm === undefined) throw new Error(`${result.summary.run} is named after none of ${all.join(', ')}`);
  bySeed.get(arm).push(result);
}
for (const seed of from === undefined ? seeds : []) {
  for (const name of all) {
    const file = `configs/ablation/${name}.yaml`;
    const result = await trained(file, { seed, ...(isQuick ? quickSettings : {}), ...settings }, { only: only || !wanted.includes(name) });
    if (result !== null) bySeed.get(name).push(result);
  }
}
for (const [name, runs] of bySeed) if (runs.length > 0) arms.push({ name, runs });
if (arms.length === 0) throw new Error('no finished run');

const levels = levelsOf(arms[0].runs[0]);
const afters = (runs) => runs.map(({ after }) => after);
const befores = (runs) => runs.map(({ before }) => before);
const sum = (runs, of) => runs.reduce((total, run) => total + of(run), 0);
const adaptive = arms.find(({ name }) => name === 'adaptive');
const others = adaptive === undefined ? [] : arms.filter((arm) => arm !== adaptive);
/** Only seeds that both arms have. */
const shared = (arm) => {
  const seedsOf = (runs) => new Set(runs.map(({ seed }) => seed));
  const both = (runs, there) => runs.filter(({ seed }) => there.has(seed));
  return [both(arm.runs, seedsOf(adaptive.runs)), both(adaptive.runs, seedsOf(arm.runs))];
};
const lead = (arm, keep) => {
  const [theirs, ours] = shared(arm);
  return ours.length === 0 ? null : gain(afters(theirs), afters(ours), keep);
};
const leadText = (arm, keep) => {
  const difference = lead(arm, keep);
  return difference === null ? '–' : gainText(difference);
};
const every = () => true;

finish({
  ok: arms.every(({ runs }) => runs.every(isSound)),
  figures: [
    ...arms.map(({ name, runs }) => figure(`${name}: gain over D ≥ 25`, gain(befores(runs), afters(runs), isHarder).mean, 'share', 'more')),
    ...others.flatMap((arm) => {
      const difference = lead(arm, isHarder);
      return difference === null ? [] : [figure(`adaptive over ${arm.name}, D ≥ 25`, difference.mean, 'share', 'more')];
    }),
  ],
  tables: [
    {
      title:
        'Share of held-out tasks solved at temperature 0 after training, mean over seeds; gain over the base, paired, with its 95 % interval.',
      head: ['arm', 'seeds', ...levels.map((D) => `D = ${D}`), 'gain, D ≥ 25', 'last D', 'sampled tokens', 'processor, s'],
      rows: [
        ['base', '', ...levels.map((D) => rateOf(arms[0].runs[0].before.get(D)).toFixed(3)), '', '', '', ''],
        ...arms.map(({ name, runs }) => [
          name,
          runs.map(({ seed }) => seed).join(' '),
          ...levels.map((D) => rateOf(runs.flatMap(({ after }) => after.get(D))).toFixed(3)),
          gainText(gain(befores(runs), afters(runs), isHarder)),
          name === 'uniform' ? '1 to 100' : runs.map(({ summary }) => summary.difficulty).join(' '),
          sum(runs, ({ summary }) => summary.sampledTokens),
          runs.some(({ cpuSeconds }) => cpuSeconds === null) ? '–' : sum(runs, ({ cpuSeconds }) => cpuSeconds).toFixed(0),
        ]),
      ],
    },
    ...(others.length === 0
      ? []
      : [
          {
            title: 'Adaptive minus the other, the same tasks and seeds.',
            head: ['other', ...levels.map((D) => `D = ${D}`), 'D ≥ 25', 'all'],
            rows: others.map((arm) => [
              arm.name,
              ...levels.map((D) => leadText(arm, (level) => level === D)),
              leadText(arm, isHarder),
              leadText(arm, every),
            ]),
          },
        ]),
  ],
  notes: [
    `The same budget is the same number of steps (${arms[0].runs[0].summary.steps}) and episodes; tokens and processor time differ with the length of the episodes and stand beside it. ` +
      'Intervals are over tasks, a task counting once with its mean over seeds: they do not include how much another three seeds would differ.',
  ],
});
