import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lexicon, topics } from '../src/simulation/procedural/lexicon.ts';
import { splitOfName } from '../src/simulation/procedural/names.ts';
import { oracle, play, rehearse } from '../src/simulation/procedural/oracle.ts';
import { defaultMix } from '../src/simulation/procedural/plan.ts';
import { proceduralTaskWriter, writeTask } from '../src/simulation/procedural/task.ts';
import { proceduralSimulators } from '../src/simulation/procedural/simulators.ts';
import { heldOutDomains, topicsOf } from '../src/simulation/procedural/families.ts';
import { agentHeader, agentWords, heardWords, toolWords, turnWords } from '../src/simulation/procedural/phrase.ts';
import { inWords } from '../src/simulation/procedural/values.ts';
import { taskView } from '../src/simulation/view.ts';
import { builtinRepository } from '../src/simulation/procedural/repository.ts';
import { complaintAboutResult } from '../src/simulation/validate.ts';
import { Task } from '../src/protocol/task.ts';
import type { Branch } from '../src/protocol/task.ts';
import { vocabularyOf } from '../src/gpu/tokens/vocabulary.ts';
import { tinyRenderer } from '../src/gpu/tokens/tiny.ts';
import { anyView, viewOf } from './support/arbitraries.ts';
import { boundsAt } from '../src/learning/curriculum.ts';

const words = new Set(lexicon);
/** The whole episode of a right agent, as the tiny policy reads it. */
function spoken(task: Task): string[] {
  const { turns } = play(task, oracle);
  const opening = turnWords('system', [...task.system.split(' '), ...task.tools.flatMap(toolWords)]);
  return [...opening, ...turns.flatMap((turn) => (turn.role === 'agent' ? [...agentHeader, ...agentWords(turn)] : heardWords(turn)))];
}
const many = (count: number, difficulty: (index: number) => number, split: Task['split'] = 'train'): Task[] =>
  Array.from({ length: count }, (_, seed) => writeTask(viewOf({ seed, difficulty: difficulty(seed), split })));

describe('a task', () => {
  test('is the same, byte for byte, for the same seed, and another for another', () => {
    fc.assert(
      fc.property(anyView, (view) => {
        const first = JSON.stringify(writeTask(view));
        expect(JSON.stringify(writeTask(view))).toBe(first);
        expect(JSON.stringify(writeTask({ ...view, seed: view.seed + 1 }))).not.toBe(first);
      }),
      { numRuns: 60 },
    );
  });

  test('fits the protocol, has unique tool names and as many tools and calls as its aspects say', () => {
    fc.assert(
      fc.property(anyView, (view) => {
        const task = writeTask(view);
        expect(() => Task.parse(task)).not.toThrow();
        expect(new Set(task.tools.map(({ name }) => name)).size).toBe(task.tools.length);
        expect(task.tools).toHaveLength(view.aspects.tools.value);
        expect(task.expectedCalls).toHaveLength(task.branch === 'call' || task.branch === 'ask' ? view.aspects.calls.value : 0);
        expect(task.criteria).toHaveLength(view.aspects.criteria.value + 1);
        expect(task.query).toBe(task.intent.requests[0]);
      }),
      { numRuns: 150 },
    );
  });

  test('is solved with reward 1 by the oracle, over all difficulties, both splits and every branch (2,000 tasks)', () => {
    const branches = new Map<Branch, number>();
    for (let seed = 0; seed < 2000; seed++) {
      const task = writeTask(viewOf({ seed, difficulty: 1 + (seed % 100), split: seed % 3 === 0 ? 'heldOut' : 'train' }));
      branches.set(task.branch, (branches.get(task.branch) ?? 0) + 1);
      expect(play(task, oracle).verdict?.reward, JSON.stringify(task)).toBe(1);
    }
    for (const branch of ['call', 'ask', 'answer', 'none'] as const) expect(branches.get(branch)).toBeGreaterThan(50);
  });

  test('almost never needs a second draft', () => {
    const writer = proceduralTaskWriter();
    let unsolvable = 0;
    for (let seed = 0; seed < 600; seed++) {
      const view = viewOf({ seed, difficulty: 1 + (seed % 100) });
      const posed = writer.pose(view, [], 0);
      if (posed.kind !== 'reply' || !writer.read(posed.reply, view).ok) unsolvable++;
    }
    expect(unsolvable).toBeLessThanOrEqual(2);
  });

  test('that cannot be solved is refused with the reason', () => {
    const task = writeTask(viewOf({ seed: 1, difficulty: 1 }));
    const broken = { ...task, expectedCalls: task.expectedCalls.map((call) => ({ ...call, arguments: {} })) };
    const reading = proceduralTaskWriter().read(broken as never, viewOf({ seed: 1, difficulty: 1 }));
    expect(reading).toMatchObject({ ok: false, complaint: expect.stringContaining('not solvable') as string });
  });

  test('uses words of the lexicon only, 20 to 280 of them, all turns included', () => {
    fc.assert(
      fc.property(anyView, (view) => {
        const said = spoken(writeTask(view));
        expect(said.filter((word) => !words.has(word))).toEqual([]);
        expect(said.length).toBeGreaterThanOrEqual(20);
        expect(said.length).toBeLessThanOrEqual(280);
      }),
      { numRuns: 300 },
    );
  });

  test('is rendered by the tiny renderer to the words the drills are made of', () => {
    const renderer = tinyRenderer(vocabularyOf(lexicon));
    for (const task of many(60, (seed) => 1 + seed * 1.6)) {
      const { turns } = play(task, oracle);
      const first = turns.findIndex(({ role }) => role === 'agent');
      const opening = [
        ...turnWords('system', [...task.system.split(' '), ...task.tools.flatMap(toolWords)]),
        ...heardWords(turns[0] as never),
        ...agentHeader,
      ];
      expect(renderer.text(renderer.open(task))).toBe(opening.join(' '));
      for (const turn of turns.slice(first)) {
        if (turn.role === 'agent') {
          const ids = renderer.write(turn, task);
          expect(renderer.text(ids)).toBe(agentWords(turn).join(' '));
          expect(renderer.parse(ids, task)).toEqual(turn);
        } else expect(renderer.text(renderer.extend([turn], true))).toBe([...heardWords(turn), ...agentHeader].join(' '));
      }
    }
  });
});

