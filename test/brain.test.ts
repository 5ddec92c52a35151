/** The fake server's brain: the four roles played through our own prompts, right where its dials are at zero, and wrong in just the ways and shares they say. */
import { describe, expect, test } from 'vitest';
import { type BrainDials, type BrainTally, createBrain, rightBrain } from '../src/gpu/engines/fake/brain.ts';
import { aspectsAt } from '../src/learning/curriculum.ts';
import type { Defect } from '../src/protocol/health.ts';
import type { TaskId } from '../src/protocol/ids.ts';
import type { SimulatorRole } from '../src/protocol/outcome.ts';
import type { Task } from '../src/protocol/task.ts';
import type { Turn } from '../src/protocol/turn.ts';
import type { World } from '../src/protocol/world.ts';
import { seedOf, stream } from '../src/random.ts';
import { conversationOf, type Reading, type Simulator, type TaskView } from '../src/simulation/contract.ts';
import { lmSimulators } from '../src/simulation/lm/simulators.ts';
import { disguise } from '../src/simulation/procedural/disguise.ts';
import { type Agent, oracle } from '../src/simulation/procedural/oracle.ts';
import { defaultMix } from '../src/simulation/procedural/plan.ts';
import { builtinRepository } from '../src/simulation/procedural/repository.ts';
import { writeTask } from '../src/simulation/procedural/task.ts';
import { applyPatch } from '../src/simulation/state.ts';
import { complaintAboutResult, validateCall } from '../src/simulation/validate.ts';
import { loadTools } from '../src/tools/load.ts';
import { repositoryOf, subset } from '../src/tools/repository.ts';

const tokens = { task: 4096, user: 256, tool: 1024, judge: 1024 };
const cast = lmSimulators({
  dialect: 'prose',
  temperature: { task: 1, user: 1, tool: 0, judge: 0 },
  maxTokens: tokens,
  structured: true,
  worldCharacters: 4096,
  branches: defaultMix.branches,
  gates: true,
});

type Heard = Partial<Record<SimulatorRole, { asked: number; refused: Partial<Record<Defect, number>>; complaints: string[] }>>;

/** Asks whoever plays a role as the actors do: the same question again, with the complaint and a fresh seed, at most three times. */
function asker(dials: Partial<BrainDials>) {
  const brain = createBrain({ ...rightBrain, ...dials });
  const heard: Heard = {};
  const ask = <View, Answer>(simulator: Simulator<View, Answer>, view: View, seed: number, attempts = 3): Answer | undefined => {
    const complaints: string[] = [];
    const own = (heard[simulator.role] ??= { asked: 0, refused: {}, complaints: [] });
    while (complaints.length < attempts) {
      const fresh = seedOf(seed, complaints.length);
      const posed = simulator.pose(view, complaints, fresh);
      let reading: Reading<Answer>;
      if (posed.kind === 'reply') reading = simulator.read(posed.reply, view);
      else {
        own.asked++;
        const said = brain.think(posed.messages, fresh);
        if (said === undefined) throw new Error('the brain does not know our prompt');
        reading = said === null ? { ok: false, complaint: 'silence', defect: 'silent' } : simulator.read(said, view);
      }
      if (reading.ok) return reading.answer;
      const defect = reading.defect ?? 'malformed';
      own.refused[defect] = (own.refused[defect] ?? 0) + 1;
      own.complaints.push(reading.complaint);
      complaints.push(reading.complaint);
    }
    return undefined;
  };
  return { ask, heard, brain };
}
type Ask = ReturnType<typeof asker>['ask'];

/** One episode against the cast; null where somebody could not be understood. */
function played(task: Task, agent: Agent, ask: Ask, attempts?: number): { reward: number; turns: Turn[] } | null {
  const turns: Turn[] = [{ role: 'user', text: task.query }];
  let world: World = task.world;
  for (let count = 0; count < task.maxTurns + 3; count++) {
    const turn = agent(task, turns);
    turns.push(turn);
    for (const call of turn.calls) {
      const check = validateCall(task.tools, call);
      if (!check.ok) {
        turns.push({ role: 'tool', call, status: check.status, result: null, patch: [] });
        continue;
      }
      const answer = ask(cast.tool, { tool: check.tool, call, world }, seedOf(task.seed, 'tool', turns.length), attempts);
      if (answer === undefined) return null;
      if (answer.status === 'ok') expect(complaintAboutResult(check.tool, answer.observation)).toBeUndefined();
      world = applyPatch(world, answer.patch);
      turns.push({ role: 'tool', call, status: answer.status, result: answer.observation, patch: answer.patch });
    }
    if (turn.calls.length > 0) continue;
    const said = ask(
      cast.user,
      { persona: task.persona, intent: task.intent, conversation: conversationOf(turns) },
      seedOf(task.seed, 'user', turns.length),
      attempts,
    );
    if (said === undefined) return null;
    if (said.done) {
      const silent = turns.map((each) => (each.role === 'agent' ? { ...each, thought: '' } : each));
      const verdict = ask(cast.judge, { task, turns: silent, world }, seedOf(task.seed, 'judge'), attempts);
      return verdict === undefined ? null : { reward: verdict.reward, turns };
    }
    turns.push({ role: 'user', text: said.text });
  }
  return null;
}

