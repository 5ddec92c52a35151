/** What the members of a group share: one world, answered once; and what is decided, kept and shown for tools that a language model plays. */
import { describe, expect, test } from 'vitest';
import type { Task } from '../src/protocol/task.ts';
import { systemClock } from '../src/actors/clock.ts';
import { groupStage, type Stage } from '../src/actors/stage.ts';
import { isBusy, shelfFor } from '../src/actors/tool-answers.ts';
import type { EpisodeId } from '../src/protocol/ids.ts';
import type { ToolSpec } from '../src/protocol/tool.ts';
import type { World } from '../src/protocol/world.ts';
import type { ToolView } from '../src/simulation/contract.ts';
import { occurrenceKey } from '../src/simulation/state.ts';
import type { ToolTurn, Turn } from '../src/protocol/turn.ts';
import { readPrompt } from '../src/simulation/lm/prose/reading.ts';
import { oracle, play } from '../src/simulation/procedural/oracle.ts';
import { proceduralSimulators } from '../src/simulation/procedural/simulators.ts';
import { rulesCollection } from '../src/simulation/procedural/tool.ts';
import { playGroup, rewardVariance, type LmPlay } from './support/lm-groups.ts';
import { realJob, renderer } from './support/playhouse.ts';

const jobs = Array.from({ length: 16 }, (_, index) => realJob(index, 30 + ((index * 13) % 50), { members: 4 }));
const calling = jobs.filter(({ task }) => task.expectedCalls.length > 0);
const toolTurns = (turns: readonly Turn[]): ToolTurn[] => turns.filter((turn) => turn.role === 'tool');
const results = (turns: readonly Turn[]) => toolTurns(turns).map(({ call, status, result }) => [call.name, status, result]);
const playAll = (how: LmPlay, list = calling) => Promise.all(list.map((job) => playGroup(job, how)));