describe('difficulty', () => {
  test('D 5 is one tool, one clear call; D 100 at its bound is ten tools and three calls', () => {
    for (const task of many(40, () => 5)) {
      expect(task.tools).toHaveLength(1);
      expect(task.branch).toBe('call');
      expect(task.expectedCalls).toHaveLength(1);
      expect(task.intent.requests).toHaveLength(1);
    }
    const hardest = writeTask(viewOf({ seed: 3, difficulty: 100, soft: 0 }), {
      ...defaultMix,
      branches: { call: 1, ask: 0, answer: 0, none: 0 },
      vague: 0,
    });
    expect(hardest.tools).toHaveLength(10);
    expect(hardest.expectedCalls).toHaveLength(3);
    expect(hardest.intent.requests).toHaveLength(2);
    expect(hardest.criteria).toEqual(['intent', 'tools', 'grounded', 'concise', 'efficient']);
  });

  test('never lowers a bound when it rises, and every task stays inside its bounds', () => {
    for (let difficulty = 2; difficulty <= 100; difficulty++) {
      const before = boundsAt(difficulty - 1);
      for (const [name, bound] of Object.entries(boundsAt(difficulty)))
        expect(bound).toBeGreaterThanOrEqual(before[name as keyof typeof before]);
    }
    for (const task of many(100, (seed) => 1 + seed)) {
      const bounds = boundsAt(task.difficulty);
      expect(task.tools.length).toBeLessThanOrEqual(bounds.tools);
      expect(task.expectedCalls.length).toBeLessThanOrEqual(bounds.calls);
      expect(task.intent.requests.length).toBeLessThanOrEqual(bounds.turns);
    }
  });

  test('brings synonyms, fillers, dependent arguments, generic prompts and retries', () => {
    const share = (tasks: readonly Task[], has: (task: Task) => boolean): number => tasks.filter(has).length / tasks.length;
    const [easy, hard] = [many(200, () => 10), many(200, () => 95)];
    const dependent = (task: Task): boolean => task.expectedCalls.some(({ needs }) => needs.length > 0);
    const synonyms = new Set(topics.flatMap((topic) => topic.synonyms));
    const reworded = (task: Task): boolean => task.query.split(' ').some((word) => synonyms.has(word));
    const generic = (task: Task): boolean => task.system.startsWith('help');
    for (const has of [dependent, reworded, generic]) {
      expect(share(hard, has)).toBeGreaterThan(share(easy, has) + 0.15);
    }
  });

  test('offers tools of one category before tools of others', () => {
    for (let seed = 0; seed < 50; seed++) {
      const view = viewOf({ seed, difficulty: 40, soft: 0 });
      const categories = view.tools.map(({ category }) => category);
      expect(view.tools).toHaveLength(5);
      expect(Math.max(...categories.map((category) => categories.filter((other) => other === category).length))).toBe(4);
    }
  });
});

