// Preloaded into a run (node --import): when its process ends, one line of JSON with what it used goes to the file named by TROUPE_BENCH_USAGE.
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env.TROUPE_BENCH_USAGE;
if (isMainThread && file !== undefined) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    appendFileSync(
      file,
      `${JSON.stringify({ wall: performance.now() / 1000, cpu: (userCPUTime + systemCPUTime) / 1e6, maxMiB: maxRSS / 1024 })}\n`,
    );
  });
}
