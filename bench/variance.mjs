// What simulators add to the variance of rewards within groups: every member makes the same calls and says the same (the oracle's), tools are played through prompts by the fake server's
// brain, and a stated share of its answers differs from prompt to prompt, each a possible one. With one world for all members, and with one for each. User and judge are code.
// Run after `npm run build`:  node bench/variance.mjs [--quick]
import { systemClock } from '../dist/actors/clock.js';
import { runGroup } from '../dist/actors/group.js';
import { createBrain, rightBrain } from '../dist/gpu/engines/fake/brain.js';
import { teacher } from '../dist/gpu/engines/scripted-teacher.js';
import { seedOf } from '../dist/random.js';
import { lmSimulators } from '../dist/simulation/lm/simulators.js';
import { proceduralSimulators } from '../dist/simulation/procedural/simulators.js';
import { jobAt, members, renderer, turnsOf } from './episode-house.mjs';
import { figure, finish, isQuick } from './measure.mjs';

const groups = isQuick ? 60 : 400;
const shares = [0.1, 0.25, 0.5];
const all = (value) => ({ task: value, user: value, tool: value, judge: value });
const settings = {
  dialect: 'prose',
  temperature: all(0),
  maxTokens: all(1024),
  structured: true,
  worldCharacters: 16_384,
  branches: { call: 1, ask: 0, answer: 0, none: 0 },
  gates: true,
};
const coded = proceduralSimulators();
const simulators = { ...coded, tool: lmSimulators(settings).tool };
const simulation = { roles: ['tool'], cache: true, toolSeesIntent: false, fidelity: 0.5, votes: 1, scope: 'episode' };
const signal = new AbortController().signal;

/** One group, and how many prompts it cost. Seeded by the request and by how many came before: a server that never answers twice alike. */
async function play(job, variance, shared) {
  const brain = createBrain({ ...rightBrain, variance });
  let prompts = 0;
  const chat = ({ id, messages, seed }) => {
    prompts++;
    return Promise.resolve({ id, text: brain.think(messages, seedOf(seed, prompts)), finish: 'stop', model: 'brain' });
  };
  const taught = teacher({ renderer, turnsOf, skill: () => 1 });
  taught.learn(job.group, job.task);
  const generate = (request) => {
    const ids = taught.policy(request, request.seed, job.version);
    const logprobs = new Float32Array(ids.length).fill(-0.1);
    return Promise.resolve({ id: request.id, version: job.version, samples: [{ ids, logprobs, finish: 'stop' }] });
  };
  const ports = { generate, chat, record: () => undefined, simulators, renderer, clock: systemClock };
  const { episodes } = await runGroup({ ...job, simulation: { ...simulation, shared } }, ports, signal);
  return { rewards: episodes.map(({ reward }) => reward), prompts };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
const varianceOf = (values) => mean(values.map((value) => (value - mean(values)) ** 2));

async function measure(variance, shared) {
  const played = [];
  for (let index = 0; index < groups; index++) played.push(await play(jobAt(1, index, 1 + ((index * 37) % 100)), variance, shared));
  const scored = played.map(({ rewards }) => rewards.filter((reward) => reward !== null));
  return {
    within: mean(scored.map(varianceOf)),
    reward: mean(scored.flat()),
    lost: groups * members - scored.flat().length,
    prompts: mean(played.map(({ prompts }) => prompts)),
  };
}

const rows = [];
for (const share of shares) {
  const [together, apart] = [await measure(share, true), await measure(share, false)];
  rows.push({ share, together, apart, ratio: together.within / apart.within });
  console.error(`${share}: ${together.within.toFixed(4)} together, ${apart.within.toFixed(4)} apart`);
}
const worst = Math.max(...rows.map(({ ratio }) => ratio));
const last = rows.at(-1);

finish({
  ok: rows.every(({ apart }) => apart.within > 0) && worst <= 0.2,
  figures: [
    figure('variance of rewards within groups: one world for all over one each, worst', worst, '×', 'less', 0.2),
    figure('the same with one world each, at the largest share', last.apart.within, 'reward²', 'less'),
    figure('prompts: one world for all over one each', last.together.prompts / last.apart.prompts, '×', 'less'),
  ],
  tables: [
    {
      title: `${groups} groups of ${members} over D 1 to 100, every member the oracle. Variance: population variance of a group's rewards, mean over groups.`,
      head: [
        'answers that vary',
        'shared: variance',
        'mean reward',
        'lost',
        'prompts a group',
        'apart: variance',
        'mean reward',
        'lost',
        'prompts a group',
      ],
      rows: rows.map(({ share, together, apart }) => [
        `${(100 * share).toFixed(0)} %`,
        ...[together, apart].flatMap(({ within, reward, lost, prompts }) => [
          within.toFixed(4),
          reward.toFixed(3),
          lost,
          prompts.toFixed(2),
        ]),
      ]),
    },
  ],
  notes: [
    'An answer that varies is as right as the usual one: of several records that fit any may be found, and what nobody wrote down (the name of what is created) may be anything. What the task expects was drawn from the usual one, so such an answer costs a group its reward, all of it or part.',
  ],
});
