// How well a tiny model plays the simulated roles: replies sampled as in a run, read by code as in a run. node bench/role-replies.mjs [model] [lessons a role and level]
import { systemClock } from '../dist/actors/clock.js';
import { roleLesson } from '../dist/actors/lessons/role.js';
import { createEmbeddedEngine } from '../dist/gpu/engines/embedded.js';
import { replyLessonOf } from '../dist/gpu/lesson.js';
import { readModel } from '../dist/gpu/weights.js';
import { aspectsAt } from '../dist/learning/curriculum.js';
import { seedOf, stream } from '../dist/random.js';
import { defaultMix } from '../dist/simulation/procedural/plan.js';
import { builtinRepository } from '../dist/simulation/procedural/repository.js';
import { subset } from '../dist/tools/repository.js';

const [model = 'models/tiny-trustee', count = '200'] = process.argv.slice(2);
const lessons = Number(count);
/** As config `simulation.temperature`. */
const temperature = { task: 1, user: 0.8, tool: 0, judge: 0 };
const { vocabulary } = readModel(model);
const engine = createEmbeddedEngine({ model, threads: 2, deterministic: false, clock: systemClock, deadlineMs: 600_000, batch: 64 });

const viewOf = (difficulty) => (seed) => {
  const draws = stream(seedOf(seed, 'view'));
  const aspects = aspectsAt(difficulty, draws, 0.5);
  return {
    id: `bench.${seed}`,
    split: 'train',
    difficulty,
    aspects,
    tools: subset(builtinRepository, aspects.tools.value, draws, 'train'),
    seed,
  };
};

async function asked(role, difficulty, n) {
  const seed = seedOf('bench', role, difficulty, n);
  const { messages, reply, read } = roleLesson(viewOf(difficulty), defaultMix, seed, role);
  const { ids, sampled } = replyLessonOf(messages, reply, vocabulary);
  const request = {
    id: `${role}.${difficulty}.${n}`,
    role,
    version: null,
    ids: Int32Array.from(ids.subarray(0, sampled.indexOf(1))),
    n: 1,
    seed,
    stop: [vocabulary.id('<|im_end|>')],
    maxTokens: 200,
    temperature: temperature[role],
    priority: 0,
    group: 'bench',
    deadlineMs: 600_000,
  };
  const { samples } = await engine.generate(request, new AbortController().signal);
  const text = Array.from(samples[0].ids, vocabulary.word)
    .filter((word) => word !== '<|im_end|>')
    .join(' ');
  return { text, exact: text === reply, reading: read(text), reply, messages };
}

const show = process.env.SHOW === '1';
for (const role of ['task', 'user', 'tool', 'judge']) {
  for (const difficulty of [10, 25, 50, 75]) {
    const replies = await Promise.all(Array.from({ length: lessons }, (_, n) => asked(role, difficulty, n)));
    const accepted = replies.filter(({ reading }) => reading.ok).length;
    const exact = replies.filter((one) => one.exact).length;
    const reasons = new Map();
    for (const { reading } of replies)
      if (!reading.ok) reasons.set(reading.defect ?? 'malformed', (reasons.get(reading.defect ?? 'malformed') ?? 0) + 1);
    const share = (part) => (part / lessons).toFixed(3);
    console.log(
      `${role.padEnd(6)} D${difficulty}  accepted ${share(accepted)}  exact ${share(exact)}  ${[...reasons].map(([name, times]) => `${name} ${share(times)}`).join('  ')}`,
    );
    if (show)
      for (const { text, reply, reading, messages } of replies
        .filter((one) => (role === 'task' ? !one.reading.ok : !one.exact))
        .slice(0, 4))
        console.log(
          `   ${messages.map((one) => one.content).join(' | ')}\n   said   ${text}\n   right  ${reply}\n   ${reading.ok ? '' : reading.complaint}`,
        );
  }
}
await engine.close();
