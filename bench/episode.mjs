// The episode runtime without a model: procedural world, real workers, scripted teacher as engine, journal on. Measures turns per second (a turn = one model
// call answered and applied), CPU per call, memory per open episode, and how late the coordinator's event loop is beside an idle control in the same run.
// Run after `npm run build`:  node bench/episode.mjs [episodes]   Prints one JSON object.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../dist/actors/clock.js';
import { createRolloutPool } from '../dist/actors/rollout-pool.js';
import { createBroker } from '../dist/gpu/broker.js';
import { createScriptedEngine } from '../dist/gpu/engines/scripted.js';
import { teacher } from '../dist/gpu/engines/scripted-teacher.js';
import { tinyRenderer } from '../dist/gpu/tokens/tiny.js';
import { vocabularyOf } from '../dist/gpu/tokens/vocabulary.js';
import { aspectsAt } from '../dist/learning/curriculum.js';
import { unpack } from '../dist/protocol/codec.js';
import { groupId, stepId, taskId } from '../dist/protocol/ids.js';
import { Journal } from '../dist/record/journal.js';
import { seedOf, stream } from '../dist/random.js';
import { builtinTools, heldOutDomains } from '../dist/simulation/procedural/families.js';
import { lexicon } from '../dist/simulation/procedural/lexicon.js';
import { oracle, play } from '../dist/simulation/procedural/oracle.js';
import { writeTask } from '../dist/simulation/procedural/task.js';
import { repositoryOf, subset } from '../dist/tools/repository.js';

const members = 8;
const renderer = tinyRenderer(vocabularyOf(lexicon));
const repository = repositoryOf(builtinTools, { categories: heldOutDomains });
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function jobAt(step, index, difficulty) {
  const seed = seedOf('bench', step, index);
  const draws = stream(seed);
  const aspects = aspectsAt(difficulty, draws, 0.5);
  const task = writeTask({
    id: taskId(stepId(step), index),
    split: 'train',
    difficulty,
    aspects,
    tools: subset(repository, aspects.tools.value, draws, 'train'),
    seed,
  });
  return {
    run: 'bench',
    step: stepId(step),
    group: groupId(task.id),
    task,
    members,
    minimumScored: 2,
    seed: 1,
    version: 0,
    sampling: { temperature: 1, maxTokens: 48, contextLength: 1024 },
    deadlines: { turnMs: 600_000, episodeMs: 600_000, groupMs: 600_000 },
    attempts: 3,
    askAttempts: 3,
  };
}

function house({ window, file, skill = 0.9, park = () => false }) {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-bench-'));
  const journal = Journal.open(dir, { run: 'bench' });
  const taught = teacher({ renderer, turnsOf: (task) => play(task, oracle).turns, skill: () => skill });
  const scripted = createScriptedEngine({ policy: taught.policy, clock: systemClock, concurrency: 65_536 });
  const engine = {
    ...scripted,
    generate: (request, signal) => (park(request) ? new Promise(() => {}) : scripted.generate(request, signal)),
  };
  const record = (frame) => {
    journal.append(frame);
    if (frame.kind === 'group.sealed') void journal.flush({ sync: true });
  };
  const broker = createBroker({ engine, clock: systemClock, record, seed: 1, stallMs: 600_000 });
  const cast = { kind: 'procedural', world: {}, words: [...lexicon] };
  const pool = createRolloutPool({
    broker,
    clock: systemClock,
    cast,
    record,
    recordPacked: (bytes) => journal.appendPacked(bytes),
    workers: 2,
    window,
    ...(file && { file }),
  });
  const close = async () => {
    await pool.close();
    await journal.close();
    rmSync(dir, { recursive: true });
  };
  return { broker, pool, journal, learn: (jobs) => jobs.forEach((job) => taught.learn(job.group, job.task)), close };
}

const percentile = (histogram) => ({ p50: histogram.percentile(50) / 1e6, p99: histogram.percentile(99) / 1e6 });

