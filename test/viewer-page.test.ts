import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Binding, KeyMatcher } from '../src/viewer/page/bindings.ts';
import { fit, ranked, typedIds } from '../src/viewer/page/choices.ts';
import { duration, figure, percent, reward, shortId, stepNumber } from '../src/viewer/page/format.ts';
import { linePath } from '../src/viewer/page/kit/line-path.ts';
import { least, movedShares } from '../src/viewer/page/kit/shares.ts';
import { routeOf, to, withQuery } from '../src/viewer/page/router.ts';
import { EventReader, type StreamEvent } from '../src/viewer/page/stream.ts';

const name = fc.string({ minLength: 1, unit: 'binary' }).filter((text) => !/[\uD800-\uDFFF]/.test(text));

describe('addresses', () => {
  test('every address leads back to the route it was made for, whatever the names', () => {
    fc.assert(
      fc.property(name, name, (run, id) => {
        expect(routeOf(to.run(run))).toEqual({ page: 'run', run });
        expect(routeOf(to.group(run, id))).toEqual({ page: 'group', run, group: id });
        expect(routeOf(to.episode(run, id))).toEqual({ page: 'episode', run, episode: id });
        expect(routeOf(to.charts(id))).toEqual({ page: 'charts', chart: id });
      }),
    );
  });

  test('what is no address is absent, and throws nothing', () => {
    fc.assert(
      fc.property(fc.string(), (path) => {
        expect(routeOf(path)).toHaveProperty('page');
      }),
    );
    for (const path of ['/runs/%E0%A4%A', '/runs/a/b', '/runs/a/groups', '/compare/x', '/charts/a/b', '/nothing'])
      expect(routeOf(path).page).toBe('absent');
  });

  test('a query holds what was put into it and leaves out what is empty', () => {
    const address = withQuery('/runs/a', { filter: 'tool=="a b" && reward<0', sort: '', turn: 3, tab: null, event: undefined });
    expect(Object.fromEntries(new URLSearchParams(address.split('?')[1]))).toEqual({ filter: 'tool=="a b" && reward<0', turn: '3' });
    expect(withQuery('/runs/a', {})).toBe('/runs/a');
  });
});

describe('keys', () => {
  const bound = (keys: string, always = false): Binding => ({ keys, what: keys, act: () => undefined, always });
  const group = (...bindings: Binding[]) => ({ title: 'keys', bindings });
  const press = (key: string, more: Partial<{ ctrl: boolean; alt: boolean; typing: boolean }> = {}) => ({
    key,
    ctrl: false,
    alt: false,
    typing: false,
    ...more,
  });

  test('one key is told from a sequence that begins with another', () => {
    const matcher = new KeyMatcher();
    const groups = [group(bound('j'), bound('g g'), bound('G'), bound('mod+k', true))];
    expect(matcher.match(press('j'), groups, 0)).toMatchObject({ keys: 'j' });
    expect(matcher.match(press('g'), groups, 10)).toBe('pending');
    expect(matcher.match(press('g'), groups, 20)).toMatchObject({ keys: 'g g' });
    expect(matcher.match(press('G'), groups, 30)).toMatchObject({ keys: 'G' });
    expect(matcher.match(press('x'), groups, 40)).toBeNull();
  });

  test('a sequence left unfinished is forgotten', () => {
    const matcher = new KeyMatcher();
    const groups = [group(bound('g g'), bound('j'))];
    expect(matcher.match(press('g'), groups, 0)).toBe('pending');
    expect(matcher.match(press('g'), groups, 5000)).toBe('pending');
    expect(matcher.match(press('j'), groups, 5010)).toMatchObject({ keys: 'j' });
    expect(matcher.match(press('g'), groups, 5020)).toBe('pending');
  });

  test('typing is not interrupted, but for the keys that always hold', () => {
    const matcher = new KeyMatcher();
    const groups = [group(bound('j'), bound('mod+k', true))];
    expect(matcher.match(press('j', { typing: true }), groups, 0)).toBeNull();
    expect(matcher.match(press('K', { ctrl: true, typing: true }), groups, 0)).toMatchObject({ keys: 'mod+k' });
    expect(matcher.match(press('j', { alt: true }), groups, 0)).toBeNull();
  });

  test('the innermost view wins', () => {
    const outer = bound('Escape');
    const inner = bound('Escape');
    expect(new KeyMatcher().match(press('Escape'), [group(outer), group(inner)], 0)).toBe(inner);
  });
});

