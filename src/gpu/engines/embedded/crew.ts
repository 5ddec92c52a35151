/** The threads that compute. The caller blocks while they work: jobs are handed out as lanes come free, results keep the order of the jobs. */
import { existsSync } from 'node:fs';
import { MessageChannel, Worker } from 'node:worker_threads';

import { artifact } from './artifact.ts';
import type { LaneSeed } from './lane.ts';
import { openLane } from './lane.ts';
import type { Line, LineMessage } from './line.ts';
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
        try {
          const doing = perform(lane, job);
          let step = doing.next();
          while (!step.done) step = doing.next(answer(step.value));
          return step.value as Results[K];
        } finally {
          lane.arena.reset();
        }
      }),
    close: () => undefined,
  };
}

interface Member {
  readonly worker: Worker;
  readonly line: Line;
}

/** As many helper threads as seeds; the caller's own thread only hands out work and answers. */
export function threadedCrew(seeds: readonly LaneSeed[]): Crew {
  const entry = artifact('./crew-thread.js');
  if (!existsSync(entry)) throw new Error(`the kernel threads' entry is missing (${entry.pathname}): run \`npm run build\``);
  const signals = new Int32Array(new SharedArrayBuffer(4 * (seeds.length + 1)));
  const members = seeds.map((seed): Member => {
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(entry, { workerData: { seed, port: port2, signals }, transferList: [port2], execArgv: [] });
    // A script that forgets close() must still end.
    worker.unref();
    port1.unref();
    return { worker, line: openLine(port1, signals, { mine: 0, theirs: seed.index + 1 }) };
  });
  let closed = false;
  return {
    lanes: seeds.length,
    run: <K extends Job['kind']>(jobs: readonly Extract<Job, { kind: K }>[], answer: AnswerTo = unasked) => {
      if (closed) throw new Error('the embedded engine is closed');
      return hand(members, jobs, answer) as Results[K][];
    },
    close: () => {
      closed = true;
      for (const { worker, line } of members) {
        line.send({ kind: 'close' });
        void worker.terminate();
      }
    },
  };
}

/** Hands jobs out as lanes come free. After a fault no job is begun, and those under way are waited for, so that every lane is idle in the end. */
function hand(members: readonly Member[], jobs: readonly Job[], answer: AnswerTo): Result[] {
  const results: Result[] = [];
  const doing = new Map<Member, number>(); // the job each busy lane has
  let fault: Error | undefined;
  let next = 0;
  const assign = (member: Member): void => {
    const job = jobs[next];
    if (job === undefined || fault) return;
    doing.set(member, next++);
    member.line.send({ kind: 'job', job });
  };
  const reply = (member: Member, question: Question): void => {
    try {
      member.line.send({ kind: 'answer', answer: answer(question) });
    } catch (cause) {
      fault ??= cause instanceof Error ? cause : new Error(String(cause));
      member.line.send({ kind: 'abandon' });
    }
  };
  const hear = (member: Member, message: LineMessage): void => {
    if (message.kind === 'question') {
      reply(member, message.question);
      return;
    }
    if (message.kind === 'result') results[doing.get(member) as number] = message.result;
    if (message.kind === 'fault') fault ??= new Error(message.message);
    doing.delete(member);
    assign(member);
  };
  for (const member of members) assign(member);
  while (doing.size > 0) {
    const mark = members[0]?.line.mark() ?? 0;
    const heard = members.map((member) => [member, member.line.poll()] as const).filter(([, message]) => message !== undefined);
    for (const [member, message] of heard) hear(member, message as LineMessage);
    if (heard.length === 0) members[0]?.line.wait(mark);
  }
  if (fault) throw fault;
  return results;
}
