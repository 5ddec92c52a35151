// Rounds of groups from start to seal in one warm process: turns a second (a turn = one model call answered and applied), processor time by kind of thread,
// and how late the coordinator's event loop is, beside an idle control of the same process.  node bench/episode-throughput.mjs <rounds> <episodes a round>
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { unpack } from '../dist/protocol/codec.js';
import { house, jobAt, members, rest, workers } from './episode-house.mjs';
import { finish, timed } from './measure.mjs';
import { byKind, threadSeconds } from './threads.mjs';

const [rounds, episodes] = process.argv.slice(2).map(Number);
const never = new AbortController().signal;
const at = house({ window: 16 });
const delay = monitorEventLoopDelay({ resolution: 1 });

const jobsOf = (step, count) => {
  const jobs = Array.from({ length: Math.ceil(count / members) }, (_, index) => jobAt(step, index, 1 + ((index * 13) % 100)));
  at.learn(jobs);
  return jobs;
};
const roll = (jobs) => at.pool.roll(jobs, { signal: never, deadlineMs: 600_000 });

async function round(jobs) {
  const before = { calls: at.broker.status().answered, bytes: at.journal.tally.bytes, threads: threadSeconds() };
  let sealed = [];
  delay.reset();
  const { wall, cpu } = await timed(async () => (sealed = await roll(jobs)));
  const turns = at.broker.status().answered - before.calls;
  const kinds = byKind(before.threads, threadSeconds(), workers);
  const groups = sealed.map(({ bytes }) => unpack(bytes));
  const said = groups.flatMap((group) => group.episodes).flatMap((episode) => episode.turns.filter((turn) => turn.role === 'agent')).length;
  return {
    ok: said === turns && groups.every((group) => group.missing.length === 0 && group.episodes.length === members),
    turns,
    turnsPerSecond: turns / wall,
    cpuPerTurn: (cpu * 1e6) / turns,
    coordinator: (kinds.coordinator * 1e6) / turns,
    workers: (kinds.workers * 1e6) / turns,
    helpers: (kinds.helpers * 1e6) / turns,
    busyP50: delay.percentile(50) / 1e6,
    busyP99: delay.percentile(99) / 1e6,
    bytesPerTurn: (at.journal.tally.bytes - before.bytes) / turns,
  };
}

await roll(jobsOf(1, 2_000));
delay.enable();
await rest(2_000);
const idle = { p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6 };
const measured = [];
for (let step = 2; step < 2 + rounds; step++) measured.push(await round(jobsOf(step, episodes)));
delay.disable();
await at.close();
finish({ ok: measured.every(({ ok }) => ok), idle, rounds: measured });
process.exit(0);
