// What bench/broker.mjs plays: groups of members that take turns of tokens, straight at the broker, against fake servers with the time model of one H100.
// No actors and no threads: what is measured is the order in which calls start and what the servers make of it.
import { setMaxListeners } from 'node:events';
import { systemClock } from '../dist/actors/clock.js';
import { createBroker } from '../dist/gpu/broker.js';
import { fakeStats, launchFake } from '../dist/gpu/engines/fake.js';
import { createVllmEngine } from '../dist/gpu/engines/vllm.js';
import { seedOf } from '../dist/random.js';

export const members = 8;
const stop = 3;
/** Never aborted, by however many calls it is heard. */
export const never = new AbortController().signal;
setMaxListeners(0, never);

/** So many servers, each with its engine; heavy-tailed replies of `mean` tokens. */
export async function house({ servers = 1, slots, reserve = 0, mean, sigma = 0.8, timeScale = 1 }) {
  const fakes = await Promise.all(
    Array.from({ length: servers }, () =>
      launchFake({
        clock: systemClock,
        vocabulary: 32_768,
        contextLength: 16_384,
        maxSequences: slots,
        length: { mean, sigma },
        timeScale,
        // A prompt's key-value state of all the slots' sequences fits: what is measured is order, not preemption.
        blocks: 65_536,
      }),
    ),
  );
  const engines = fakes.map(({ url }) =>
    createVllmEngine({
      url,
      clock: systemClock,
      weights: { version: 0, kind: 'full', dir: '/nowhere', sha256: '' },
      adapterPrefix: 'bench',
      contextLength: 16_384,
      concurrency: slots + reserve,
      connections: slots + reserve,
      probed: false,
    }),
  );
  await Promise.all(engines.map((engine) => engine.ready()));
  const brokers = [];
  return {
    /** A broker over these engines, or over all. */
    broker: (over = engines) => {
      const broker = createBroker({ engines: over, clock: systemClock, record: () => {}, seed: 1, stallMs: 600_000, capacity: 65_536 });
      brokers.push(broker);
      return broker;
    },
    engines,
    stats: () => Promise.all(fakes.map(({ url }) => fakeStats(url, AbortSignal.timeout(10_000)))),
    close: async () => {
      await Promise.all(brokers.map((broker) => broker.close()));
      await Promise.all(engines.map((engine) => engine.close()));
      await Promise.all(fakes.map((fake) => fake.close()));
    },
  };
}

const promptOf = (group, length) => Int32Array.from({ length }, (_, i) => 8 + ((seedOf('prompt', group) + i * 7919) % 32_000));

function extended(ids, said, heard, turn) {
  const next = new Int32Array(ids.length + said.length + heard);
  next.set(ids);
  next.set(said, ids.length);
  for (let i = 0; i < heard; i++) next[ids.length + said.length + i] = 8 + ((turn * 31 + i * 17) % 32_000);
  return next;
}

let serial = 0;
const requestOf = ({ group, ids, seed, left, maxTokens }) => ({
  id: `bench-${serial++}`,
  role: 'policy',
  version: 0,
  ids,
  n: 1,
  seed,
  stop: [stop],
  maxTokens,
  temperature: 1,
  priority: left,
  group,
  deadlineMs: 3_600_000,
});

/** Name of a group: steps order first. */
export const groupOf = (step, index) => `s${String(step).padStart(5, '0')}.t${String(index).padStart(3, '0')}`;

/**
 * Plays one group to its end. `ask(request, member)` answers; `apart`: siblings' first seeds do not follow each other, so that nothing is merged.
 * `prompt` tokens open it, `heard` tokens come between two of its `turns`. Resolves with the tokens said.
 */
export async function playGroup({ group, ask, turns, prompt, heard, apart = false, maxTokens = 4096 }) {
  const opening = promptOf(group, prompt);
  const shared = Math.floor(seedOf('group', group) / 4);
  let left = members;
  const play = async (member) => {
    let ids = opening;
    let said = 0;
    for (let turn = 1; turn <= turns; turn++) {
      const first = apart ? (shared + member) * 2 : shared + member;
      const seed = turn === 1 ? first : seedOf('turn', group, member, turn);
      const { samples } = await ask(requestOf({ group, ids, seed, left, maxTokens }), member, turn);
      said += samples[0].ids.length;
      ids = extended(ids, samples[0].ids, heard, turn);
    }
    left--;
    return said;
  };
  const each = await Promise.all(Array.from({ length: members }, (_, member) => play(member)));
  return each.reduce((sum, tokens) => sum + tokens, 0);
}

/**
 * First turns of so many groups; the groups of one worker's message are asked in one turn of the event loop. Resolves when all are asked, with their answers to come
 * and the way to give them up. Each call has a signal of its own, as in a run.
 */
export async function askAll({ broker, groups, prompt, of = members }) {
  const answers = [];
  const aborts = [];
  for (let index = 0; index < groups; index++) {
    if (index % 16 === 15) await new Promise(setImmediate);
    const group = groupOf(1, index);
    const opening = promptOf(group, prompt);
    const shared = Math.floor(seedOf('group', group) / 4);
    for (let member = 0; member < of; member++) {
      const abort = new AbortController();
      aborts.push(abort);
      answers.push(broker.generate(requestOf({ group, ids: opening, seed: shared + member, left: of, maxTokens: 4096 }), abort.signal));
    }
  }
  return { answers, cancel: () => aborts.forEach((abort) => abort.abort()) };
}