async function throughput(episodes) {
  const groups = Math.ceil(episodes / members);
  const at = house({ window: 16 });
  const roll = async (step, count) => {
    const jobs = Array.from({ length: count }, (_, index) => jobAt(step, index, 1 + ((index * 13) % 100)));
    at.learn(jobs);
    return jobs;
  };
  const never = new AbortController().signal;
  await at.pool.roll(await roll(1, 32), { signal: never, deadlineMs: 600_000 });
  const jobs = await roll(2, groups);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await rest(2_000);
  const idle = percentile(delay);
  delay.reset();
  const before = {
    calls: at.broker.status().answered,
    bytes: at.journal.tally.bytes,
    cpu: process.cpuUsage(),
    loop: performance.eventLoopUtilization(),
  };
  const started = performance.now();
  const sealed = await at.pool.roll(jobs, { signal: never, deadlineMs: 600_000 });
  const seconds = (performance.now() - started) / 1000;
  const cpu = process.cpuUsage(before.cpu);
  const loop = performance.eventLoopUtilization(before.loop).utilization;
  const busy = percentile(delay);
  delay.disable();
  const turns = at.broker.status().answered - before.calls;
  const rolled = sealed.map(({ bytes }) => unpack(bytes));
  const said = rolled
    .flatMap((group) => group.episodes)
    .reduce((sum, episode) => sum + episode.turns.filter((turn) => turn.role === 'agent').length, 0);
  const ok = said === turns && rolled.every((group) => group.missing.length === 0 && group.episodes.length === members);
  const result = {
    ok,
    episodes: groups * members,
    turns,
    seconds,
    turnsPerSecond: turns / seconds,
    cpuMicrosecondsPerTurn: (cpu.user + cpu.system) / turns,
    coordinatorBusy: loop,
    journalBytesPerTurn: (at.journal.tally.bytes - before.bytes) / turns,
    eventLoopDelayMs: { idle, busy, p99AboveIdle: busy.p99 - idle.p99 },
  };
  await at.close();
  return result;
}

/** Episodes parked in their third model call, with two answered turns behind them. */
async function memory(open) {
  const header = renderer.extend([], true);
  const turnsBehind = ({ ids }) => {
    let count = -1;
    for (let i = 0; i + 1 < ids.length; i++) if (ids[i] === header[0] && ids[i + 1] === header[1]) count++;
    return count;
  };
  const channel = new BroadcastChannel('troupe-bench-memory');
  const heaps = async () => {
    const parts = [];
    channel.onmessage = ({ data }) => data.heap !== undefined && parts.push(data.heap);
    channel.postMessage({ ask: true });
    for (let waited = 0; parts.length < 2 && waited < 60_000; waited += 100) await rest(100);
    globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    if (parts.length !== 2) throw new Error(`${parts.length} workers answered`);
    return { workers: parts.reduce((sum, heap) => sum + heap, 0), coordinator: heapUsed + external };
  };
  const groups = open / members;
  const at = house({
    window: groups / 2,
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
    if (play(job.task, oracle).turns.filter((turn) => turn.role === 'agent').length >= 3) jobs.push(job);
  }
  at.learn(jobs);
  const before = await heaps();
  const cancel = new AbortController();
  const rolling = at.pool.roll(jobs, { signal: cancel.signal, deadlineMs: 600_000 }).catch((error) => error.name);
  while (at.broker.waits().filter((wait) => wait.state === 'asked').length < groups * members) {
    if (at.pool.tally.deaths > 0) throw new Error(`${at.pool.tally.deaths} workers died`);
    await rest(200);
  }
  await rest(500);
  const after = await heaps();
  const perEpisode = { workers: (after.workers - before.workers) / open, coordinator: (after.coordinator - before.coordinator) / open };
  cancel.abort();
  const ok = (await rolling) === 'CancelledFault';
  channel.close();
  await at.close();
  return { ok, open, bytesPerEpisode: perEpisode.workers + perEpisode.coordinator, ...perEpisode };
}

const [mode = 'all', size] = process.argv.slice(2);
if (mode === 'throughput') console.log(JSON.stringify(await throughput(Number(size))));
else if (mode === 'memory') console.log(JSON.stringify(await memory(Number(size))));
else {
  const run = (...args) =>
    JSON.parse(
      execFileSync(process.execPath, ['--expose-gc', fileURLToPath(import.meta.url), ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
  const speed = run('throughput', mode === 'all' ? '6000' : mode);
  const sizes = [1_000, 4_000, 16_000].map((open) => run('memory', String(open)));
  console.log(
    JSON.stringify(
      { bench: 'episode', node: process.version, ok: speed.ok && sizes.every(({ ok }) => ok), ...speed, memory: sizes },
      null,
      2,
    ),
  );
}
process.exit(0);
