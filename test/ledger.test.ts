/** The ledger of the world: it takes every right answer, of worlds whose rules it knows and of worlds that have none, and refuses wrong ones. */
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../src/protocol/json.ts';
import { contradicted, varied } from '../src/gpu/engines/fake/brain-wrongs.ts';
import { seedOf, stream } from '../src/random.ts';
import { contradictionIn } from '../src/simulation/lm/ledger.ts';
import { rulesCollection } from '../src/simulation/procedural/tool.ts';
import { writeTask } from '../src/simulation/procedural/task.ts';
import { catalogueTools } from '../src/tools/catalogue.ts';
import { viewOf } from './support/arbitraries.ts';
import { type Case, drawArguments, isStated, walk, wrongs, type Wrong } from './support/ledger-calls.ts';

const onTasks = (count: number): Case[] =>
  Array.from({ length: count }, (_, index) => index).flatMap((index) => {
    const task = writeTask(viewOf({ seed: index, difficulty: 1 + ((index * 37) % 100), split: index % 4 === 0 ? 'heldOut' : 'train' }));
    return walk(task, index, 16);
  });

/** Tools under their own names, on records that some of their calls ask for; no rules. */
const onCatalogue = (count: number): Case[] =>
  Array.from({ length: count }, (_, index) => index).flatMap((index) => {
    const draws = stream(seedOf('catalogue', index));
    const { category } = draws.pick(catalogueTools);
    const tools = draws.sample([...catalogueTools.filter((tool) => tool.category === category), draws.pick(catalogueTools)], 4);
    const entities: Record<string, Record<string, JsonObject>> = {};
    for (const [at, tool] of tools.entries()) (entities[tool.category] ??= {})[`r${at}`] = drawArguments(tool, draws);
    return walk({ tools, world: { entities, occurrences: {} }, expectedCalls: [] }, index, 16);
  });

function withoutRules({ view, ...rest }: Case): Case {
  const { [rulesCollection]: _, ...entities } = view.world.entities;
  return { ...rest, view: { ...view, world: { ...view.world, entities } } };
}

const refusals = (cases: readonly Case[]): string[] => cases.flatMap(({ view, right }) => contradictionIn(view, right) ?? []);

function caught(
  cases: readonly Case[],
  seen: (each: Case) => Case = (each) => each,
): Partial<Record<Wrong['kind'], { of: number; share: number }>> {
  const tallies: Partial<Record<Wrong['kind'], { of: number; share: number }>> = {};
  for (const [index, each] of cases.entries())
    for (const { kind, draft } of wrongs(each, seedOf(index))) {
      const { of, share } = tallies[kind] ?? { of: 0, share: 0 };
      const isCaught = contradictionIn(seen(each).view, draft) !== undefined;
      tallies[kind] = { of: of + 1, share: (share * of + Number(isCaught)) / (of + 1) };
    }
  return tallies;
}

const shared = onTasks(150);
const own = onCatalogue(120);

describe('right answers', () => {
  test('on worlds with rules thousands of them are all borne out', () => {
    expect(refusals(shared)).toEqual([]);
    expect(shared.length).toBeGreaterThan(2000);
    expect(shared.filter(({ right }) => right.found).length).toBeGreaterThan(900);
  });

  test('the same where the ledger is not shown the rules, as long as a record says what is said', () => {
    const stated = shared.filter((each) => !each.right.found || isStated(each));
    expect(stated.length).toBeGreaterThan(1500);
    expect(refusals(stated.map(withoutRules))).toEqual([]);
  });

  test('the same of tools under their own names, whose results are nested', () => {
    expect(refusals(own)).toEqual([]);
    expect(own.filter(({ right }) => right.found && typeof right.observation === 'object').length).toBeGreaterThan(300);
  });
});

test('of records that fit, any may be found, and what nobody wrote may be anything', () => {
  const others = [...shared, ...own].flatMap(({ view, right }, index) => {
    const draft = varied(view, right, seedOf('other', index));
    return draft === undefined ? [] : [{ view, draft }];
  });
  expect(others.length).toBeGreaterThan(300);
  expect(others.flatMap(({ view, draft }) => contradictionIn(view, draft) ?? [])).toEqual([]);
});

describe('wrong answers', () => {
  /** Least share refused, of those that the world can tell from right ones. */
  const told = { swapped: 0.95, invented: 0.95, changingRead: 1, unknownId: 1, untraced: 0.95 };

  test('another record’s value, an invented value, a patch by a read, an unknown id and a write without a trace are refused', () => {
    for (const tallies of [caught(shared), caught(shared, withoutRules)])
      for (const [kind, least] of Object.entries(told) as [keyof typeof told, number][]) {
        expect(tallies[kind]?.of).toBeGreaterThan(100);
        expect(tallies[kind]?.share, kind).toBeGreaterThanOrEqual(least);
      }
  });

  test('where the world says by what a record is found, so are finding nothing, finding anything and changing another record', () => {
    const tallies = caught(shared);
    expect(tallies.denied?.share).toBe(1);
    expect(tallies.claimed?.share).toBe(1);
    expect(tallies.astray?.share).toBeGreaterThan(0.9);
  });

  test('so is what the fake server’s brain gets wrong on purpose', () => {
    for (const cases of [shared, own]) {
      const wrong = cases.flatMap(({ view, right }, index) => {
        const draft = contradicted(view, right, stream(seedOf('brain', index)));
        return draft === undefined ? [] : [contradictionIn(view, draft) !== undefined];
      });
      expect(wrong.length).toBeGreaterThan(1000);
      expect(wrong.filter(Boolean).length / wrong.length).toBeGreaterThan(0.97);
    }
  });

  test('where it does not, most are', () => {
    const tallies = caught(shared, withoutRules);
    expect(tallies.denied?.share).toBeGreaterThan(0.7);
    expect(tallies.claimed?.share).toBeGreaterThan(0.55);
    expect(tallies.astray?.share).toBeGreaterThan(0.8);
  });
});
