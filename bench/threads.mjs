// Processor seconds of this process by kind of thread. Knows no bench.
import { readdirSync, readFileSync } from 'node:fs';

/** Thread → processor seconds so far; empty where the system does not tell. */
export function threadSeconds() {
  try {
    return new Map(
      readdirSync('/proc/self/task').map((thread) => {
        const fields = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ')[1].split(' ');
        return [Number(thread), (Number(fields[11]) + Number(fields[12])) / 100];
      }),
    );
  } catch {
    return new Map();
  }
}

/** The busiest threads beside the main one are the workers; the rest collects garbage and compiles. */
export function byKind(before, after, workers) {
  const spent = [...after].map(([thread, seconds]) => ({ thread, seconds: seconds - (before.get(thread) ?? 0) }));
  const coordinator = spent.find(({ thread }) => thread === process.pid)?.seconds ?? 0;
  const others = spent
    .filter(({ thread }) => thread !== process.pid)
    .map(({ seconds }) => seconds)
    .sort((a, b) => b - a);
  const sum = (list) => list.reduce((total, seconds) => total + seconds, 0);
  return { coordinator, workers: sum(others.slice(0, workers)), helpers: sum(others.slice(workers)) };
}
