// One cell of bench/serve.mjs in a process of its own: so many episodes, so many of them open, over the whole runtime and a real socket.
//   node bench/serve-cell.mjs '{"url":…,"open":64,"episodes":4096,"warm":512,"meanMs":0,"sigma":0.6}'   prints one JSON object.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '../dist/actors/clock.js';
import { createRolloutPool } from '../dist/actors/rollout-pool.js';
import { createBroker } from '../dist/gpu/broker.js';
import { unpack } from '../dist/protocol/codec.js';
import { framesFrom } from '../dist/record/reader.js';
import { Journal } from '../dist/record/journal.js';
import { engineAt } from './serve-engine.mjs';
import { finish } from './measure.mjs';
import { byKind, threadSeconds } from './threads.mjs';
import { apart, callsPerEpisode, jobAt, latencyOf, seedsOf } from './serve-world.mjs';

const {
  url,
  open,
  slots = 16_384,
  episodes,
  warm,
  meanMs,
  sigma,
  workers: threads = 2,
  file = './serve-host.mjs',
} = JSON.parse(process.argv[2]);
const members = open < 8 ? 1 : 8;
const workers = Math.min(threads, open / members);
const megabytes = (key) => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;

const dir = mkdtempSync(join(tmpdir(), 'troupe-bench-'));
const journal = Journal.open(dir, { run: 'bench' });
const record = (frame) => {
  journal.append(frame);
  if (frame.kind === 'group.sealed') void journal.flush({ sync: true });
};
const engine = await engineAt(url, Math.min(open, slots));
const options = { engine, engines: [engine], clock: systemClock, record, seed: 1, stallMs: 600_000 };
const broker = createBroker(options);
const unmerged = (asked) => ({ ...asked, request: { ...asked.request, seed: apart(asked.request.seed) } });
const pool = createRolloutPool({
  broker: { ...broker, ask: (asked, signal) => broker.ask(unmerged(asked), signal) },
  clock: systemClock,
  cast: { world: {}, policy: { kind: 'tiny', words: [] } },
  record,
  recordPacked: (bytes) => journal.appendPacked(bytes),
  workers,
  window: open / members / workers,
  file: new URL(file, import.meta.url),
});

const stats = async (reset = false) => (await fetch(`${url}/stats${reset ? '?reset' : ''}`)).json();
const jobsOf = (step, count) => Array.from({ length: count / members }, (_, index) => jobAt(step, index, members));
const never = new AbortController().signal;
let rolled = 1;
/** Steps of 2,048 episodes at most, as many side by side as are open and one more, as asynchronous training has them: what is sealed is handed on with its step and not kept. */
async function roll(count, onSealed) {
  const steps = [];
  const size = Math.min(2048, Math.max(512, open));
  const beside = Math.ceil(open / size) + 1;
  for (let left = count; left > 0; left -= size) steps.push(jobsOf(rolled++, Math.min(left, size)));
  const begun = [];
  for (const jobs of steps) {
    if (begun.length >= beside) await begun.at(-beside);
    begun.push(pool.roll(jobs, { signal: never, deadlineMs: 3_600_000, onSealed }).then(() => undefined));
  }
  await Promise.all(begun);
  return steps.flat();
}

/** One more wave of the same, so that what is measured is not the compiler. */
if (warm > 0) await roll(warm);
await stats(true);
globalThis.gc?.();
const base = megabytes('VmRSS');
writeFileSync('/proc/self/clear_refs', '5');
const delay = monitorEventLoopDelay({ resolution: 10 });
const threadsBefore = threadSeconds();
delay.enable();
const [began, cpu, answered] = [performance.now(), process.cpuUsage(), broker.status().answered];
let first;
const jobs = await roll(episodes, () => (first ??= (performance.now() - began) / 1000));
const wall = (performance.now() - began) / 1000;
const used = process.cpuUsage(cpu);
delay.disable();
const kinds = byKind(threadsBefore, threadSeconds(), workers);
const peak = megabytes('VmHWM');
const at = await stats();

await journal.flush();
const asked = new Set(jobs.map(({ group }) => group));
const groups = [];
for (const { frame } of framesFrom(dir))
  if (frame.kind === 'group.sealed' && asked.has(frame.envelope.group)) groups.push(unpack(frame.bytes));
const played = groups.flatMap((group) => group.episodes);
const missing = groups.reduce((sum, group) => sum + group.missing.length, 0);
const wrong = played.filter((episode) => episode.reward !== 1 || episode.turns.length !== 6 || episode.traces[0]?.length < 4 * 900).length;
const sums = jobs.flatMap((job) =>
  Array.from({ length: members }, (_, member) => seedsOf(job, member).reduce((sum, seed) => sum + latencyOf(seed, meanMs, sigma), 0)),
);
const [ideal, total] = [Math.max(...sums) / 1000, sums.reduce((sum, ms) => sum + ms, 0)];
const { faulted, repeated, cancelled } = broker.status();
const calls = episodes * callsPerEpisode;
const errors = wrong + missing + faulted + repeated + cancelled + at.wrong;
await pool.close();
await engine.close();
await journal.close();
rmSync(dir, { recursive: true });
finish({
  ok:
    errors === 0 &&
    played.length === episodes &&
    at.calls === calls &&
    broker.status().answered - answered === calls &&
    // The server drew the latencies that the ideal is made of.
    (meanMs === 0 || Math.abs(at.latencyMs / total - 1) < 1e-6),
  open,
  episodes,
  calls: at.calls,
  callsPerEpisode: at.calls / episodes,
  errors,
  wall,
  perSecond: episodes / wall,
  cpuMs: (used.user + used.system) / 1000 / at.calls,
  threadMs: Object.fromEntries(Object.entries(kinds).map(([kind, seconds]) => [kind, (seconds * 1000) / at.calls])),
  systemMs: used.system / 1000 / at.calls,
  perCpuSecond: episodes / ((used.user + used.system) / 1e6),
  first,
  ideal: meanMs === 0 ? null : ideal,
  ratio: meanMs === 0 ? null : ideal / wall,
  lag: { p50: delay.percentile(50) / 1e6 - 10, p99: delay.percentile(99) / 1e6 - 10, max: delay.max / 1e6 - 10 },
  rss: { base, peak },
  serverCpuMs: (at.cpuSeconds * 1000) / at.calls,
  mostInFlight: at.mostInFlight,
  sockets: at.sockets,
  requestKb: at.bytesIn / at.calls / 1000,
  replyKb: at.bytesOut / at.calls / 1000,
});
process.exit(0);
