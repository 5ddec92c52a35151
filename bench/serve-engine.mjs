// The engine of the serving benches: the run's own vLLM engine over a real socket.
import { systemClock } from '../dist/actors/clock.js';
import { createVllmEngine } from '../dist/gpu/engines/vllm.js';

const weights = { version: 0, kind: 'full', dir: '/nowhere', sha256: '' };

/** At the server of bench/serve-server.mjs, which has no model to be probed; `slots` calls at most are in flight, each with its socket. */
export async function engineAt(url, slots) {
  const engine = createVllmEngine({
    url,
    clock: systemClock,
    weights,
    adapterPrefix: 'bench',
    contextLength: 4096,
    concurrency: slots,
    connections: slots,
    probed: false,
  });
  await engine.ready();
  return engine;
}
