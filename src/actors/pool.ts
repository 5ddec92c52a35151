/**
 * Threads: a Piscina that comes back. It keeps so many threads alive, runs tasks on them, and says which one died; it knows no group.
 * Three of Piscina's ways are guarded against: its default atomics freeze a worker's event loop between tasks; after one failure at boot it never refills;
 * and it first tries to `require` the entry, where Node (seen in 20.20) ends the whole process if the thread is terminated at that moment.
 */
import type { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Clock } from './clock.ts';
import type { HostTask } from './host.ts';

export interface ThreadPoolOptions {
  /** Module whose default export runs one task. Built code: Node 20 threads load no TypeScript. */
  readonly file: URL;
  readonly threads: number;
  /** Tasks one thread may hold. */
  readonly window: number;
  /** JavaScript heap of one thread in MB; beyond it the thread ends and the process lives. */
  readonly heapMb: number;
  readonly clock: Clock;
  /** A thread ended without being asked to. */
  onDeath(thread: number, reason: string): void;
}

export interface ThreadPool {
  /** Rejects when the task rejects or its thread dies. */
  run(task: HostTask): Promise<void>;
  readonly threads: readonly number[];
  /** Ends a thread at once; its tasks reject and another takes its place. */
  kill(thread: number): void;
  /** Ends all threads; what still runs rejects. */
  close(): Promise<void>;
}

/** Of a thread's heap, where new objects lie. */
const nurseryMb = 48;

/** Pauses before a pool that cannot boot is made anew: a file that is being replaced is back within seconds. */
const firstPauseMs = 100;
const longestPauseMs = 2_000;

export function createThreadPool(options: ThreadPoolOptions): ThreadPool {
  const { file, threads, window, heapMb, clock } = options;
  const watched = new WeakSet<Worker>();
  let closing = false;
  let pauseMs = firstPauseMs;
  let mending = false;
  let reason = '';
  let pool = make();

  function make(): Piscina {
    const made = new Piscina({
      filename: file.href,
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: window,
      maxQueue: threads * window,
      atomics: 'disabled',
      idleTimeout: Infinity,
      recordTiming: false,
      closeTimeout: 5_000,
      // So that the entry is imported, never required.
      execArgv: ['--no-experimental-require-module'],
      // The nursery has three semi-spaces of 16 MB, the default up to Node 22. With those of 64 MB that Node 24 has, 15 % of the processor time is saved, but a thread that runs out of memory
      // takes the process with it (seen in half the trials): at the limit Node leaves 16 MB, less than one scavenge of such a nursery promotes.
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: nurseryMb },
    });
    // Emitted for a thread that fails with no task to blame; unheard it would end the process.
    made.on('error', (error: Error) => {
      reason = error.message;
      later();
    });
    made.on('workerCreate', later);
    made.on('workerDestroy', later);
    setImmediate(watch, made);
    return made;
  }

  /** Piscina replaces a thread only after it has told of the old one's end. */
  function later(): void {
    setImmediate(watch, pool);
  }

  function watch(of: Piscina): void {
    if (of !== pool) return;
    for (const worker of of.threads) {
      if (watched.has(worker)) continue;
      watched.add(worker);
      const thread = worker.threadId;
      worker.once('error', (error) => (reason = error.message));
      worker.once('exit', (code) => {
        if (!closing) options.onDeath(thread, reason === '' ? `exit code ${code}` : reason);
        reason = '';
        later();
      });
    }
    if (of.threads.length >= threads) pauseMs = firstPauseMs;
    else if (!closing && !mending) mend();
  }

  /** The trap has sprung: this Piscina will not refill. Its living threads finish what they have. */
  function mend(): void {
    mending = true;
    clock.after(pauseMs, () => {
      mending = false;
      if (closing || pool.threads.length >= threads) return;
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      const old = pool;
      pool = make();
      void old.destroy().catch(() => undefined);
    });
  }

  return {
    run: (task) => pool.run(task, { transferList: [task.port, task.job.buffer] }) as Promise<void>,
    get threads() {
      return pool.threads.map((worker) => worker.threadId);
    },
    kill: (thread) => void pool.threads.find((worker) => worker.threadId === thread)?.terminate(),
    close: async () => {
      closing = true;
      await pool.destroy();
    },
  };
}
