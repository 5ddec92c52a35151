// The broker on fake servers with a time model (continuous batching, prefix cache, slots): whether slots stay full and how near the makespan comes to its lower bound, what
// merging and affinity save of the prefill, how soon the first of very many calls is answered, and what an open call weighs.
// Run after `npm run build`:  node bench/broker.mjs [--quick]
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { figure, finish, isQuick } from './measure.mjs';

const run = (name, about) => {
  const file = fileURLToPath(new URL(`./${name}.mjs`, import.meta.url));
  const result = JSON.parse(
    execFileSync(process.execPath, ['--expose-gc', file, JSON.stringify(about)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  console.error(`${name}: ${JSON.stringify(result)}`);
  return result;
};

const load = { slots: 128, mean: 100, turns: 3, tasks: 16, ...(isQuick ? { steps: 6, mean: 40 } : { steps: 24 }) };
/** Enough to have calls waiting while the last of a step are played out. */
const depth = 6;
/** As src/actors/servers.ts gives it. */
const reserve = (load.slots * 5) / 16;
const ahead = run('broker-slots', { ...load, ahead: depth, reserve });
const bare = run('broker-slots', { ...load, ahead: depth });
const inTurn = run('broker-slots', { ...load, steps: Math.ceil(load.steps / depth), ahead: 1, reserve });
const prefill = run('broker-prefill', { servers: 4, groups: isQuick ? 32 : 64, turns: 3 });
const queues = (isQuick ? [1, 64, 1024] : [1, 64, 1024, 16_384]).map((open) => run('broker-queue', { open }));
const longest = queues.at(-1);

const percent = (share) => `${(100 * share).toFixed(1)} %`;
finish({
  ok: [ahead, bare, inTurn, prefill, ...queues].every(({ ok }) => ok),
  figures: [
    figure(`slots in use, ${depth} steps in flight`, ahead.occupancy, '', 'more', 0.97),
    figure(`makespan over its lower bound, ${depth} steps in flight`, ahead.overBound, '×', 'less', 1.03),
    figure('prefilled tokens, merged and kept together, of those scattered one by one', prefill.share, '', 'less', 0.5),
    figure(`first answer, ${longest.open.toLocaleString('en')} asked at once`, longest.firstMs, 'ms', 'less', 2000),
    figure('processor time to ask one call, from asking to the first answer', (longest.cpuMs * 1000) / longest.open, 'µs', 'less'),
    figure(`an open call, ${longest.open.toLocaleString('en')} open`, longest.bytes / 1000, 'kB', 'less'),
  ],
  tables: [
    {
      title: 'Slots of one server, while calls wait. Bound: the server’s own work at full width.',
      head: [
        'steps in flight',
        'steps',
        'calls',
        'slots',
        'window',
        'in use',
        'makespan, s',
        'bound, s',
        'over it',
        'to the very end: in use',
        'over the bound',
        'client, ms a call',
      ],
      rows: [ahead, bare, inTurn].map((cell) => [
        cell.ahead,
        cell.steps,
        cell.calls,
        cell.slots,
        cell.slots + cell.reserve,
        percent(cell.occupancy),
        cell.makespan.toFixed(1),
        cell.bound.toFixed(1),
        cell.overBound.toFixed(3),
        percent(cell.end.occupancy),
        cell.end.overBound.toFixed(3),
        cell.cpuMs.toFixed(3),
      ]),
    },
    {
      title: 'Prompt tokens that four servers had to compute, for the same calls.',
      head: ['first turns', 'later turns', 'requests', 'prompt tokens', 'found in the cache', 'computed', 'of the last'],
      rows: prefill.ways.map((way) => [
        way.merged ? 'merged' : 'one by one',
        way.pinned ? 'where the group is' : 'anywhere',
        way.requests,
        way.queried,
        way.cached,
        way.computed,
        way.share.toFixed(3),
      ]),
    },
    {
      title: 'So many calls asked at once of one server with 256 slots.',
      head: ['calls', 'all asked, ms', 'first answer, ms', 'processor time till then, ms', 'kB a call', 'resident, MB'],
      rows: queues.map((cell) => [
        cell.open,
        cell.askedMs.toFixed(0),
        cell.firstMs.toFixed(0),
        cell.cpuMs.toFixed(0),
        cell.open < 1000 ? '–' : (cell.bytes / 1000).toFixed(1),
        cell.rss.toFixed(0),
      ]),
    },
  ],
  notes: [
    'Replies have log-normal lengths (sigma 0.8), a function of each call’s seed. The server’s steps cost what Qwen3-8B’s do on one H100 by arithmetic. ' +
      'Window: calls that may be in flight; the eighth more than there are slots waits at the server, so that a free slot waits for no message. While calls wait: until nothing of the last step waits for a slot any more, since then only the longest replies are left.',
  ],
});