function viewOf(seed: number, tools: (count: number) => TaskView['tools']): TaskView {
  const difficulty = 1 + ((seed * 7) % 100);
  const aspects = aspectsAt(difficulty, stream(seedOf(seed, 'aspects')), 0.5);
  return { id: `t${seed}` as TaskId, split: 'train', difficulty, aspects, tools: tools(aspects.tools.value), seed };
}
const catalogue = repositoryOf(loadTools('catalogue').usable);
const fromCatalogue = (seed: number): TaskView => viewOf(seed, (count) => subset(catalogue, count, stream(seed), 'train'));
const fromOurs = (seed: number): TaskView =>
  viewOf(seed, (count) => disguise(subset(builtinRepository, count, stream(seed), 'train'), 'train', seed));
const plainMix = { ...defaultMix, transient: 0 };
const seeds = (count: number): number[] => Array.from({ length: count }, (_, seed) => seed);

/** Rehearsed as the writing actor does. */
function rehearsed(task: Task, ask: Ask): Task {
  let world = task.world;
  const rehearsal = task.expectedCalls.map((call): NonNullable<Task['rehearsal']>[number] => {
    const check = validateCall(task.tools, call);
    if (!check.ok) throw new Error(check.complaint);
    const answer = ask(cast.tool, { tool: check.tool, call, world }, seedOf(task.seed, 'rehearsal'));
    if (answer === undefined) throw new Error('nobody answered');
    world = applyPatch(world, answer.patch);
    return { status: answer.status, result: answer.observation, patch: answer.patch };
  });
  return { ...task, rehearsal };
}

describe('a brain without dials', () => {
  test.each([
    ['the catalogue', fromCatalogue],
    ['disguised tools of ours', fromOurs],
  ])('writes tasks over %s that the writer’s checks take, answers them, and a right agent is judged right', (_, from) => {
    const { ask, heard } = asker({});
    const rewards: (number | null)[] = [];
    for (const seed of seeds(50)) {
      const task = ask(cast.task, from(seed), seed);
      if (task === undefined) continue;
      rewards.push(played(rehearsed(task, ask), oracle, ask)?.reward ?? null);
    }
    const report = JSON.stringify([heard, rewards.filter((reward) => reward !== 1).length]);
    expect(rewards.length, report).toBeGreaterThan(45);
    expect(
      rewards.filter((reward) => reward !== 1),
      report,
    ).toEqual([]);
    for (const role of ['user', 'tool', 'judge'] as const) expect(heard[role]?.refused, report).toEqual({});
  });

  test('plays tasks that code wrote as code would: none of its answers is refused', () => {
    const { ask, heard } = asker({});
    for (const seed of seeds(100)) {
      const task = writeTask(
        viewOf(seed, (count) => subset(builtinRepository, count, stream(seed), 'train')),
        plainMix,
      );
      expect(played(task, oracle, ask)?.reward, JSON.stringify([seed, heard])).toBe(1);
    }
    for (const role of ['user', 'tool', 'judge'] as const) expect(heard[role]?.refused).toEqual({});
  });

  test('says the same to the same question with the same seed', () => {
    const [one, other] = [asker({}), asker({})];
    const view = fromCatalogue(3);
    expect(one.ask(cast.task, view, 5)).toEqual(other.ask(cast.task, view, 5));
  });

  test('answers nothing that is no prompt of ours', () => {
    const brain = createBrain(rightBrain);
    expect(brain.think([{ role: 'user', content: 'What is the capital of France?' }], 1)).toBeUndefined();
    expect(brain.tally).toEqual({});
  });
});

