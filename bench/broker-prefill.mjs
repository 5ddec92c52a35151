// Prompt tokens that servers must compute for the same calls: merged or one by one, kept where the group's prefixes are or sent anywhere.
//   node bench/broker-prefill.mjs '{"servers":2,"groups":64,"turns":3}'
import { uniform } from '../dist/random.js';
import { finish } from './measure.mjs';
import { groupOf, house, members, never, playGroup } from './broker-play.mjs';

const { servers, groups, turns } = JSON.parse(process.argv[2]);

async function way({ merged, pinned }) {
  const at = await house({ servers, slots: 64, mean: 60, timeScale: 0.2 });
  const brokers = pinned ? [at.broker()] : at.engines.map((engine) => at.broker([engine]));
  let draws = 0;
  const anywhere = () => brokers[Math.floor(uniform(1, draws++) * brokers.length)];
  const ask = (request) => anywhere().generate(request, never);
  const played = Array.from({ length: groups }, (_, index) =>
    playGroup({ group: groupOf(1, index), ask, turns, prompt: 900, heard: 40, apart: !merged }),
  );
  const said = (await Promise.all(played)).reduce((sum, tokens) => sum + tokens, 0);
  const stats = await at.stats();
  const answered = brokers.reduce((sum, broker) => sum + broker.status().answered, 0);
  await at.close();
  const sum = (key) => stats.reduce((total, each) => total + each[key], 0);
  return {
    merged,
    pinned,
    ok: answered === groups * members * turns && said === sum('generated') && sum('preemptions') === 0,
    said,
    requests: sum('requests'),
    queried: sum('queried'),
    cached: sum('cached'),
    computed: sum('prefilled'),
  };
}

const ways = [];
for (const how of [
  { merged: true, pinned: true },
  { merged: false, pinned: true },
  { merged: true, pinned: false },
  { merged: false, pinned: false },
])
  ways.push(await way(how));
const [best, worst] = [ways[0], ways.at(-1)];
const shares = ways.map((each) => ({ ...each, share: each.computed / worst.computed }));
finish({ ok: ways.every(({ ok }) => ok), ways: shares, share: best.computed / worst.computed });
process.exit(0);
