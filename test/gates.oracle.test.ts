/** The gates against a second reading of the same rules: 1,000 episodes of built-in and of listed tools, by right, slipping and random agents, some of them cut up afterwards. */
import { describe, expect, test } from 'vitest';
import type { Task } from '../src/protocol/task.ts';
import type { Turn } from '../src/protocol/turn.ts';
import type { World } from '../src/protocol/world.ts';
import { seedOf, stream } from '../src/random.ts';
import { examine } from '../src/simulation/verdict/gates.ts';
import { oracle, play } from '../src/simulation/procedural/oracle.ts';
import { builtinRepository, importedRepository } from '../src/simulation/procedural/repository.ts';
import { callSlips, type Slip, slipping, wordSlips } from '../src/simulation/procedural/slips.ts';
import { writeTask } from '../src/simulation/procedural/task.ts';
import { applyPatch, complaintsAbout } from '../src/simulation/state.ts';
import { catalogueTools } from '../src/tools/catalogue.ts';
import { viewOf } from './support/arbitraries.ts';
import { type Opinion, secondOpinion } from './support/second-oracle.ts';

const listed = importedRepository(catalogueTools, 0.25).repository;
const slips: readonly Slip[] = [...wordSlips, ...callSlips];

interface Case {
  readonly source: 'builtin' | 'listed';
  readonly first: Opinion;
  readonly second: Opinion;
}

function caseOf(seed: number): Case | undefined {
  const draws = stream(seedOf('second', seed));
  const source = draws.chance(0.5) ? 'builtin' : 'listed';
  const view = viewOf({ seed, difficulty: 1 + draws.int(100), repository: source === 'builtin' ? builtinRepository : listed });
  const written = writeTask(view);
  const answers = play(written, oracle).turns.flatMap((turn) => (turn.role === 'tool' && turn.status !== 'transient' ? [turn] : []));
  const task: Task = draws.chance(0.8)
    ? { ...written, rehearsal: answers.map(({ status, result, patch }) => ({ status, result, patch })) }
    : written;
  const agent = draws.chance(0.2) ? oracle : slipping(draws.pick(slips), seedOf(seed, 'agent'));
  const played = play(task, agent).turns;
  const turns = draws.chance(0.3) ? cut(played, task, draws.int(4)) : played;
  const world = worldAfter(task.world, turns);
  if (world === undefined) return undefined;
  const { gates, findings } = examine({ task, turns, world });
  const passed = (name: string): boolean => gates.find((gate) => gate.name === name)?.passed === true;
  return {
    source,
    first: {
      known: passed('knownTool'),
      wellFormed: passed('schema'),
      said: passed('groundedArguments'),
      made: passed('expectedCalls'),
      answered: passed('expectedAnswer'),
      harmless: passed('sideEffects'),
      needed: findings.tools.met,
      spare: findings.concise.met,
      brisk: findings.efficient.met,
    },
    second: secondOpinion(task, turns),
  };
}

/** An episode that nobody would play: without a call, with one twice, told backwards, or with other words in the query. */
function cut(turns: readonly Turn[], task: Task, way: number): Turn[] {
  const last = turns.findLastIndex(({ role }) => role === 'tool');
  if (last < 1) return [...turns];
  const pair = turns.slice(last - 1, last + 1);
  if (way === 0) return turns.filter((_, at) => at !== last && at !== last - 1);
  if (way === 1) return [...turns.slice(0, last + 1), ...pair, ...turns.slice(last + 1)];
  if (way === 2) return [turns[0] as Turn, ...pair, ...turns.slice(1, last - 1), ...turns.slice(last + 1)];
  return turns.map((turn, at) => (at === 0 ? { role: 'user', text: task.query.split(' ').reverse().join(' ').toUpperCase() } : turn));
}

function worldAfter(world: World, turns: readonly Turn[]): World | undefined {
  let after = world;
  for (const turn of turns) {
    if (turn.role !== 'tool') continue;
    if (complaintsAbout(after, turn.patch).length > 0) return undefined;
    after = applyPatch(after, turn.patch);
  }
  return after;
}

describe('a second reading of the rules', () => {
  const cases: Case[] = [];
  for (let seed = 0; cases.length < 1000; seed++) {
    const each = caseOf(seed);
    if (each !== undefined) cases.push(each);
  }
  const rules = Object.keys(cases[0]?.first ?? {}) as (keyof Opinion)[];

  test('has enough of every kind before it: passed and failed, of both kinds of tools', () => {
    for (const source of ['builtin', 'listed']) expect(cases.filter((each) => each.source === source).length).toBeGreaterThan(300);
    for (const rule of rules) {
      const failed = cases.filter(({ second }) => !second[rule]).length;
      expect([rule, failed > 15, failed < 900]).toEqual([rule, true, true]);
    }
  });

  test.each(rules)('agrees on "%s" in at least 98 of 100 episodes', (rule) => {
    expect(cases.filter(({ first, second }) => first[rule] === second[rule]).length / cases.length).toBeGreaterThanOrEqual(0.98);
  });

  test('agrees on all nine rules at once in at least 98 of 100 episodes', () => {
    const same = cases.filter(({ first, second }) => rules.every((rule) => first[rule] === second[rule]));
    expect(same.length / cases.length).toBeGreaterThanOrEqual(0.98);
  });
});