describe('one world for all members', () => {
  test('what tools are played by a model is what the world’s own tools say, and the oracle is rewarded', async () => {
    for (const { group } of await playAll({}))
      for (const { turns, reward } of group.episodes) {
        expect(reward).toBe(1);
        expect(results(turns)).toEqual(results(play(group.task, oracle).turns));
      }
  });

  test('equal actions meet equal answers, however unlike each other a model’s answers are', async () => {
    for (const { group } of await playAll({ dials: { variance: 1 } })) {
      const [first, ...others] = group.episodes.map(({ turns }) => results(turns));
      for (const other of others) expect(other).toEqual(first);
    }
  });

  test('the simulator’s share of the reward’s variance within groups falls to a fifth or less', async () => {
    const dials = { variance: 0.5 };
    const together = rewardVariance((await playAll({ dials })).map(({ group }) => group));
    const apart = rewardVariance((await playAll({ dials, simulation: { shared: false } })).map(({ group }) => group));
    expect(apart.variance).toBeGreaterThan(0.02);
    expect(together.variance).toBeLessThanOrEqual(apart.variance / 5);
    expect(together.scored).toBeGreaterThanOrEqual(apart.scored);
  });

  test('apart, every member asks for itself', async () => {
    const [together, apart] = await Promise.all([playAll({}), playAll({ simulation: { shared: false } })]);
    const asked = (runs: typeof together): number => runs.reduce((sum, run) => sum + run.asked.length, 0);
    expect(asked(apart)).toBe(4 * asked(together));
    const ids = apart.flatMap((run) => run.asked.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    const seeds = apart.flatMap((run) => run.asked.map(({ seed }) => seed));
    expect(new Set(seeds).size).toBe(seeds.length);
  });

  test('a conversation that members have had alike goes on alike, for one prompt', async () => {
    const [job] = calling;
    if (job === undefined) throw new TypeError('no job');
    const together = await playGroup(job, { roles: ['user'] });
    const apart = await playGroup(job, { roles: ['user'], simulation: { shared: false } });
    expect(together.asked.length).toBeGreaterThan(0);
    expect(apart.asked).toHaveLength(4 * together.asked.length);
    expect(together.group.episodes.map(({ reward }) => reward)).toEqual([1, 1, 1, 1]);
  });
});

/** Makes each expected call twice, the second time right after the first. */
const twice: NonNullable<LmPlay['agent']> = (task, turns) => {
  const right = oracle(task, turns);
  return { ...right, calls: right.calls.flatMap((call) => [call, call]) };
};
const reads = (task: Task): boolean =>
  task.expectedCalls.length > 0 &&
  task.tools.every(({ effects, name }) => effects === 'read' || !task.expectedCalls.some((call) => call.name === name));
const reading = Array.from({ length: 40 }, (_, index) => realJob(index, 12, { members: 1 }))
  .filter(({ task }) => reads(task))
  .slice(0, 6);

describe('what the group knows', () => {
  test('a look-up is asked once; without the cache, each time', async () => {
    expect(reading.length).toBeGreaterThan(2);
    for (const job of reading) {
      const [known, asked] = await Promise.all([
        playGroup(job, { agent: twice }),
        playGroup(job, { agent: twice, simulation: { cache: false } }),
      ]);
      const made = toolTurns(known.group.episodes[0]?.turns ?? []).filter(({ status }) => status !== 'transient').length;
      expect(known.asked.length).toBeLessThan(made);
      expect(asked.asked).toHaveLength(made);
    }
  });

  test('the expected path costs no prompt where it was rehearsed', async () => {
    for (const job of calling) {
      const turns = toolTurns(play(job.task, oracle).turns).filter(({ status }) => status !== 'transient');
      const rehearsal = turns.map(({ status, result, patch }) => ({ status, result, patch }));
      const { group, asked } = await playGroup({ ...job, task: { ...job.task, rehearsal } }, {});
      expect(asked).toEqual([]);
      expect(group.episodes.map(({ reward }) => reward)).toEqual([1, 1, 1, 1]);
      expect(group.health?.roles.tool?.calls).toBe(0);
    }
  });

  test('apart, not even the rehearsal is known', async () => {
    const [job] = calling;
    if (job === undefined) throw new TypeError('no job');
    const rehearsal = toolTurns(play(job.task, oracle).turns)
      .filter(({ status }) => status !== 'transient')
      .map(({ status, result, patch }) => ({ status, result, patch }));
    const { asked } = await playGroup({ ...job, task: { ...job.task, rehearsal } }, { simulation: { shared: false } });
    expect(asked.length).toBeGreaterThan(0);
  });
});

describe('errors that code decides', () => {
  /** Without the world's own rules on it, so that the share decides. */
  const calm = (task: Task): Task => {
    const rules = Object.fromEntries(
      Object.entries(task.world.entities[rulesCollection] ?? {}).map(([name, rule]) => [name, { ...rule, busy: 0 }]),
    );
    return { ...task, world: { ...task.world, entities: { ...task.world.entities, [rulesCollection]: rules } } };
  };

  test('a busy tool is busy the first time for every member, without a prompt, and works the second time', async () => {
    const job = calling.find(({ task }) => Object.values(task.world.entities[rulesCollection] ?? {}).every(({ busy }) => busy === 0));
    if (job === undefined) throw new TypeError('no calm task');
    const [name] = job.task.expectedCalls.map((call) => call.name);
    const rules = job.task.world.entities[rulesCollection] ?? {};
    const busy = { ...rules, [String(name)]: { ...rules[String(name)], busy: 1 } };
    const task = {
      ...job.task,
      maxTurns: job.task.maxTurns + 2,
      world: { ...job.task.world, entities: { ...job.task.world.entities, [rulesCollection]: busy } },
    };
    const { group, asked } = await playGroup({ ...job, task }, {});
    for (const { turns, reward } of group.episodes) {
      expect(
        toolTurns(turns)
          .slice(0, 2)
          .map(({ status }) => status),
      ).toEqual(['transient', 'ok']);
      expect(reward).toBe(1);
    }
    expect(asked.every(({ messages }) => readPrompt(messages)?.role === 'tool')).toBe(true);
    expect(asked).toHaveLength((await playGroup({ ...job, task: calm(task) }, {})).asked.length);
  });
});

describe('what tools are shown', () => {
  const peeks = (run: { asked: readonly { messages: Parameters<typeof readPrompt>[0] }[] }): boolean[] =>
    run.asked.map(({ messages }) => {
      const asked = readPrompt(messages);
      return asked?.role === 'tool' && asked.view.peek !== undefined;
    });

  test('nothing of what the user wants, but in the ablation that shows it', async () => {
    const [job] = calling;
    if (job === undefined) throw new TypeError('no job');
    expect(new Set(peeks(await playGroup(job, {})))).toEqual(new Set([false]));
    expect(new Set(peeks(await playGroup(job, { simulation: { toolSeesIntent: true } })))).toEqual(new Set([true]));
  });
});

test('what was right of one member’s world is not said in another’s where it would be wrong', () => {
  const tool: ToolSpec = { name: 'ask', description: 'Tells', parameters: {}, effects: 'read', category: 'c', source: 'test' };
  const call = { name: 'ask', arguments: { q: 'oslo' } };
  const at = (kind: string): ToolView => ({
    tool,
    call,
    world: { entities: { people: { P1: { city: 'Oslo' } }, rooms: { R9: { kind } } }, occurrences: {} },
  });
  const job = realJob(0, 40, {
    simulation: { shared: true, cache: true, toolSeesIntent: false, fidelity: 0.5, votes: 1, scope: 'episode' },
  });
  const ports = {
    simulators: proceduralSimulators(),
    renderer,
    clock: systemClock,
    record: () => undefined,
    generate: () => new Promise<never>(() => undefined),
  };
  const stage: Stage = {
    group: groupStage(job, ports),
    episode: 'e' as EpisodeId,
    member: 0,
    refill: 0,
    dueAt: 0,
    askDueAt: new Map(),
    abort: new AbortController(),
    ended: false,
  };
  const [quiet, loud] = [shelfFor(stage, at('quiet')), shelfFor(stage, at('loud'))];
  const answer = { status: 'ok' as const, observation: { kind: 'quiet' }, patch: [] };
  quiet.keep(at('quiet'), answer);
  expect(loud.state).toBe(quiet.state);
  expect(quiet.find(at('quiet'))).toEqual(answer);
  expect(loud.find(at('loud'))).toBeUndefined();
});

test('in a world without rules a share of the tools is busy once, the same ones for every member', () => {
  const spec = (name: string): ToolSpec => ({ name, description: name, parameters: {}, effects: 'read', category: 'c', source: 'test' });
  const job = realJob(0, 40, {
    simulation: { shared: true, cache: true, toolSeesIntent: false, fidelity: 0.5, votes: 1, scope: 'episode', transient: 0.25 },
  });
  const view = (name: string, occurrences: World['occurrences'] = {}): ToolView => ({
    tool: spec(name),
    call: { name, arguments: {} },
    world: { entities: {}, occurrences },
  });
  const names = Array.from({ length: 800 }, (_, at) => `tool${at}`);
  const busy = names.filter((name) => isBusy(job, view(name)));
  expect(busy.length / names.length).toBeCloseTo(0.25, 1);
  expect(names.filter((name) => isBusy(job, view(name)))).toEqual(busy);
  expect(busy.filter((name) => isBusy(job, view(name, { [occurrenceKey({ name, arguments: {} })]: 1 })))).toEqual([]);
});
