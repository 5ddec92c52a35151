/** The entry of a helper thread: opens its lane and does one job after another until told to close. */
import { workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';

import { enableRelaxedSimd } from './kernels.ts';
import type { Lane, LaneSeed } from './lane.ts';
import { openLane } from './lane.ts';
import type { Line, LineMessage } from './line.ts';
import { openLine } from './line.ts';
import type { Job } from './work.ts';
import { perform } from './work.ts';

const { seed, port, signals } = workerData as { seed: LaneSeed; port: MessagePort; signals: Int32Array };

function work(lane: Lane, line: Line, job: Job): LineMessage {
  const idle = lane.arena.mark();
  try {
    const doing = perform(lane, job);
    let step = doing.next();
    while (!step.done) {
      line.send({ kind: 'question', question: step.value });
      const reply = line.receive();
      if (reply.kind !== 'answer') return { kind: 'fault', message: `expected an answer, got ${reply.kind}` };
      step = doing.next(reply.answer);
    }
    return { kind: 'result', result: step.value };
  } catch (fault) {
    return { kind: 'fault', message: fault instanceof Error ? fault.message : String(fault) };
  } finally {
    lane.arena.release(idle);
  }
}

enableRelaxedSimd();
const line = openLine(port, signals, { mine: seed.index + 1, theirs: 0 });
const lane = openLane(seed);
for (let message = line.receive(); message.kind === 'job'; message = line.receive()) line.send(work(lane, line, message.job));
