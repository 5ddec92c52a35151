// The worker entry of bench/episode.mjs, which can also be asked for the bytes its heap holds.
import v8 from 'node:v8';
import vm from 'node:vm';

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');
const channel = new BroadcastChannel('troupe-bench-memory');
channel.onmessage = ({ data }) => {
  if (data.ask === undefined) return;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  channel.postMessage({ heap: heapUsed + external });
};
channel.unref();

export { default } from '../dist/actors/worker.js';
