/** The procedural world over tools as they are: any list under its own names, written about, played and solved. */
import { describe, expect, test } from 'vitest';
import { aspectsAt } from '../src/learning/curriculum.ts';
import type { TaskId } from '../src/protocol/ids.ts';
import { type Branch, Task } from '../src/protocol/task.ts';
import type { ToolSpec } from '../src/protocol/tool.ts';
import { seedOf, stream } from '../src/random.ts';
import { disguise } from '../src/simulation/procedural/disguise.ts';
import { heldOutDomains } from '../src/simulation/procedural/families.ts';
import { oracle, play, rehearse } from '../src/simulation/procedural/oracle.ts';
import { ownTool } from '../src/simulation/procedural/own.ts';
import { defaultMix } from '../src/simulation/procedural/plan.ts';
import { builtinRepository } from '../src/simulation/procedural/repository.ts';
import { writeTask } from '../src/simulation/procedural/task.ts';
import { applyPatch } from '../src/simulation/state.ts';
import { complaintAboutResult, validateCall } from '../src/simulation/validate.ts';
import { loadTools } from '../src/tools/load.ts';
import { repositoryOf, subset } from '../src/tools/repository.ts';

const catalogue = loadTools('catalogue').usable;
const repository = repositoryOf(catalogue);

function tasksOver(
  count: number,
  tools: (seed: number, count: number) => readonly ToolSpec[],
): { task: Task; tools: readonly ToolSpec[] }[] {
  return Array.from({ length: count }, (_, seed) => seed).flatMap((seed) => {
    const difficulty = 1 + ((seed * 7) % 100);
    const aspects = aspectsAt(difficulty, stream(seedOf(seed, 'aspects')), 0.5);
    const shown = tools(seed, aspects.tools.value);
    if (!shown.some((tool) => ownTool(tool).ok)) return [];
    const view = { id: `t${seed}` as TaskId, split: 'train', difficulty, aspects, tools: shown, seed } as const;
    return [{ task: writeTask(view, { ...defaultMix, names: 'own' }), tools: shown }];
  });
}

test('at least four in five tools of the catalogue can be asked for', () => {
  const reasons = catalogue.flatMap((tool) => {
    const own = ownTool(tool);
    return own.ok ? [] : [`${tool.name}: ${own.reason}`];
  });
  expect(reasons.length / catalogue.length, reasons.join('\n')).toBeLessThanOrEqual(0.2);
});

describe.each([
  ['the catalogue', (seed: number, count: number) => subset(repository, count, stream(seed), 'train')],
  [
    'disguised tools of ours',
    (seed: number, count: number) => disguise(subset(builtinRepository, count, stream(seed), 'train'), 'train', seed),
  ],
])('tasks over %s', (_, tools) => {
  const written = tasksOver(400, tools);

  test('can nearly always be written, in every branch', () => {
    expect(written.length).toBeGreaterThan(360);
    expect(new Set(written.map(({ task }) => task.branch))).toEqual(new Set<Branch>(['call', 'ask', 'answer', 'none']));
  });

  test('show every tool as it is', () => {
    for (const { task, tools: shown } of written) expect(task.tools).toEqual(shown);
  });

  test('fit the protocol, expect calls that their tools take, and are solved by them', () => {
    for (const { task } of written) {
      expect(() => Task.parse(task)).not.toThrow();
      for (const call of task.expectedCalls) expect(validateCall(task.tools, call)).toMatchObject({ ok: true });
      expect(rehearse(task)).toEqual({ solved: true });
    }
  });

  test('are answered with results that the return schemas take, and whose values all stand in the world', () => {
    for (const { task } of written) {
      let world = task.world;
      for (const turn of play(task, oracle).turns) {
        if (turn.role !== 'tool' || turn.status !== 'ok') continue;
        const tool = task.tools.find(({ name }) => name === turn.call.name) as ToolSpec;
        expect(complaintAboutResult(tool, turn.result)).toBeUndefined();
        const before = JSON.stringify(world.entities);
        world = applyPatch(world, turn.patch);
        const known = before + JSON.stringify(world.entities);
        for (const leaf of leaves(turn.result)) expect(known, JSON.stringify(turn)).toContain(JSON.stringify(leaf));
      }
    }
  });

  test('never have a user say the name of a tool', () => {
    for (const { task } of written) {
      const said = new Set([...task.intent.requests, ...Object.values(task.intent.facts)].join(' ').split(/[^\w-]+/));
      for (const { name } of task.tools) expect(said, task.query).not.toContain(name);
    }
  });

  test('ask for something of which no tool speaks where none is to be called', () => {
    const none = written.filter(({ task }) => task.branch === 'none');
    expect(none.length).toBeGreaterThan(10);
    for (const { task } of none) {
      const topic = task.intent.summary.split(' ').slice(1).join(' ');
      for (const { description, name } of task.tools) expect(`${name} ${description}`.toLowerCase().split(/[^a-z]+/)).not.toContain(topic);
    }
  });
});

test('a tool of which nothing can be said finds nothing, and does no harm to the task it stands in', () => {
  const odd: ToolSpec = {
    name: 'odd',
    description: 'Takes a tree.',
    parameters: { type: 'object', properties: { tree: { type: 'array', items: { type: 'object' } } }, required: ['tree'] },
    effects: 'write',
    category: 'odd',
    source: 'test',
  };
  expect(ownTool(odd)).toEqual({ ok: false, reason: 'a required parameter is of type array' });
  const plain = catalogue.find((tool) => ownTool(tool).ok) as ToolSpec;
  const [{ task } = { task: undefined }] = tasksOver(1, () => [odd, plain]);
  expect(task?.tools).toEqual([odd, plain]);
  expect(task?.expectedCalls.map(({ name }) => name)).not.toContain('odd');
});

test('held-out domains stay held out under a disguise', () => {
  const shown = disguise(subset(builtinRepository, 10, stream(3), 'train'), 'train', 3);
  for (const { category } of shown) expect(heldOutDomains.has(category)).toBe(false);
});

function leaves(value: unknown): (string | number)[] {
  if (typeof value === 'string' || typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [];
}
