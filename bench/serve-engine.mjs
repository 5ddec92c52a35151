// The engine of the serving benches: the run's own vLLM engine over a real socket.
import { systemClock } from '../dist/actors/clock.js';
import { createVllmEngine } from '../dist/gpu/engines/vllm.js';

const weights = { version: 0, kind: 'full', dir: '/nowhere', sha256: '' };

/** At the server of bench/serve-server.mjs, which has no model to be probed; a socket for each open episode. */
export async function engineAt(url, open) {
  const connections = Math.min(open, 16_384);
  const engine = createVllmEngine({
    url,
    clock: systemClock,
    weights,
    adapterPrefix: 'bench',
    contextLength: 4096,
    concurrency: open,
    connections,
    probed: false,
  });
  await engine.ready();
  return engine;
}
