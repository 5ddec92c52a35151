/** The scripted engine keeps the contract it is the reference of, with and without latency. */
import { createScriptedEngine, type ScriptedPolicy } from '../src/gpu/engines/scripted.ts';
import { stream } from '../src/random.ts';
import { describeEngine } from './support/engine-conformance.ts';
import { systemClock } from '../src/actors/clock.ts';

const stop = [2];
/** Ids 3..9 until the stop id is drawn, or for ever where nothing stops it. */
const babbling: ScriptedPolicy = (request, seed) => {
  const chance = stream(seed);
  const ids: number[] = [];
  while (ids.length < request.maxTokens) {
    if (request.stop.length > 0 && chance.chance(0.2)) return [...ids, 2];
    ids.push(3 + ((chance.int(7) + request.ids.length) % 7));
  }
  return ids;
};

for (const latencyMs of [0, 2]) {
  describeEngine(`scripted, ${latencyMs} ms`, () => ({
    engine: createScriptedEngine({ policy: babbling, clock: systemClock, latencyMs, concurrency: 4, contextLength: 256 }),
    prompt: (index) => Int32Array.from({ length: 5 + index }, (_, i) => 3 + i),
    stop,
    weights: (version) => ({ version, kind: 'full', dir: '/nowhere', sha256: '0'.repeat(64) }),
  }));
}
