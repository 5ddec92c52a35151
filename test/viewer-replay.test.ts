/** What a viewer shows of a record is what happened: the states of the live actors, by the edges they took, for any window of any episode. */
import { createActor } from 'xstate';
import type { AnyActorScope, AnyMachineSnapshot, AnyStateMachine, AnyTransitionDefinition } from 'xstate';
import { beforeAll, describe, expect, test } from 'vitest';
import { definitionOf, edgeIdsOf } from '../src/machines/definition.ts';
import { stateHash } from '../src/machines/hash.ts';
import { charts } from '../src/machines/replay.ts';
import { trail } from '../src/machines/trail.ts';
import type { RecordedEvent } from '../src/protocol/frame.ts';
import { activeIn } from '../src/viewer/chart/active.ts';
import { chartOf, standingAt } from '../src/viewer/chart/standing.ts';
import { replayed } from '../src/viewer/replayed.ts';
import { type DrawnGroup, playDrawn } from './support/drawn-groups.ts';

const drawn: DrawnGroup[] = [];
beforeAll(async () => {
  for (let seed = 1; seed <= 100; seed++) drawn.push(await playDrawn(seed));
});

const world = { entities: {}, occurrences: {} };

/** What XState itself says that it took: `inspect`'s own account of every microstep, of the chart as it is. */
function taken(events: readonly RecordedEvent[]): string[][] {
  const actors = new Map<string, AnyMachineSnapshot>();
  return events.map(({ actor, event }) => {
    const chart = charts[chartOf(actor)] as AnyStateMachine;
    const ids = edgeIdsOf(chart);
    const selected: string[] = [];
    const self = createActor(chart, { input: { world } });
    const tell = (told: { readonly type: string; readonly _transitions?: readonly AnyTransitionDefinition[] }): void => {
      if (told.type === '@xstate.microstep') selected.push(...(told._transitions ?? []).flatMap((one) => ids.get(one) ?? []));
    };
    const nothing = (): void => undefined;
    const system = Object.create(self.system, { _sendInspectionEvent: { value: tell } }) as object;
    const scope = {
      self,
      system,
      id: '',
      sessionId: '',
      logger: nothing,
      defer: nothing,
      stopChild: nothing,
      emit: nothing,
      actionExecutor: nothing,
    };
    const before = actors.get(actor);
    const next =
      event.type === 'xstate.init' || before === undefined
        ? chart.getInitialSnapshot(scope as unknown as AnyActorScope, { ...(event['input'] as object), world })
        : chart.transition(before, event, scope as unknown as AnyActorScope);
    actors.set(actor, next as AnyMachineSnapshot);
    return selected;
  });
}

const isInitial = (edge: string): boolean => edge.endsWith('/initial');

describe('over episodes with drawn faults, cuts and resumes', () => {
  test('there are two hundred, of every kind', () => {
    const episodes = drawn.flatMap(({ group }) => group.episodes);
    const kinds = new Set(episodes.map(({ outcome }) => outcome.kind));
    expect(episodes.length).toBeGreaterThanOrEqual(200);
    expect([...kinds].sort()).toEqual(['infraFault', 'judgeFault', 'policyFault', 'scored', 'simulatorFault', 'truncated']);
    expect(episodes.some(({ outcome }) => outcome.kind === 'truncated' && outcome.by === 'budget')).toBe(true);
    expect(episodes.some(({ attempt }) => attempt > 1)).toBe(true);
    expect(drawn.filter(({ resumed }) => resumed).length).toBeGreaterThan(20);
  });

  test('the state shown at every event is the state the live actor had', () => {
    for (const { events } of drawn) {
      const follower = trail();
      const shown = events.map((event) => follower.follow(event));
      expect(shown.map(({ value }) => (value === null ? null : stateHash(value)))).toEqual(events.map(({ state }) => state));
      expect(shown.every(({ agrees }) => agrees)).toBe(true);
    }
  });

  test('the edges shown are those that XState says it took', () => {
    for (const { events } of drawn.slice(0, 40)) {
      const follower = trail();
      expect(events.map((event) => follower.follow(event).edges.filter((edge) => !isInitial(edge)))).toEqual(taken(events));
    }
  });

  test('edges lead from the state before to the state after', () => {
    const edges = new Map(Object.values(charts).flatMap((chart) => definitionOf(chart).edges.map((edge) => [edge.id, edge] as const)));
    for (const { events } of drawn) {
      const follower = trail();
      const lit = new Map<string, readonly string[]>();
      for (const event of events) {
        const { chart, value, edges: ids } = follower.follow(event);
        const before = event.event.type === 'xstate.init' ? [chart] : (lit.get(event.actor) ?? []);
        const after = activeIn(chart as string, value);
        const [first, last] = [edges.get(ids[0] ?? ''), edges.get(ids.at(-1) ?? '')];
        if (first !== undefined) expect(before).toContain(first.source);
        for (const target of last?.targets ?? []) expect(after).toContain(target);
        if (ids.length === 0 || last?.targets.length === 0) expect(after).toEqual(before);
        lit.set(event.actor, after);
      }
    }
  });

  test('a window shows what the whole shows, and where everybody stood before it', () => {
    for (const { events } of drawn.slice(0, 30)) {
      const whole = replayed();
      whole.feed(events);
      const all = whole.window(0, events);
      const from = Math.floor(events.length / 2);
      const part = whole.window(from, events.slice(from, from + 20));
      expect(part.events).toEqual(all.events.slice(from, from + 20));
      expect(part.before).toEqual(whole.standing(from));
      for (const index of [from - 1, from, Math.min(from + 19, events.length - 1)])
        expect(standingAt(part, index)).toEqual(whole.standing(index + 1));
    }
  });

  test('events that come in pieces are shown as if they had come at once', () => {
    for (const { events } of drawn.slice(0, 10)) {
      const [whole, pieces] = [replayed(), replayed()];
      whole.feed(events);
      for (let at = 0; at < events.length; at += 7) pieces.feed(events.slice(at, at + 7));
      expect(pieces.window(0, events)).toEqual(whole.window(0, events));
    }
  });
});

