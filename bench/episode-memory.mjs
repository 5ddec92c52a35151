// What an open episode weighs: so many of them parked in their third model call, two answered turns behind each; heap and buffers of all threads after
// a collection, with them and without.  node --expose-gc bench/episode-memory.mjs <open episodes>
import { house, jobAt, members, renderer, rest, turnsOf, workers } from './episode-house.mjs';
import { finish } from './measure.mjs';

const open = Number(process.argv[2]);
const groups = open / members;
const header = renderer.extend([], true);
const turnsBehind = ({ ids }) => {
  let count = -1;
  for (let i = 0; i + 1 < ids.length; i++) if (ids[i] === header[0] && ids[i + 1] === header[1]) count++;
  return count;
};

const channel = new BroadcastChannel('troupe-bench-memory');
async function heaps() {
  const parts = [];
  channel.onmessage = ({ data }) => data.heap !== undefined && parts.push(data.heap);
  channel.postMessage({ ask: true });
  for (let waited = 0; parts.length < workers && waited < 60_000; waited += 100) await rest(100);
  if (parts.length !== workers) throw new Error(`${parts.length} workers answered`);
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return { workers: parts.reduce((sum, heap) => sum + heap, 0), coordinator: heapUsed + external };
}

const at = house({
  window: groups / workers,
  skill: 1,
  file: new URL('./episode-host.mjs', import.meta.url),
  park: (request) => request.group.startsWith('s00002') && turnsBehind(request) >= 2,
});
const warm = Array.from({ length: 16 }, (_, index) => jobAt(1, index, 60));
at.learn(warm);
await at.pool.roll(warm, { signal: new AbortController().signal, deadlineMs: 600_000 });

const jobs = [];
for (let index = 0; jobs.length < groups; index++) {
  const job = jobAt(2, index, 75);
  if (turnsOf(job.task).filter((turn) => turn.role === 'agent').length >= 3) jobs.push(job);
}
at.learn(jobs);
const before = await heaps();
const cancel = new AbortController();
const rolling = at.pool.roll(jobs, { signal: cancel.signal, deadlineMs: 600_000 }).catch((error) => error.name);
const asked = () => at.broker.waits().filter((wait) => wait.state === 'asked').length;
while (asked() < open) {
  if (at.pool.tally.deaths > 0) throw new Error(`${at.pool.tally.deaths} workers died`);
  await rest(200);
}
await rest(500);
const after = await heaps();
cancel.abort();
const ok = (await rolling) === 'CancelledFault';
channel.close();
await at.close();
const bytes = { workers: (after.workers - before.workers) / open, coordinator: (after.coordinator - before.coordinator) / open };
finish({ ok, open, ...bytes });
process.exit(0);
