/** The fake server as a process: flags in, one line `{"url": …}` out, then it serves until its standard input ends. Being a process's root, it has the clock. */
import { setTimeout as wait, clearTimeout as unwait } from 'node:timers';
import type { Clock } from '../../clock.ts';
import { openHouse } from './house.ts';
import { readFlags } from './settings.ts';

const clock: Clock = {
  now: () => performance.now(),
  after: (ms, wake) => {
    const timer = wait(wake, Math.max(0, ms));
    return () => {
      unwait(timer);
    };
  },
};

try {
  const { options, port } = readFlags(process.argv.slice(2));
  const house = await openHouse({
    ...options,
    port,
    clock,
    epoch: Math.floor(performance.timeOrigin / 1000),
    crash: () => process.exit(1),
  });
  process.stdout.write(`${JSON.stringify({ url: house.url })}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(2);
}
// Whoever started it holds the other end: it never outlives them.
process.stdin.on('close', () => process.exit(0)).on('error', () => process.exit(0));
process.stdin.resume();