describe('branches', () => {
  test('are all calls below D 8, and come in the configured shares above', () => {
    expect(many(60, () => 7).every(({ branch }) => branch === 'call')).toBe(true);
    const tasks = many(800, () => 30);
    const share = (branch: Branch): number => tasks.filter((task) => task.branch === branch).length / tasks.length;
    for (const branch of ['call', 'ask', 'answer', 'none'] as const)
      expect(Math.abs(share(branch) - defaultMix.branches[branch])).toBeLessThan(0.05);
  });

  test('follow the mix a config asks for', () => {
    const { task } = proceduralSimulators({ branches: { call: 0, ask: 0, answer: 1, none: 0 } });
    const view = viewOf({ seed: 5, difficulty: 30 });
    const posed = task.pose(view, [], 0);
    expect(posed.kind === 'reply' && (posed.reply as unknown as Task).branch).toBe('answer');
  });

  test('`ask` leaves one required argument of the first call unsaid, and only the user knows it', () => {
    for (const task of many(400, () => 60).filter(({ branch }) => branch === 'ask')) {
      const [question] = play(task, oracle).turns.filter((turn) => turn.role === 'agent' && turn.text.startsWith('ask '));
      const word = question?.role === 'agent' ? question.text.slice(4) : '';
      const value = inWords(task.expectedCalls[0]?.arguments[word]);
      expect(task.intent.facts[word]).toBe(value);
      expect(` ${task.system} ${task.query} `).not.toContain(` ${value} `);
    }
  });
});

describe('the split (L12)', () => {
  test('keeps held-out domains, names and topics out of training tasks', () => {
    const heldOutTopics = new Set(topicsOf('heldOut').map(({ word }) => word));
    for (const task of many(400, (seed) => 1 + (seed % 100))) {
      for (const tool of task.tools) {
        expect(heldOutDomains.has(tool.category)).toBe(false);
        expect(splitOfName(tool.name)).toBe('train');
        expect(heldOutTopics.has(tool.description)).toBe(false);
      }
      for (const word of task.query.split(' ')) expect(heldOutTopics.has(word)).toBe(false);
    }
  });

  test('gives evaluation tasks held-out tools and names only', () => {
    for (const task of many(200, (seed) => 1 + (seed % 100), 'heldOut')) {
      for (const tool of task.tools) {
        expect(heldOutDomains.has(tool.category)).toBe(true);
        expect(splitOfName(tool.name)).toBe('heldOut');
      }
    }
  });
});

test('results of every tool validate against what the tool says it returns', () => {
  for (const task of many(300, (seed) => 1 + (seed % 100))) {
    for (const turn of play(task, oracle).turns) {
      if (turn.role !== 'tool' || turn.status !== 'ok') continue;
      const tool = task.tools.find(({ name }) => name === turn.call.name);
      expect(tool === undefined ? 'no tool' : complaintAboutResult(tool, turn.result)).toBeUndefined();
    }
  }
});

test('a rehearsal says why a task cannot be solved', () => {
  const task = writeTask(viewOf({ seed: 9, difficulty: 30 }));
  expect(rehearse({ ...task, maxTurns: 0 })).toEqual({ solved: false, why: 'the oracle ran out of turns' });
});

test('a view draws its tools from its own split and its own seed', () => {
  const draw = viewOf({ seed: 4, difficulty: 50 });
  expect(taskView(builtinRepository, draw).tools).toEqual(draw.tools);
  expect(taskView(builtinRepository, { ...draw, seed: draw.seed + 1 }).tools).not.toEqual(draw.tools);
});
