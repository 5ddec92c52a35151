// Packing and unpacking the three messages a run is made of: a model call, its reply, a sealed group; beside JSON and structured clone of the same values.
// Run after `npm run build`:  node bench/codec.mjs [--quick]
import { isDeepStrictEqual } from 'node:util';
import { pack, unpack } from '../dist/protocol/codec.js';
import { figure, finish, isQuick, microseconds } from './measure.mjs';

const ids = (length) => Int32Array.from({ length }, (_, i) => (i * 37) % 448);
const floats = (length) => Float32Array.from({ length }, (_, i) => -i / 97);
const call = {
  type: 'broker.ask',
  call: 7,
  kind: 'tokens',
  request: {
    id: 'a'.repeat(32),
    role: 'policy',
    version: 3,
    ids: ids(160),
    n: 1,
    seed: 123456789,
    stop: [3],
    maxTokens: 48,
    temperature: 1,
    priority: 8,
    group: 's00001.t003',
    deadlineMs: 30000,
  },
};
const reply = { id: 'a'.repeat(32), version: 3, samples: [{ ids: ids(20), logprobs: floats(20), finish: 'stop' }] };
const turn = (i) => ({ role: 'agent', thought: 'book', text: '', calls: [{ name: `ka_lor_${i}`, arguments: { slot: 'anna', size: 3 } }] });
const episode = (member) => ({
  id: `s00001.t003.e0${member}`,
  group: 's00001.t003',
  task: 's00001.t003',
  member,
  attempt: 1,
  turns: Array.from({ length: 9 }, (_, i) => turn(i)),
  traces: [ids(4 * 240)],
  outcome: { kind: 'scored', verdict: { reward: 1, gates: [], criteria: [] } },
  reward: 1,
  policy: { start: 3, end: 3 },
  seed: 5,
});
const group = {
  id: 's00001.t003',
  step: 's00001',
  task: {
    id: 's00001.t003',
    tools: Array.from({ length: 8 }, (_, i) => ({
      name: `ka_lor_${i}`,
      description: 'book',
      parameters: { type: 'object', properties: { slot: { type: 'string' }, size: { type: 'integer' } } },
    })),
  },
  episodes: Array.from({ length: 8 }, (_, i) => episode(i)),
  missing: [],
  status: 'sealed',
  sealedBy: 'complete',
};

const asJson = (value) => JSON.stringify(value, (_, v) => (ArrayBuffer.isView(v) ? Array.from(v) : v));
const rounds = isQuick ? 5 : 12;

let ok = true;
const figures = [];
const rows = [];
for (const { name, value, times } of [
  { name: 'call', value: call, times: 2000 },
  { name: 'reply', value: reply, times: 3000 },
  { name: 'group', value: group, times: 100 },
]) {
  const bytes = pack(value);
  const json = asJson(value);
  ok &&= isDeepStrictEqual(unpack(bytes), value);
  const time = (work) => microseconds(work, times, rounds);
  const [packing, unpacking] = [time(() => pack(value)), time(() => unpack(bytes))];
  figures.push(figure(`${name}, pack`, packing, 'µs', 'less'), figure(`${name}, unpack`, unpacking, 'µs', 'less'));
  const others = [time(() => asJson(value)), time(() => JSON.parse(json)), time(() => structuredClone(value))];
  rows.push([name, bytes.length, json.length, ...[packing, unpacking, ...others].map((each) => each.toFixed(2))]);
}
finish({
  ok,
  figures,
  tables: [
    {
      title: 'Beside JSON (typed arrays as lists) and structured clone of the same values; times in µs.',
      head: ['message', 'bytes', 'JSON bytes', 'pack', 'unpack', 'JSON write', 'JSON read', 'structured clone'],
      rows,
    },
  ],
});