describe('a record that is not as it was', () => {
  test('is shown to disagree from the event on that was changed', () => {
    const record = drawn.map(({ events }) => events).find((events) => events.some(({ event }) => event.type === 'episode.said')) ?? [];
    const at = record.findIndex(({ event }) => event.type === 'episode.said');
    const changed = record.map((recorded, i) =>
      i === at ? { ...recorded, event: { type: 'episode.cancel', reason: 'forged' } } : recorded,
    );
    const whole = replayed();
    whole.feed(changed);
    const shown = whole.window(0, changed).events;
    expect(shown.findIndex(({ agrees }) => !agrees)).toBe(at);
    expect(whole.disagreements).toBeGreaterThan(0);
  });

  test('and tells of an actor whose beginning is missing shows it in no state', () => {
    const record = drawn
      .flatMap(({ events }) => events)
      .slice(0, 200)
      .filter(({ actor, event }) => !(actor.endsWith('/agent') && event.type === 'xstate.init'));
    const whole = replayed();
    whole.feed(record);
    const agent = whole.window(0, record).events.filter(({ actor }) => actor.endsWith('/agent'));
    expect(agent.length).toBeGreaterThan(0);
    expect(agent.every(({ value, agrees, edge }) => value === null && !agrees && edge === null)).toBe(true);
  });

  test('with an event that its chart cannot take is shown all the same', () => {
    const init = { actor: 'x/episode', event: { type: 'xstate.init', input: { query: 'q', maxTurns: 2 } }, state: stateHash('acting') };
    const whole = replayed();
    whole.feed([
      init,
      { actor: 'x/episode', event: { type: 'episode.said' }, state: stateHash('calling') },
      { actor: 'x/nobody', event: { type: 'y' }, state: '' },
    ]);
    expect(whole.disagreements).toBe(2);
    expect(whole.standing().map(({ actor, value }) => [actor, value])).toEqual([
      ['x/episode', 'acting'],
      ['x/nobody', null],
    ]);
  });
});

describe('an episode of a hundred thousand events', () => {
  const turns = 16_667;
  const said = { role: 'agent', thought: 'x'.repeat(40), text: '', calls: [{ name: 'find', arguments: { of: 'emma' } }] };
  const observed = { role: 'tool', call: said.calls[0], status: 'ok', result: { shelf: 7 }, patch: [] };
  const at = (actor: string, state: unknown, event: RecordedEvent['event']): RecordedEvent => ({
    actor: `e/${actor}`,
    event,
    state: stateHash(state as never),
  });
  const events: RecordedEvent[] = [
    at('episode', 'acting', { type: 'xstate.init', input: { query: 'q', maxTurns: turns + 1 } }),
    at('agent', 'waiting', { type: 'xstate.init' }),
    at('tool', 'waiting', { type: 'xstate.init', input: { attempts: 1 } }),
    ...Array.from({ length: turns }, (_, i) => [
      at('agent', 'sampling', { type: 'agent.prompt', turns: [observed] }),
      at('agent', 'waiting', {
        type: 'agent.sampled',
        call: i + 1,
        prompt: new Int32Array(8),
        ids: new Int32Array(20),
        logprobs: new Float32Array(20),
        stopped: true,
        version: 1,
        turn: said,
      }),
      at('episode', 'calling', { type: 'episode.said', turn: said }),
      at('tool', { asking: 'prompting' }, { type: 'tool.call', call: said.calls[0] }),
      at('tool', 'answered', { type: 'ask.read', ask: i + 1, attempt: 0, answer: { status: 'ok', observation: 1, patch: [] } }),
      at('episode', 'acting', { type: 'episode.observed', turn: observed }),
    ]).flat(),
  ];

  test('is followed to its end, and any two hundred of it are there within a tenth of a second', () => {
    const whole = replayed();
    const begun = performance.now();
    whole.feed(events);
    const first = performance.now() - begun;
    expect(whole.length).toBeGreaterThan(100_000);
    expect(whole.disagreements).toBe(0);
    const times = [0, 25_000, 50_000, 99_800].map((from) => {
      const asked = performance.now();
      const { events: shown, before } = whole.window(from, events.slice(from, from + 200));
      expect(shown.length).toBe(200);
      expect(before?.length).toBe(from === 0 ? 0 : 3);
      return performance.now() - asked;
    });
    console.log(`first pass ${first.toFixed(0)} ms, windows ${times.map((time) => time.toFixed(1)).join(' ')} ms`);
    expect(times.toSorted((a, b) => a - b)[1]).toBeLessThan(100);
  });
});
