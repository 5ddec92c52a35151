// How soon the first of many calls asked at once is answered, and what an open one weighs.  node --expose-gc bench/broker-queue.mjs '{"open":16384}'
import { finish } from './measure.mjs';
import { askAll, house, members } from './broker-play.mjs';

const { open } = JSON.parse(process.argv[2]);
const at = await house({ slots: 256, mean: 40 });
const broker = at.broker();
// Sockets, probes and compiled code are no part of it.
await Promise.all((await askAll({ broker, groups: 8, prompt: 300 })).answers);
const bytes = () => {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
const before = bytes();
const [began, cpu] = [performance.now(), process.cpuUsage()];
let firstMs;
const first = () => (firstMs ??= performance.now() - began);
const noted = { generate: (request, signal) => broker.generate(request, signal).finally(first) };
const of = Math.min(open, members);
const { answers, cancel } = await askAll({ broker: noted, groups: open / of, prompt: 400, of });
const askedMs = performance.now() - began;
await Promise.race(answers);
const used = process.cpuUsage(cpu);
const { waiting, inFlight } = broker.status();
const held = bytes() - before;
const rss = process.memoryUsage.rss() / 1e6;
cancel();
const ends = await Promise.allSettled(answers);
const refused = ends.filter((end) => end.status === 'rejected' && end.reason.name !== 'CancelledFault').length;
const { faulted } = broker.status();
await at.close();
finish({
  ok: refused === 0 && faulted === 0 && (open <= 256 || waiting > 0),
  open: answers.length,
  askedMs,
  firstMs,
  cpuMs: (used.user + used.system) / 1000,
  waiting,
  inFlight,
  bytes: held / answers.length,
  rss,
});
process.exit(0);
