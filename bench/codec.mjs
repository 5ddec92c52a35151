// Packing and unpacking the three messages a run is made of: a model call, its reply, a sealed group; beside JSON and structured clone of the same values.
// Run after `npm run build`:  node bench/codec.mjs   Prints one JSON object; microseconds per message, median of 15 rounds.
import { isDeepStrictEqual } from 'node:util';
import { pack, unpack } from '../dist/protocol/codec.js';

const ids = (length) => Int32Array.from({ length }, (_, i) => (i * 37) % 448);
const floats = (length) => Float32Array.from({ length }, (_, i) => -i / 97);
const call = { type: 'broker.ask', call: 7, kind: 'tokens', request: { id: 'a'.repeat(32), role: 'policy', version: 3, ids: ids(160), n: 1, seed: 123456789, stop: [3], maxTokens: 48, temperature: 1, priority: 8, group: 's00001.t003', deadlineMs: 30000 } };
const reply = { id: 'a'.repeat(32), version: 3, samples: [{ ids: ids(20), logprobs: floats(20), finish: 'stop' }] };
const turn = (i) => ({ role: 'agent', thought: 'book', text: '', calls: [{ name: `ka_lor_${i}`, arguments: { slot: 'anna', size: 3 } }] });
const episode = (member) => ({ id: `s00001.t003.e0${member}`, group: 's00001.t003', task: 's00001.t003', member, attempt: 1, turns: Array.from({ length: 9 }, (_, i) => turn(i)), traces: [ids(4 * 240)], outcome: { kind: 'scored', verdict: { reward: 1, gates: [], criteria: [] } }, reward: 1, policy: { start: 3, end: 3 }, seed: 5 });
const group = { id: 's00001.t003', step: 's00001', task: { id: 's00001.t003', tools: Array.from({ length: 8 }, (_, i) => ({ name: `ka_lor_${i}`, description: 'book', parameters: { type: 'object', properties: { slot: { type: 'string' }, size: { type: 'integer' } } } })) }, episodes: Array.from({ length: 8 }, (_, i) => episode(i)), missing: [], status: 'sealed', sealedBy: 'complete' };

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
function time(fn, times) {
  const rounds = Array.from({ length: 15 }, () => {
    const started = performance.now();
    for (let i = 0; i < times; i++) fn();
    return ((performance.now() - started) * 1000) / times;
  });
  return median(rounds.slice(3));
}
const asJson = (value) => JSON.stringify(value, (_, v) => (ArrayBuffer.isView(v) ? Array.from(v) : v));

const result = { bench: 'codec', node: process.version, ok: true };
for (const [name, value, times] of [['call', call, 2000], ['reply', reply, 3000], ['group', group, 100]]) {
  const bytes = pack(value);
  const json = asJson(value);
  result.ok &&= isDeepStrictEqual(unpack(bytes), value);
  result[name] = {
    bytes: bytes.length, jsonBytes: json.length,
    pack: time(() => pack(value), times), unpack: time(() => unpack(bytes), times),
    jsonWrite: time(() => asJson(value), times), jsonRead: time(() => JSON.parse(json), times),
    structuredClone: time(() => structuredClone(value), times),
  };
}
console.log(JSON.stringify(result, null, 2));