/** Plays so many episodes of tasks that code wrote, against a cast with these dials. */
function season(dials: Partial<BrainDials>, episodes: number, attempts?: number) {
  const { ask, heard, brain } = asker(dials);
  const rewards = seeds(episodes).map((seed) => {
    const task = writeTask(
      viewOf(seed, (count) => subset(builtinRepository, count, stream(seed), 'train')),
      plainMix,
    );
    return played(task, oracle, ask, attempts)?.reward ?? null;
  });
  const told = (kind: keyof BrainTally): number => Object.values(brain.tally).reduce((sum, tally) => sum + (tally[kind] ?? 0), 0);
  const refused = (defect: Defect): number => Object.values(heard).reduce((sum, own) => sum + (own.refused[defect] ?? 0), 0);
  return { rewards, told, refused, heard, tally: brain.tally };
}

describe('a brain with dials', () => {
  test('is malformed in just the share it is told, and no reader takes one of those for an answer', () => {
    const { told, refused } = season({ malformed: 0.2 }, 100);
    const share = told('malformed') / told('asked');
    expect(Math.abs(share - 0.2)).toBeLessThan(4 * Math.sqrt((0.2 * 0.8) / told('asked')));
    expect(refused('malformed')).toBe(told('malformed'));
  });

  test('is silent in just the share it is told', () => {
    const { told, refused } = season({ hanging: 0.1 }, 80);
    expect(told('hanging')).toBeGreaterThan(20);
    expect(refused('silent')).toBe(told('hanging'));
  });

  test('contradicts the world so that at least 95 in 100 are noticed', () => {
    const { told, refused, heard } = season({ inconsistent: 0.5 }, 120);
    expect(told('inconsistent')).toBeGreaterThan(60);
    expect(refused('inconsistent'), JSON.stringify(heard)).toBeGreaterThanOrEqual(0.95 * told('inconsistent'));
  });

  test('tells everything at once so that it is noticed, where something is kept back', () => {
    const { ask, heard, brain } = asker({ leaking: 1 });
    for (const seed of seeds(100)) {
      const mix = { ...plainMix, branches: { call: 0, ask: 1, answer: 0, none: 0 } };
      const { branch, query, persona, intent } = writeTask(
        viewOf(seed, (count) => subset(builtinRepository, count, stream(seed), 'train')),
        mix,
      );
      if (branch !== 'ask') continue;
      // Nobody has asked for what the request leaves out.
      const conversation = [
        { role: 'user', text: query },
        { role: 'agent', text: 'hello' },
      ] as const;
      ask(cast.user, { persona, intent, conversation }, seed, 1);
    }
    const told = brain.tally.user?.leaking ?? 0;
    expect(told).toBeGreaterThan(60);
    expect(heard.user?.refused.leak ?? 0, JSON.stringify(heard.user?.refused)).toBeGreaterThanOrEqual(0.95 * told);
  });

  test('attacks so that nothing breaks, and nothing reaches a prototype', () => {
    const { told } = season({ hostile: 0.5 }, 60);
    expect(told('hostile')).toBeGreaterThan(50);
    expect(({} as { found?: unknown }).found).toBeUndefined();
  });

  test('turns one finding of a judge round, and no more', () => {
    const turned = season({ misjudging: 1 }, 50);
    const right = season({}, 50);
    expect(turned.tally.judge?.misjudging).toBe(turned.tally.judge?.asked);
    expect(turned.rewards.filter((reward) => reward !== 1).length).toBeGreaterThan(25);
    expect(right.rewards.every((reward) => reward === 1)).toBe(true);
  });

  test('varies among right answers only: no ledger refuses one', () => {
    const { told, refused, heard } = season({ variance: 1 }, 100);
    expect(told('variance')).toBeGreaterThan(15);
    expect(refused('inconsistent') + refused('malformed'), JSON.stringify(heard)).toBe(0);
  });

  test('repaired, has every episode end as in the clean run', () => {
    const clean = season({}, 80).rewards;
    const repaired = season({ malformed: 0.2, inconsistent: 0.05, hanging: 0.02 }, 80);
    const ended = repaired.rewards.flatMap((reward, seed) => (reward === null ? [] : [[reward, clean[seed]]]));
    expect(ended.length).toBeGreaterThan(70);
    for (const [reward, same] of ended) expect(reward).toBe(same);
    expect(repaired.told('malformed')).toBeGreaterThan(30);
  });
});
