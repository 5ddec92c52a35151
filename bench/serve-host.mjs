// The worker entry of bench/serve.mjs: the run's own host, with the bench's renderer and simulators for a cast.
import { runGroup } from '../dist/actors/group.js';
import { hostGroup } from '../dist/actors/host.js';
import { renderer, simulators } from './serve-world.mjs';

process.on('unhandledRejection', (reason) => {
  throw reason;
});

export default (task) => hostGroup(task, (job, _cast, ports, signal) => runGroup(job, { simulators, renderer, ...ports }, signal));
