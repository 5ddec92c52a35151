// One model call's way between two threads over the line of actors/port.ts: there and back, alone and with 32 in flight.
// Run after `npm run build`:  node bench/hop.mjs   Prints one JSON object.
import { isMainThread, MessageChannel, Worker, workerData } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { openLine } from '../dist/actors/port.js';
import { pack } from '../dist/protocol/codec.js';

const reply = pack({ id: 'a'.repeat(32), version: 3, samples: [{ ids: Int32Array.from({ length: 20 }, (_, i) => i), logprobs: new Float32Array(20), finish: 'stop' }] });

if (!isMainThread) {
  const line = openLine(workerData.port, ({ call }) => line.say({ type: 'call.answered', call, bytes: reply }));
} else {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { port: port2 }, transferList: [port2] });
  const request = { id: 'a'.repeat(32), role: 'policy', version: 3, ids: Int32Array.from({ length: 160 }, (_, i) => i), n: 1, seed: 1, stop: [3], maxTokens: 48, temperature: 1, priority: 1, group: 's00001.t003', deadlineMs: 30000 };
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
  const rate = async (inFlight, calls) => {
    const started = performance.now();
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        for (let i = 0; i < calls / inFlight; i++) await ask();
      }),
    );
    return ((performance.now() - started) * 1000) / calls;
  };
  await rate(32, 20_000);
  const rounds = { alone: [], pipelined: [] };
  for (let i = 0; i < 7; i++) {
    rounds.alone.push(await rate(1, 3_000));
    rounds.pipelined.push(await rate(32, 20_000));
  }
  const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
  const cpu = process.cpuUsage();
  await rate(32, 20_000);
  const used = process.cpuUsage(cpu);
  console.log(
    JSON.stringify(
      { bench: 'hop', node: process.version, ok: wrong === 0 && waiting.size === 0, microseconds: { alone: median(rounds.alone), pipelined: median(rounds.pipelined) }, cpuMicrosecondsPipelined: (used.user + used.system) / 20_000 },
      null,
      2,
    ),
  );
  await worker.terminate();
}
