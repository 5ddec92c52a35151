// The viewer: what ten pages that watch cost a run, how soon very long runs are on the screen and how smoothly they move, and how large the viewer becomes.
// Opening and moving are measured by the browser stage in a real Chromium, and left out where there is none.  Run after `npm run build`:  node bench/viewer.mjs [--quick] [--rounds=<n>]
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figure, finish, isQuick, median } from './measure.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const run = (name, ...args) =>
  JSON.parse(
    execFileSync(process.execPath, [here(`./${name}.mjs`), ...args.map(String)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );

const asked = process.argv.find((arg) => arg.startsWith('--rounds='))?.slice('--rounds='.length);
const rounds = Number(asked ?? (isQuick ? 1 : 8));
const forms = { apart: 'a viewer started by hand', own: 'run --view' };
const percent = (ratio) => 100 * (1 - ratio);

/** What the browser stage told; none where there is no browser. */
function stage(home) {
  const file = join(home, 'figures.jsonl');
  const vitest = here('../node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--config', 'vitest.browser.config.ts', 'test/stages/browser/speed.test.ts'];
  const env = { ...process.env, TROUPE_FIGURES: file, TROUPE_BROWSER_RUNS: join(home, 'recorded') };
  // A figure over its target fails a test, and is told all the same.
  spawnSync(process.execPath, args, { cwd: here('..'), env, stdio: ['ignore', 'ignore', 'inherit'] });
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];
}

const home = mkdtempSync(join(tmpdir(), 'troupe-bench-viewer-'));
mkdirSync(join(home, 'recorded'));
let told = [];
let memory = null;
try {
  told = isQuick ? [] : stage(home);
  if (told.length > 0) memory = run('viewer-memory', join(home, 'recorded/long/runs'), 20);
} finally {
  rmSync(home, { recursive: true, force: true });
}
const cost = Object.fromEntries(
  [
    ['embedded', isQuick ? 12 : 28],
    ['scripted', isQuick ? 16 : 60],
  ].map(([engine, steps]) => [engine, run('viewer-cost', rounds, engine, steps).played]),
);

const ratios = (played, form) => played.map((round) => round[form].episodesPerSecond / round.none.episodesPerSecond);
const spread = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  return `${percent(at(0.75)).toFixed(1)} to ${percent(at(0.25)).toFixed(1)}`;
};
const costs = Object.entries(cost).flatMap(([engine, played]) =>
  Object.keys(forms).map((form) => ({ engine, form, values: ratios(played, form), played })),
);
const of = ({ played, form }, what) => median(played.map((round) => what(round[form])));
const pagesOk = costs.every(({ played, form }) => played.every((round) => round[form].pages.answers > 20 && round[form].pages.events > 20));

finish({
  ok: pagesOk && (memory?.ok ?? true),
  figures: [
    ...costs.map(({ engine, form, values }) =>
      figure(`throughput that ten pages cost, ${engine} engine, ${forms[form]}`, percent(median(values)), '%', 'less', 3),
    ),
    ...costs.map((one) =>
      figure(
        `processor time of the viewer per second of the run, ${one.engine} engine, ${forms[one.form]}`,
        of(one, (played) => (1000 * played.viewerCpu) / played.seconds),
        'ms',
        'less',
      ),
    ),
    ...told.map(({ what, value, unit, target }) => figure(what, value, unit, 'less', target)),
    ...(memory === null
      ? []
      : [
          figure(`memory of the viewer after ${memory.opened} long runs, one after another`, memory.after, 'MB', 'less', 700),
          figure('the same after the first half of them', memory.half, 'MB', 'less'),
        ]),
  ],
  tables: [
    {
      title: 'A run with ten pages that watch it, against the same run without: pairs, there and back.',
      head: [
        'engine',
        'viewer',
        'pairs',
        'cost %, median',
        'middle half',
        'episodes/s unwatched',
        'watched',
        'viewer s',
        'run s',
        'answers',
        'events',
        'answer ms p50',
        'p95',
      ],
      rows: costs.map((one) => {
        const pages = (what) => Math.round(of(one, ({ pages: did }) => what(did)));
        const taken = (share) => (did) => did.taken.toSorted((a, b) => a - b)[Math.floor(share * (did.taken.length - 1))];
        return [
          one.engine,
          forms[one.form],
          one.values.length,
          percent(median(one.values)).toFixed(1),
          spread(one.values),
          Math.round(of({ ...one, form: 'none' }, (played) => played.episodesPerSecond)),
          Math.round(of(one, (played) => played.episodesPerSecond)),
          of(one, (played) => played.viewerCpu).toFixed(2),
          of(one, (played) => played.runCpu).toFixed(1),
          pages((did) => did.answers),
          pages((did) => did.events),
          pages(taken(0.5)),
          pages(taken(0.95)),
        ];
      }),
    },
  ],
  notes: [
    'Pages: the list of runs (2), the run (3), its episodes as sealed and filtered and sorted (2), a group (1) and two episodes while they are played; each with a live stream, and asking as seldom as the page does. They are one process, without a browser: what drawing costs is the browser’s. Throughput: scored and unscored members a second of drawing, rolling and updating, by the run’s own clock, its first six steps left out.',
    told.length > 0
      ? 'Opening and moving: the browser stage, an episode of 100,000 events with 300,000 tokens, a run of 50,000 episodes, a group of 16 members of 200 turns; the best of at most three tries.'
      : 'Opening and moving were not measured: no browser, or --quick.',
  ],
});
