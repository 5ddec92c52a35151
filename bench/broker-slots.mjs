// How full the broker keeps one server's slots: steps of groups, so many of them in flight.  node bench/broker-slots.mjs '{"slots":128,"mean":100,"turns":3,"tasks":16,"steps":16,"ahead":4}'
import { finish, timed } from './measure.mjs';
import { groupOf, house, members, never, playGroup } from './broker-play.mjs';

const { slots, mean, turns, tasks, steps, ahead, reserve = 0 } = JSON.parse(process.argv[2]);
const at = await house({ slots, reserve, mean });
const broker = at.broker();
const ask = (request) => broker.generate(request, never);
let answered = 0;

async function step(number) {
  const groups = Array.from({ length: tasks }, (_, index) =>
    playGroup({ group: groupOf(number, index), ask, turns, prompt: 400, heard: 40 }),
  );
  await Promise.all(groups);
  answered += tasks * members * turns;
}
/** Begins the next step when fewer than `ahead` are under way; returns when the last has begun. */
async function play() {
  const open = new Set();
  const all = [];
  for (let number = 1; number <= steps; number++) {
    while (open.size >= ahead) await Promise.race(open);
    const over = step(number).finally(() => open.delete(over));
    open.add(over);
    all.push(over);
  }
  return all;
}

let loaded;
/** What the broker believes: slots it had filled, the way there and back included. */
let sent;
const { cpu } = await timed(async () => {
  const all = await play();
  // All steps have begun; from the moment nothing waits, slots can only empty.
  while (broker.status().waiting > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  sent = broker.status().occupancy;
  [loaded] = await at.stats();
  await Promise.all(all);
});
const [end] = await at.stats();
const status = broker.status();
const calls = steps * tasks * members * turns;
await at.close();
const bound = (stats) => ({
  occupancy: stats.occupancy,
  makespan: stats.makespanMs / 1000,
  bound: stats.floorMs / 1000,
  overBound: stats.makespanMs / stats.floorMs,
});
finish({
  ok: answered === calls && status.answered === calls && status.faulted === 0 && status.repeated === 0,
  ahead,
  steps,
  slots,
  reserve,
  calls,
  sent,
  ...bound(loaded),
  end: bound(end),
  cpuMs: (cpu * 1000) / calls,
});
process.exit(0);
