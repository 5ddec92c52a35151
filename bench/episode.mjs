// The episode runtime without a model: procedural world, real workers, scripted teacher as engine, journal on. Throughput and memory are measured in processes
// of their own.  Run after `npm run build`:  node bench/episode.mjs [--quick]
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { figure, finish, isQuick, median } from './measure.mjs';

const run = (name, ...args) => {
  const file = fileURLToPath(new URL(`./${name}.mjs`, import.meta.url));
  const stdio = ['ignore', 'pipe', 'inherit'];
  return JSON.parse(execFileSync(process.execPath, ['--expose-gc', file, ...args.map(String)], { encoding: 'utf8', stdio }));
};

const speed = run('episode-throughput', ...(isQuick ? [2, 800] : [3, 4_800]));
const of = (key) => median(speed.rounds.map((round) => round[key]));
const memory = (isQuick ? [1_000] : [1_000, 4_000, 10_000, 16_000]).map((open) => run('episode-memory', open));
const kilobytes = (bytes) => bytes / 1000;

finish({
  ok: speed.ok && memory.every(({ ok }) => ok),
  figures: [
    figure('turns end to end', of('turnsPerSecond'), '/s', 'more', 3_000),
    figure('processor time per model call, all threads', of('cpuPerTurn'), 'µs', 'less'),
    figure('coordinator’s event-loop delay, p99 above idle', of('busyP99') - speed.idle.p99, 'ms', 'less', 50),
    ...memory.map(({ open, workers, coordinator }) =>
      figure(`an open episode, ${open} open`, kilobytes(workers + coordinator), 'kB', 'less', ...(open >= 10_000 ? [80] : [])),
    ),
  ],
  tables: [
    {
      title: 'Where the processor time of a model call goes, µs.',
      head: ['round', 'turns', 'turns/s', 'coordinator', 'workers', 'collector and compiler', 'loop delay p50, ms', 'p99, ms'],
      rows: speed.rounds.map((round, i) => [
        i + 1,
        round.turns,
        Math.round(round.turnsPerSecond),
        ...[round.coordinator, round.workers, round.helpers].map(Math.round),
        round.busyP50.toFixed(2),
        round.busyP99.toFixed(1),
      ]),
    },
    {
      title: 'Where an open episode lies, kB.',
      head: ['open', 'workers', 'coordinator'],
      rows: memory.map(({ open, ...bytes }) => [open, kilobytes(bytes.workers).toFixed(1), kilobytes(bytes.coordinator).toFixed(1)]),
    },
  ],
  notes: [
    `Idle control of the same process: event-loop delay p50 ${speed.idle.p50.toFixed(2)} ms, p99 ${speed.idle.p99.toFixed(2)} ms. ` +
      `Journal: ${Math.round(of('bytesPerTurn'))} bytes a turn. A turn is a model call answered and applied, its tools, user and judge included; 90 % of the turns are right.`,
  ],
});
