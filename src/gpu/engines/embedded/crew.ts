/** The threads that compute. The caller blocks while they work: jobs are handed out as lanes come free, results keep the order of the jobs. */
import { MessageChannel, Worker } from 'node:worker_threads';

import { artifact } from './artifact.ts';
import type { LaneSeed } from './lane.ts';
import { openLane } from './lane.ts';
import type { LineMessage } from './line.ts';
import { openLine } from './line.ts';
import type { Answer, Job, Question, Result, Results } from './work.ts';
import { perform } from './work.ts';

export type AnswerTo = (question: Question) => Answer;

export interface Crew {
  readonly lanes: number;
  run<K extends Job['kind']>(jobs: readonly Extract<Job, { kind: K }>[], answer?: AnswerTo): Results[K][];
  close(): void;
}

const unasked: AnswerTo = () => {
  throw new Error('this job asks no questions');
};

/** One lane in the caller's own thread. */
export function inlineCrew(seed: LaneSeed): Crew {
  const lane = openLane(seed);
  return {
    lanes: 1,
    run: <K extends Job['kind']>(jobs: readonly Extract<Job, { kind: K }>[], answer: AnswerTo = unasked) =>
      jobs.map((job) => {
        const idle = lane.arena.mark();
        try {
          const doing = perform(lane, job);
          let step = doing.next();
          while (!step.done) step = doing.next(answer(step.value));
          return step.value as Results[K];
        } finally {
          lane.arena.release(idle);
        }
      }),
    close: () => undefined,
  };
}

/** As many helper threads as seeds; the caller's own thread only hands out work and answers. */
export function threadedCrew(seeds: readonly LaneSeed[]): Crew {
  const signals = new Int32Array(new SharedArrayBuffer(4 * (seeds.length + 1)));
  const members = seeds.map((seed) => {
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(artifact('./crew-thread.js'), {
      workerData: { seed, port: port2, signals },
      transferList: [port2],
      execArgv: [],
    });
    // A script that forgets close() must still end.
    worker.unref();
    port1.unref();
    return { worker, line: openLine(port1, signals, { mine: 0, theirs: seed.index + 1 }) };
  });
  let broken: Error | undefined;

  const run = <K extends Job['kind']>(jobs: readonly Extract<Job, { kind: K }>[], answer: AnswerTo = unasked): Results[K][] => {
    if (broken) throw broken;
    const results: Result[] = [];
    const doing = new Map<number, number>(); // lane -> job
    let next = 0;
    const assign = (lane: number): void => {
      if (next >= jobs.length || broken) return;
      doing.set(lane, next);
      members[lane]?.line.send({ kind: 'job', job: jobs[next++] as Job });
    };
    const hear = (lane: number, message: LineMessage): void => {
      if (message.kind === 'question') {
        members[lane]?.line.send({ kind: 'answer', answer: answer(message.question) });
        return;
      }
      const job = doing.get(lane) as number;
      doing.delete(lane);
      if (message.kind === 'fault') broken = new Error(message.message);
      else if (message.kind === 'result') results[job] = message.result;
      assign(lane);
    };
    members.forEach((_, lane) => assign(lane));
    try {
      while (doing.size > 0) hearAny(members.map((member) => member.line), hear);
    } catch (fault) {
      // A lane left in mid-question cannot take another job.
      broken = fault instanceof Error ? fault : new Error(String(fault));
    }
    if (broken) throw broken;
    return results as Results[K][];
  };
  return {
    lanes: seeds.length,
    run,
    close: () => {
      broken = new Error('the embedded engine is closed');
      for (const { worker, line } of members) {
        line.send({ kind: 'close' });
        void worker.terminate();
      }
    },
  };
}

function hearAny(lines: readonly ReturnType<typeof openLine>[], hear: (lane: number, message: LineMessage) => void): void {
  const seen = lines[0]?.mark() ?? 0;
  let heard = false;
  lines.forEach((line, lane) => {
    const message = line.poll();
    if (!message) return;
    heard = true;
    hear(lane, message);
  });
  if (!heard) lines[0]?.wait(seen);
}