describe('the event stream', () => {
  const text = ': hello\r\nid: 7\nevent: step\ndata: {"a":\ndata: 1}\n\nretry: 900\n\ndata: später ✓\rid: 8\r\n\r\nevent: lost';
  const whole: StreamEvent[] = [
    { kind: 'step', data: '{"a":\n1}' },
    { kind: 'message', data: 'später ✓' },
  ];

  test('the same events come out however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 12 }), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), text.length];
        const reader = new EventReader();
        const events = edges.slice(1).flatMap((until, i) => reader.read(text.slice(edges[i], until)));
        expect(events).toEqual(whole);
        expect(reader.lastId).toBe('8');
        expect(reader.retryMs).toBe(900);
      }),
    );
  });

  test('an endless line is dropped and what follows is read', () => {
    const reader = new EventReader();
    for (let i = 0; i < 10; i++) reader.read('x'.repeat(1_000_000));
    expect(reader.read('\ndata: on\n\n')).toEqual([{ kind: 'message', data: 'on' }]);
  });
});

describe('the palette', () => {
  const choices = ['quickstart', 'smoke', 'quick-storage', 'All runs'].map((title) => ({ kind: 'run', title, go: '/' }) as const);

  test('letters in order find, beginnings of words first, others not at all', () => {
    expect(ranked('qs', choices, 9).map(({ title }) => title)).toEqual(['quick-storage', 'quickstart']);
    expect(ranked('smk', choices, 9).map(({ title }) => title)).toEqual(['smoke']);
    expect(fit('zz', 'quickstart')).toBeNull();
    expect(ranked('', choices, 2)).toHaveLength(2);
  });

  test('an id leads straight there, within a run', () => {
    const at = routeOf('/runs/quick');
    expect(typedIds(' s00001.t003.e05 ', at)[0]?.go).toBe('/runs/quick/episodes/s00001.t003.e05');
    expect(typedIds('s00001.t003.e05/agent', at)[0]?.go).toBe('/runs/quick/episodes/s00001.t003.e05');
    expect(typedIds('s00001.t003', at)[0]?.go).toBe('/runs/quick/groups/s00001.t003');
    expect(typedIds('e00000.before.greedy.heldOut.d100.t199.e00', at)[0]?.kind).toBe('episode');
    expect(typedIds('s00001.t003', routeOf('/'))).toEqual([]);
  });
});

describe('figures', () => {
  test('figures are short, signed where it matters, and never NaN', () => {
    expect([0, 0.12345, 12.345, 1234.5, 1.2e-7, null, NaN].map(figure)).toEqual(['0', '0.123', '12.3', '1,235', '1.2e-7', '–', '–']);
    expect([1, 0, -1, 0.25, null].map(reward)).toEqual(['+1', '0', '−1', '+0.25', '–']);
    expect([percent(0.875), percent(NaN), percent(null)]).toEqual(['87.5 %', '–', '–']);
    expect([3.2, 12_345, 200_000, null].map(duration)).toEqual(['3 ms', '12.3 s', '3 min 20 s', '–']);
    expect(stepNumber('s00120')).toBe('120');
    expect(['odd', 'e00000.before', 'e00120.during'].map(stepNumber)).toEqual(['odd', 'before', 'during 120']);
    expect(shortId('e00000.before.greedy.heldOut.d100.t199.e00')).toBe('e00000.…d100.t199.e00');
    expect(shortId('s00001.t003.e05')).toBe('s00001.t003.e05');
  });

  test('moving a border keeps the sum, and no pane vanishes', () => {
    const shares = fc.tuple(fc.double({ min: 0.1, max: 0.8, noNaN: true }), fc.double({ min: -2, max: 2, noNaN: true }));
    fc.assert(
      fc.property(shares, ([left, by]) => {
        const moved = movedShares([left, 1 - left], 0, by);
        expect(moved.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
        expect(Math.min(...moved)).toBeGreaterThanOrEqual(least - 1e-9);
      }),
    );
  });

  test('a line breaks where there is no figure, and stays in its box', () => {
    expect(linePath([0, 1, null, -1], 30, 10, -1, 1)).toBe('M0.0 5.0L10.0 0.0M30.0 10.0h2');
    expect(linePath([9], 30, 10, -1, 1)).toBe('M0.0 0.0h2');
    expect(linePath([], 30, 10, -1, 1)).toBe('');
  });
});
