/** Charts drawn: nothing of a machine is left out, nothing lies over anything else, and the same machine always looks the same. */
import { beforeAll, describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { definitionOf, type StateDefinition } from '../src/machines/definition.ts';
import { charts } from '../src/machines/replay.ts';
import { activeIn } from '../src/viewer/chart/active.ts';
import type { Box, ChartGeometry, ChartNode } from '../src/viewer/chart/geometry.ts';
import { layOut } from '../src/viewer/chart/layout.ts';
import { type, widthOf } from '../src/viewer/chart/words.ts';
import { entriesOf, heatOf } from '../src/viewer/page/chart/heat.ts';
import { headPath, roundedPath } from '../src/viewer/page/chart/route.ts';
import { svgOf } from './support/chart-svg.ts';

/** Everything a chart of ours could have and few have. */
const machine = setup({
  types: { context: {} as { tries: number } },
  guards: { isLate: () => true },
  actions: { ring: () => undefined, count: assign({ tries: 1 }) },
}).createMachine({
  id: 'odd',
  context: { tries: 0 },
  initial: 'both',
  states: {
    both: {
      type: 'parallel',
      states: {
        left: { initial: 'a', states: { a: { on: { go: 'b' } }, b: { type: 'final' } } },
        right: {
          initial: 'c',
          tags: ['busy'],
          states: { c: { after: { 1000: 'd' } }, d: { always: { guard: 'isLate', target: '#odd.over' } }, past: { type: 'history' } },
        },
      },
      onDone: 'over',
      on: {
        split: { target: ['.left.b', '.right.d'], actions: 'ring' },
        again: { target: 'both', reenter: true },
        note: { actions: ['count', 'ring'] },
      },
    },
    over: { type: 'final', entry: 'ring', exit: 'count' },
  },
});

const all = { ...charts, odd: machine };
const names = Object.keys(all);
const laid = new Map<string, ChartGeometry>();
beforeAll(async () => {
  for (const [name, chart] of Object.entries(all)) laid.set(name, await layOut(definitionOf(chart)));
});
const geometryOf = (name: string): ChartGeometry => laid.get(name) as ChartGeometry;

const statesIn = (state: StateDefinition): StateDefinition[] => [state, ...state.states.flatMap(statesIn)];
const overlap = (a: Box, b: Box): boolean => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
const holds = (outer: Box, inner: Box): boolean =>
  inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.w <= outer.x + outer.w && inner.y + inner.h <= outer.y + outer.h;
/** The part of a box with words in it. */
const headOf = (node: ChartNode): Box => ({
  ...node,
  h: node.kind === 'compound' || node.kind === 'parallel' ? 24 + node.notes.length * type.line : node.h,
});
const pairs = <T>(list: readonly T[]): [T, T][] => list.flatMap((a, i) => list.slice(i + 1).map((b): [T, T] => [a, b]));

describe('a definition', () => {
  test('holds every state of every kind, parallel, final and history ones too', () => {
    const { root } = definitionOf(machine);
    expect(statesIn(root).map(({ id, kind }) => `${id} ${kind}`)).toEqual([
      'odd compound',
      'odd.both parallel',
      'odd.both.left compound',
      'odd.both.left.a atomic',
      'odd.both.left.b final',
      'odd.both.right compound',
      'odd.both.right.c atomic',
      'odd.both.right.d atomic',
      'odd.both.right.past history',
      'odd.over final',
    ]);
    expect(statesIn(root).find(({ id }) => id === 'odd.both.right')?.tags).toEqual(['busy']);
    expect(statesIn(root).find(({ id }) => id === 'odd.over')).toMatchObject({ entry: ['ring'], exit: ['count'] });
  });

  test('holds what XState’s own leaves out: transitions without an event, and several targets', () => {
    const told = definitionOf(machine).edges.map(
      ({ id, targets, guard }) => `${id} → ${targets.join(' + ')}${guard === null ? '' : ` if ${guard}`}`,
    );
    expect(told).toContain('odd.both.right.d/always/0 → odd.over if isLate');
    expect(told).toContain('odd.both/split/0 → odd.both.left.b + odd.both.right.d');
    expect(told).toContain('odd.both/note/0 → ');
    expect(told).toContain('odd.both/xstate.done.state.odd.both/0 → odd.over');
    expect(told).toContain('odd/initial → odd.both');
    expect(told.find((line) => line.startsWith('odd.both.right.c/xstate.after.1000'))).toContain('→ odd.both.right.d');
  });

  test('has the hash of another chart only if it is that chart', () => {
    const changed = setup({ guards: { isLate: () => true } }).createMachine({
      id: 'x',
      initial: 'a',
      states: { a: { always: { guard: 'isLate', target: 'b' } }, b: {} },
    });
    const plain = setup({}).createMachine({ id: 'x', initial: 'a', states: { a: { always: { target: 'b' } }, b: {} } });
    expect(definitionOf(changed).hash).not.toBe(definitionOf(plain).hash);
    expect(definitionOf(charts['episode'] as never).hash).toBe(definitionOf(charts['episode'] as never).hash);
    expect(new Set(names.map((name) => geometryOf(name).hash)).size).toBe(names.length);
  });

  test.each(Object.keys(charts))('of "%s" calls every guard, action and actor by a name', (name) => {
    const { root, edges } = definitionOf(charts[name] as never);
    const called = [
      ...statesIn(root).flatMap(({ entry, exit, invokes, spawns }) => [...entry, ...exit, ...invokes, ...spawns]),
      ...edges.flatMap(({ guard, actions }) => [...actions, ...(guard === null ? [] : [guard])]),
    ];
    expect(called.filter((each) => !/^[a-zA-Z]+$/.test(each))).toEqual([]);
  });

  test.each(names)('of "%s" has an id for every edge, and no id twice', (name) => {
    const ids = definitionOf(all[name as keyof typeof all] as never).edges.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe.each(names)('the drawing of "%s"', (name) => {
  test('is the one in test/golden', async () => {
    await expect(svgOf(geometryOf(name))).toMatchFileSnapshot(`golden/charts/${name}.svg`);
  });

  test('has every state once and every transition as often as it has targets', () => {
    const { nodes, edges } = geometryOf(name);
    const definition = definitionOf(all[name as keyof typeof all] as never);
    expect(
      nodes
        .filter(({ kind }) => kind !== 'initial' && kind !== 'any')
        .map(({ id }) => id)
        .sort(),
    ).toEqual(
      statesIn(definition.root)
        .map(({ id }) => id)
        .sort(),
    );
    const drawn = [
      ...edges.flatMap(({ ways }) => ways.map(({ edge }) => edge)),
      ...nodes.flatMap(({ notes }) => notes.flatMap(({ edge }) => edge ?? [])),
    ];
    expect(drawn.sort()).toEqual(
      definition.edges.flatMap(({ id, targets }) => Array.from({ length: Math.max(1, targets.length) }, () => id)).sort(),
    );
    for (const { source, target } of edges) for (const end of [source, target]) expect(nodes.map(({ id }) => id)).toContain(end);
  });

  test('keeps every state inside the one it belongs to, and beside its brothers', () => {
    const { nodes, width, height } = geometryOf(name);
    for (const node of nodes)
      expect(holds(nodes.find(({ id }) => id === node.parent) ?? { x: 0, y: 0, w: width, h: height }, node)).toBe(true);
    const brothers = pairs(nodes).filter(([a, b]) => a.parent === b.parent);
    expect(brothers.filter(([a, b]) => overlap(a, b)).map(([a, b]) => `${a.id} ${b.id}`)).toEqual([]);
  });

  test('lays no label over another, over a state or over the words of one', () => {
    const { nodes, edges } = geometryOf(name);
    const labels = edges.flatMap(({ label, source, target }) => (label === null ? [] : [{ ...label, id: `${source}>${target}` }]));
    expect(
      pairs(labels)
        .filter(([a, b]) => overlap(a, b))
        .map(([a, b]) => `${a.id} ${b.id}`),
    ).toEqual([]);
    const covered = labels.flatMap((label) =>
      nodes.filter((node) => overlap(label, headOf(node))).map((node) => `${label.id} over ${node.id}`),
    );
    expect(covered).toEqual([]);
  });

  test('has room for every word', () => {
    const { nodes, edges } = geometryOf(name);
    for (const node of nodes) {
      for (const { x, y, text } of node.notes) {
        expect(x + widthOf(text, type.small)).toBeLessThanOrEqual(node.x + node.w);
        expect(y).toBeLessThan(node.y + node.h);
      }
      if (node.kind !== 'any' && node.kind !== 'history')
        expect(node.title.x + widthOf(node.title.text, type.title)).toBeLessThanOrEqual(node.x + node.w);
    }
    for (const { label, ways } of edges)
      for (const { lines } of ways) {
        if (label === null) expect(lines).toEqual([]);
        else for (const { x, y, text } of lines) expect(holds(label, { x, y: y - 9, w: widthOf(text, type.small), h: 10 })).toBe(true);
      }
  });

  test('draws no line through a state', () => {
    const { nodes, edges } = geometryOf(name);
    const through = edges.flatMap(({ source, target, points }) =>
      nodes
        .filter(({ id, kind }) => (kind === 'atomic' || kind === 'final') && id !== source && id !== target)
        .filter((node) =>
          points.slice(1).some((to, i) => {
            const from = points[i] as (typeof points)[number];
            const box = {
              x: Math.min(from.x, to.x),
              y: Math.min(from.y, to.y),
              w: Math.abs(to.x - from.x) + 0.1,
              h: Math.abs(to.y - from.y) + 0.1,
            };
            return overlap(box, node);
          }),
        )
        .map(({ id }) => `${source}>${target} through ${id}`),
    );
    expect(through).toEqual([]);
  });
});

test('a chart laid out twice is drawn the same', async () => {
  for (const name of ['episode', 'odd'])
    expect(await layOut(definitionOf(all[name as keyof typeof all] as never))).toEqual(geometryOf(name));
});

describe('a state value', () => {
  test('lights its states from the chart inwards, parallel ones all', () => {
    expect(activeIn('odd', { both: { left: 'a', right: 'c' } })).toEqual([
      'odd',
      'odd.both',
      'odd.both.left',
      'odd.both.left.a',
      'odd.both.right',
      'odd.both.right.c',
    ]);
    expect(activeIn('episode', 'acting')).toEqual(['episode', 'episode.acting']);
  });

  test('that nobody knows lights nothing', () => {
    expect(activeIn('episode', null)).toEqual([]);
  });
});

describe('heat', () => {
  const visits = { 'episode/initial': 1, 'episode.acting/episode.said/0': 9, 'episode.routing/always/3': 4, 'episode.routing/always/4': 5 };
  test('counts a state as entered as often as the edges into it were taken', () => {
    const entries = entriesOf(geometryOf('episode'), visits);
    expect(entries).toMatchObject({ 'episode.acting': 1, 'episode.routing': 9, 'episode.calling': 4, 'episode.listening': 5 });
  });

  test('is strongest where most happened, and none where nothing did', () => {
    const heat = heatOf(geometryOf('episode'), 'visits', visits, {});
    expect(heat.of('episode.routing')).toEqual({ count: 9, share: 1 });
    expect(heat.of('episode.judging')).toEqual({ count: 0, share: 0 });
    expect(heat.of('episode.calling').share).toBeCloseTo(2 / 3);
  });

  test('of time is measured by the states within a chart, not by the chart', () => {
    const heat = heatOf(geometryOf('episode'), 'dwell', visits, { episode: 100, 'episode.acting': 16, 'episode.calling': 4 });
    expect(heat.of('episode.acting').share).toBe(1);
    expect(heat.of('episode.calling').share).toBe(0.5);
  });
});

describe('a line', () => {
  const corners = [
    { x: 0, y: 0 },
    { x: 0, y: 20 },
    { x: 8, y: 20 },
    { x: 8, y: 40 },
  ];
  test('is rounded at its corners, no further than half way to the next', () => {
    expect(roundedPath(corners, 6)).toBe('M0 0L0 16Q0 20 4 20L4 20Q8 20 8 24L8 40');
  });

  test('ends in an arrow that points where the line goes', () => {
    expect(headPath(corners, 6)).toBe('M8 40L11 34L5 34Z');
  });
});
