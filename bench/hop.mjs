// One model call's way between two threads over the line of actors/port.ts: there and back, alone and with 32 in flight.
// Run after `npm run build`:  node bench/hop.mjs [--quick]
import { isMainThread, MessageChannel, Worker, workerData } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { openLine } from '../dist/actors/port.js';
import { pack } from '../dist/protocol/codec.js';
import { figure, finish, isQuick, median, timed } from './measure.mjs';

const reply = pack({
  id: 'a'.repeat(32),
  version: 3,
  samples: [{ ids: Int32Array.from({ length: 20 }, (_, i) => i), logprobs: new Float32Array(20), finish: 'stop' }],
});

if (!isMainThread) {
  const line = openLine(workerData.port, ({ call }) => line.say({ type: 'call.answered', call, bytes: reply }));
} else {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { port: port2 }, transferList: [port2] });
  const request = {
    id: 'a'.repeat(32),
    role: 'policy',
    version: 3,
    ids: Int32Array.from({ length: 160 }, (_, i) => i),
    n: 1,
    seed: 1,
    stop: [3],
    maxTokens: 48,
    temperature: 1,
    priority: 1,
    group: 's00001.t003',
    deadlineMs: 30000,
  };
  const waiting = new Map();
  const line = openLine(port1, ({ call, bytes }) => {
    waiting.get(call)(bytes);
    waiting.delete(call);
  });
  let number = 0;
  let wrong = 0;
  const ask = () =>
    new Promise((resolve) => {
      waiting.set(++number, (bytes) => {
        if (bytes.length !== reply.length) wrong++;
        resolve();
      });
      line.say({ type: 'broker.ask', call: number, kind: 'tokens', request });
    });
  /** Microseconds a call. */
  const rate = async (inFlight, calls) => {
    const { wall, cpu } = await timed(() =>
      Promise.all(
        Array.from({ length: inFlight }, async () => {
          for (let i = 0; i < calls / inFlight; i++) await ask();
        }),
      ),
    );
    return { wall: (wall * 1e6) / calls, cpu: (cpu * 1e6) / calls };
  };
  const [few, many] = isQuick ? [1_000, 6_400] : [3_000, 19_200];
  await rate(32, many);
  const rounds = { alone: [], pipelined: [] };
  for (let i = 0; i < (isQuick ? 3 : 7); i++) {
    rounds.alone.push(await rate(1, few));
    rounds.pipelined.push(await rate(32, many));
  }
  const of = (kind, clock) => median(rounds[kind].map((round) => round[clock]));
  finish({
    ok: wrong === 0 && waiting.size === 0,
    figures: [
      figure('one call at a time, there and back', of('alone', 'wall'), 'µs', 'less'),
      figure('32 in flight, per call', of('pipelined', 'wall'), 'µs', 'less'),
      figure('32 in flight, processor time per call, both threads', of('pipelined', 'cpu'), 'µs', 'less'),
    ],
    notes: ['A request of 160 ids and a reply of 20 ids with log-probs, packed, transferred and unpacked each way.'],
  });
  await worker.terminate();
}
