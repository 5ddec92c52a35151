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

let lane: Lane | undefined;

function work(line: Line, job: Job): LineMessage {
  try {
    // Opened inside, so that a lane that cannot open is a fault with a message and not a silent thread.
    lane ??= openLane(seed);
    const doing = perform(lane, job);
    let step = doing.next();
    while (!step.done) {
      line.send({ kind: 'question', question: step.value });
      const reply = line.receive();
      step = reply.kind === 'answer' ? doing.next(reply.answer) : doing.throw(new Error(`unanswered: ${reply.kind}`));
    }
    return { kind: 'result', result: step.value };
  } catch (fault) {
    lane?.arena.reset();
    return { kind: 'fault', message: fault instanceof Error ? fault.message : String(fault) };
  }
}

enableRelaxedSimd();
const line = openLine(port, signals, { mine: seed.index + 1, theirs: 0 });
for (let message = line.receive(); message.kind === 'job'; message = line.receive()) line.send(work(line, message.job));
