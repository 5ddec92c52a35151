// The whole runtime over a real socket: pool, workers, actors, tools, transcript and journal, reward, broker, vLLM engine, HTTP. The server is a process of its own
// and answers with replies made beforehand, at once or after a seeded latency: what is left is what a model call costs us.
// Run after `npm run build`:  node bench/serve.mjs [--quick] [--only=<name>,…]
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { figure, finish, isQuick } from './measure.mjs';

const second = { meanMs: 1000, sigma: 0.6 };
/** As many calls in flight as one server holds sequences; the rest waits at the broker, which lets the oldest groups finish first. */
const instant = { meanMs: 0, sigma: 0.6, slots: 256 };
const wave = (open) => ({ open, episodes: open, warm: Math.min(open, 1024), ...second });
const cells = {
  one: { open: 1, episodes: 400, warm: 400, ...instant },
  few: { open: 64, episodes: 4096, warm: 1024, ...instant },
  many: { open: 1024, episodes: 4096, warm: 1024, ...instant },
  crowd: { open: 4096, episodes: 8192, warm: 1024, ...instant },
  full: { open: 64, episodes: 2048, warm: 1024, full: true, ...instant },
  'many, 1 s': wave(1024),
  'crowd, 1 s': wave(4096),
  /** As many in flight as a config may send to one server (engine.vllm.maxSequences). */
  'throng, 1 s': { ...wave(16_384), slots: 4096 },
};
const quick = { few: { ...cells.few, episodes: 1024 }, full: { ...cells.full, episodes: 512 }, 'few, 1 s': wave(64) };

const path = (name) => fileURLToPath(new URL(`./${name}`, import.meta.url));

/** One cell against a server of its own; what bench/serve-cell.mjs prints. */
async function played({ full = false, ...cell }) {
  const about = JSON.stringify({ meanMs: cell.meanMs, sigma: cell.sigma, full });
  const server = spawn(process.execPath, [path('serve-server.mjs'), about], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const { value } = await createInterface({ input: server.stdout })[Symbol.asyncIterator]().next();
    const told = JSON.stringify({ ...JSON.parse(value), ...cell });
    const child = spawn(process.execPath, ['--expose-gc', path('serve-cell.mjs'), told], { stdio: ['ignore', 'pipe', 'inherit'] });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
    if (code !== 0) throw new Error(`the cell ended with code ${code}`);
    return JSON.parse(Buffer.concat(chunks).toString().trim().split('\n').at(-1));
  } finally {
    server.stdin.end();
  }
}

const only = process.argv
  .find((arg) => arg.startsWith('--only='))
  ?.slice(7)
  .split(';');
const chosen = Object.entries(isQuick ? quick : cells).filter(([name]) => only === undefined || only.includes(name));
const results = new Map();
for (const [name, cell] of chosen) {
  const result = await played(cell);
  results.set(name, result);
  console.error(`${name}: ${JSON.stringify(result)}`);
}

const at = (name, read) => (results.has(name) ? read(results.get(name)) : undefined);
const figures = [
  ['processor time per model call, 64 open', at('few', ({ cpuMs }) => cpuMs), 'ms', 'less', 0.4],
  ['the same, 1,024 open', at('many', ({ cpuMs }) => cpuMs), 'ms', 'less', 0.5],
  ['the same, 4,096 open', at('crowd', ({ cpuMs }) => cpuMs), 'ms', 'less', 0.5],
  ['the same, 64 open, replies of 28 kB', at('full', ({ cpuMs }) => cpuMs), 'ms', 'less', 0.8],
  ['episodes per processor second, 64 open', at('few', ({ perCpuSecond }) => perCpuSecond), '/s', 'more', 500],
  ['growth of processor time from 64 to 4,096 open', at('few', (few) => at('crowd', (crowd) => crowd.cpuMs / few.cpuMs)), '×', 'less', 1.5],
  ['first group sealed, 1,024 open, latency 0', at('many', ({ first }) => first), 's', 'less', 2],
  ['ideal makespan over ours, latency 1 s, 1,024 open', at('many, 1 s', ({ ratio }) => ratio), '', 'more', 0.93],
  ['the same, 4,096 open', at('crowd, 1 s', ({ ratio }) => ratio), '', 'more', 0.85],
  ['the same, 16,384 open', at('throng, 1 s', ({ ratio }) => ratio), '', 'more', 0.5],
  ['event-loop delay p99 of the coordinator, latency 1 s, 4,096 open', at('crowd, 1 s', ({ lag }) => lag.p99), 'ms', 'less', 50],
  ['largest such delay', at('crowd, 1 s', ({ lag }) => lag.max), 'ms', 'less', 250],
  ['resident memory at its peak, 16,384 open', at('throng, 1 s', ({ rss }) => rss.peak), 'MB', 'less', 2_200],
].flatMap(([name, value, ...rest]) => (value === undefined ? [] : [figure(name, value, ...rest)]));

const fixed = (value, digits) => (value === null || value === undefined ? '–' : value.toFixed(digits));
const range = (low, high) => `${fixed(low, 0)} → ${fixed(high, 0)}`;
finish({
  ok: [...results.values()].every(({ ok }) => ok),
  figures,
  tables: [
    {
      title: 'Processor time of a model call by thread, ms. Latency 0 unless said; `full`: replies of 28 kB.',
      head: [
        'cell',
        'open',
        'episodes',
        'call',
        'coordinator',
        'workers',
        'collector and compiler',
        'system share',
        'beside it: server',
        'request, kB',
        'reply, kB',
      ],
      rows: [...results].map(([name, cell]) => [
        name,
        cell.open,
        cell.episodes,
        ...[cell.cpuMs, cell.threadMs.coordinator, cell.threadMs.workers, cell.threadMs.helpers, cell.systemMs, cell.serverCpuMs].map(
          (ms) => fixed(ms, 3),
        ),
        fixed(cell.requestKb, 1),
        fixed(cell.replyKb, 1),
      ]),
    },
    {
      title: 'Time and memory.',
      head: [
        'cell',
        'wall, s',
        'ideal, s',
        'episodes/s',
        'first group, s',
        'loop delay p50 / p99 / max, ms',
        'resident, MB',
        'sockets',
        'calls in flight at most',
        'errors',
      ],
      rows: [...results].map(([name, cell]) => [
        name,
        fixed(cell.wall, 1),
        fixed(cell.ideal, 1),
        fixed(cell.perSecond, 0),
        fixed(cell.first, 2),
        [cell.lag.p50, cell.lag.p99, cell.lag.max].map((ms) => fixed(ms, 0)).join(' / '),
        range(cell.rss.base, cell.rss.peak),
        cell.sockets,
        cell.mostInFlight,
        cell.errors,
      ]),
    },
  ],
  notes: [
    'An episode is five model calls: three of the agent (two tool calls, then text), one of the user, one of the judge; each seen by the server, none merged, each checked by its reward. ' +
      'Processor time is of the whole client process: coordinator, two workers, collector, compiler. At latency 0 at most 256 calls are in flight, with a latency as many as are open. Replies have 200 tokens; the short ones carry ids and log-probs and nothing else, the long ones what vLLM sends.',
    'Ideal: the largest sum of one episode’s five latencies, which are log-normal (mean 1 s, sigma 0.6) and a function of each call’s seed; the server’s own sum is held against ours.',
  ],
});
