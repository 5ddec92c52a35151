import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { EpisodeContext } from '../src/machines/episode.ts';
import { replay } from '../src/machines/replay.ts';
import { trail } from '../src/machines/trail.ts';
import type { RecordedEvent } from '../src/protocol/frame.ts';
import type { Turn } from '../src/protocol/turn.ts';
import type { EventOutline } from '../src/viewer/contract.ts';
import { eventOutline } from '../src/viewer/outline.ts';
import { replayed } from '../src/viewer/replayed.ts';
import { cutAt, textLength } from '../src/viewer/page/episode/clip.ts';
import { quotedTurn } from '../src/viewer/page/episode/evidence.ts';
import { failedNeighbour } from '../src/viewer/page/episode/failed.ts';
import { gistOf } from '../src/viewer/page/episode/gist.ts';
import { Heights } from '../src/viewer/page/episode/heights.ts';
import { lanes, messagesOf } from '../src/viewer/page/episode/lane-messages.ts';
import { partOfEvent, storyOf } from '../src/viewer/page/episode/story.ts';
import { ticksOf } from '../src/viewer/page/episode/ticks.ts';
import { stateWords, Timeline } from '../src/viewer/page/episode/timeline.ts';
import { runGroup } from '../src/actors/group.ts';
import { type DrawnGroup, playDrawn } from './support/drawn-groups.ts';
import { calls, says, scriptedJob, scriptedPorts, scriptedTask } from './support/scripted.ts';

interface Played {
  readonly events: readonly RecordedEvent[];
  readonly outline: EventOutline;
  readonly turns: readonly Turn[];
}

const played: Played[] = [];
beforeAll(async () => {
  for (let seed = 1; seed <= 40; seed++) played.push(...episodesOf(await playDrawn(seed)));
  const ports = scriptedPorts((turn) => (turn === 0 ? '{broken' : turn === 1 ? calls('ada', 'bo') : says('done')));
  const group = await runGroup(scriptedJob({ task: scriptedTask({ maxTurns: 5 }) }), ports, new AbortController().signal);
  played.push(...episodesOf({ group, events: ports.events }));
});

function episodesOf({ group, events }: Pick<DrawnGroup, 'group' | 'events'>): Played[] {
  // What came before the last beginning of the group is another life.
  const life = events.slice(events.findLastIndex(({ actor, event }) => actor.endsWith('/group') && event.type === 'xstate.init'));
  return group.episodes.map(({ id, turns }) => {
    const own = life.filter(({ actor }) => actor.startsWith(`${id}/`));
    return { events: own, outline: outlineOf(own), turns };
  });
}

function outlineOf(events: readonly RecordedEvent[]): EventOutline {
  const follower = trail();
  return eventOutline(events.map((recorded) => ({ actor: recorded.actor, type: recorded.event.type, ...follower.follow(recorded) })));
}

describe('the outline of an episode', () => {
  test('there are episodes of several attempts, and with calls that nobody could read', () => {
    expect(played.some(({ outline }) => outline.turn.includes(-1))).toBe(true);
    expect(played.some(({ turns }) => turns.some((turn) => turn.role === 'agent' && turn.malformed !== undefined))).toBe(true);
    expect(played.length).toBeGreaterThan(60);
  });

  test('every event belongs to the turn that the episode’s own chart appends next', () => {
    for (const { events, outline } of played) {
      const begun = events.findLastIndex(({ actor, event }) => actor.endsWith('/episode') && event.type === 'xstate.init');
      let turns = 0;
      replay(events).events.forEach(({ actor, snapshot }, i) => {
        expect(outline.turn[i]).toBe(i < begun ? -1 : turns);
        if (i >= begun && actor.endsWith('/episode')) turns = (snapshot.context as EpisodeContext).turns.length;
      });
    }
  });

  test('the actors stand where a replay of the same events leaves them, on the same path', () => {
    for (const { events, outline } of played) {
      const timeline = new Timeline(outline);
      const whole = replayed();
      whole.feed(events);
      for (const at of [0, Math.floor(events.length / 3), events.length - 1]) {
        for (const standing of whole.standing(at + 1)) {
          const name = standing.actor.slice(standing.actor.lastIndexOf('/') + 1);
          expect(timeline.standing(name, at)).toEqual({ actor: name, event: standing.at, value: standing.value, edges: standing.edges });
          expect(timeline.path(name, at).visits).toEqual(standing.visits);
        }
      }
    }
  });

  test('a turn is found again from the event with which it was said', () => {
    for (const { outline, turns } of played) {
      const timeline = new Timeline(outline);
      for (const turn of turns.keys()) {
        const event = timeline.eventOfTurn(turn);
        expect(timeline.turnOf(event)).toBeLessThanOrEqual(turn);
        expect(timeline.turnOf(event + 1)).toBeGreaterThan(turn);
      }
    }
  });

  test('an event that disagrees is named', () => {
    const [{ events }] = played as [Played];
    const outline = outlineOf(events.map((event, i) => (i === 3 ? { ...event, state: '00000000' } : event)));
    expect(outline.disagree).toEqual([3]);
    expect(new Timeline(outline).agrees(3)).toBe(false);
  });

  test('states are told in words', () => {
    expect(stateWords({ asking: 'prompting' })).toBe('asking.prompting');
    expect(stateWords({ a: 'b', c: {} })).toBe('a.b + c');
    expect(stateWords(null)).toBe('unknown');
  });
});

describe('the story', () => {
  test('every turn is told once and in order, and trouble stands before the turn that came of it', () => {
    for (const { outline, turns } of played) {
      const parts = storyOf(turns, new Timeline(outline));
      expect(parts.flatMap((part) => (part.kind === 'turn' ? [part.turn] : []))).toEqual([...turns.keys()]);
      const places = parts.flatMap((part) => (part.kind === 'turn' || part.kind === 'trouble' ? [part.turn] : []));
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(parts.at(-1)).toEqual({ kind: 'end' });
    }
  });

  test('each event has its place in the transcript, and they come in order', () => {
    for (const { outline, turns } of played) {
      const timeline = new Timeline(outline);
      const parts = storyOf(turns, timeline);
      const begun = outline.turn.lastIndexOf(-1) + 1;
      const plain = outline.turn.map((_, event) => partOfEvent(parts, timeline, event)).slice(begun);
      const said = plain.filter((at) => parts[at]?.kind !== 'trouble');
      expect(said).toEqual(said.toSorted((a, b) => a - b));
      expect(Math.max(...plain)).toBeLessThan(parts.length);
    }
  });

  test('without events the turns are told all the same', () => {
    const [{ turns }] = played as [Played];
    expect(storyOf(turns, null)).toHaveLength(turns.length + 2);
  });
});

describe('messages between actors', () => {
  test('every event of an episode is a message to its receiver, and says so of each kind but beginnings and ends', () => {
    for (const { outline } of played) {
      const read = messagesOf(outline);
      outline.actor.forEach((actor, i) => expect(read(actor, outline.type[i] ?? -1)?.to).toBe(outline.actors[actor]));
    }
    const kinds = new Set(played.flatMap(({ outline }) => outline.types));
    expect(kinds).toContain('agent.sampled');
    expect(kinds).toContain('ask.unreadable');
  });

  test('marks are at most one a pixel, whatever the number of events, and count them all', () => {
    const count = 100_000;
    const column = (of: number): number[] => Array.from({ length: count }, (_, i) => i % of);
    const outline: EventOutline = {
      actors: ['agent', 'tool', 'episode'],
      types: ['agent.prompt', 'deadline.expired'],
      values: ['waiting'],
      edges: [[]],
      actor: column(3),
      type: column(2),
      value: column(1),
      edge: column(1),
      turn: column(1),
      disagree: [],
    };
    const ticks = ticksOf(outline, 1000);
    expect(ticks.reduce((sum, { count: events }) => sum + events, 0)).toBe(count);
    expect(ticks.map(({ lane }) => lane)).toEqual([...lanes]);
    for (const { plain, trouble } of ticks) expect(plain.length + trouble.length).toBeLessThan(40_000);
  });
});

describe('evidence', () => {
  const turns: readonly Turn[] = [
    { role: 'user', text: 'Book a room for Ada on Friday, please.' },
    {
      role: 'agent',
      thought: 'Ada wants room 12',
      text: 'Shall I book the blue room?',
      calls: [{ name: 'book_room', arguments: { who: 'Ada' } }],
    },
    { role: 'tool', call: { name: 'book_room', arguments: { who: 'Ada' } }, status: 'ok', result: { room: 12, day: 'Friday' }, patch: [] },
  ];

  test('leads to the turn it quotes, quotation marks or not', () => {
    expect(quotedTurn(turns, '"Book a room for Ada on Friday"')).toBe(0);
    expect(quotedTurn(turns, 'book the blue room')).toBe(1);
    expect(quotedTurn(turns, 'book_room ok: room 12, day Friday')).toBe(2);
  });

  test('leads nowhere where nothing is quoted, and never to a thought', () => {
    expect(quotedTurn(turns, 'call 1 of 1 was not made')).toBeNull();
    expect(quotedTurn(turns, 'Ada wants room 12')).not.toBe(1);
    expect(quotedTurn(turns, '')).toBeNull();
  });
});

describe('lists of unknown heights', () => {
  const heights = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 200 });

  test('the tops are the sums of the heights, before and after they were measured', () => {
    fc.assert(
      fc.property(heights, fc.array(fc.tuple(fc.nat(199), fc.integer({ min: 1, max: 900 }))), (given, measured) => {
        const list = new Heights(given.length, (i) => given[i] ?? 0);
        const now = [...given];
        for (const [index, height] of measured) {
          const by = list.set(index, height);
          expect(by).toBe(index < now.length ? height - (now[index] ?? 0) : 0);
          if (index < now.length) now[index] = height;
        }
        const tops = now.map((_, i) => now.slice(0, i).reduce((sum, height) => sum + height, 0));
        expect(now.map((_, i) => list.top(i))).toEqual(tops);
        expect(list.total).toBe(now.reduce((sum, height) => sum + height, 0));
      }),
    );
  });

  test('the item at a distance is the one that covers it', () => {
    fc.assert(
      fc.property(heights, fc.double({ min: 0, max: 1, noNaN: true }), (given, share) => {
        const list = new Heights(given.length, (i) => given[i] ?? 0);
        const distance = Math.floor(share * (list.total - 1));
        const at = list.at(distance);
        expect(list.top(at)).toBeLessThanOrEqual(distance);
        expect(list.top(at) + list.height(at)).toBeGreaterThan(distance);
      }),
    );
  });

  test('beyond the end is the last item', () => expect(new Heights(3, () => 10).at(1e9)).toBe(2));
});

describe('what is cut', () => {
  test('a text is never cut between the halves of a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.nat(60), (text, length) => {
        const cut = cutAt(text, length);
        expect(text.startsWith(cut)).toBe(true);
        expect(cut).not.toMatch(/\p{Surrogate}/u);
        expect(text.length <= length ? cut === text : cut.length <= length).toBe(true);
      }),
    );
  });

  test('lone surrogates pass as they are', () => expect(cutAt('a\ud800b', 10)).toBe('a\ud800b'));

  test('a large value is not measured to its end', () => {
    let read = 0;
    const large = Array.from({ length: 1000 }, () => ({
      get text(): string {
        read++;
        return 'some words';
      },
    }));
    expect(textLength(large, 80)).toBeGreaterThan(80);
    expect(read).toBeLessThan(20);
  });

  test('what fits on a line is measured as JSON writes it, give or take its blanks', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }), (value) => {
        const length = textLength(value, Infinity);
        const json = JSON.stringify(value);
        expect(length).toBeGreaterThanOrEqual(Math.min(json.length, 2) - 2);
        expect(length).toBeLessThan(2 * json.length + 6);
      }),
    );
  });
});

describe('a turn in one line', () => {
  test('says what was said, called or answered', () => {
    const call = { name: 'book', arguments: { who: 'Ada', at: { day: 5, hour: 7 }, tags: ['a', 'b'] } };
    expect(gistOf({ role: 'agent', thought: 'x', text: 'One\n moment', calls: [call] })).toBe('book(Ada, {day, hour}, [2]) One moment');
    expect(gistOf({ role: 'tool', call, status: 'ok', result: 12, patch: [] })).toBe('book → 12');
    expect(gistOf({ role: 'tool', call, status: 'transient', result: null, patch: [] })).toBe('book transient');
    expect(gistOf({ role: 'agent', thought: 'x', text: '', calls: [] })).toBe('(nothing)');
  });

  test('is one short line, whatever was said', () => {
    const large = 'two words\n'.repeat(500_000);
    const call = { name: 'book', arguments: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, large])) };
    for (const turn of [
      { role: 'user', text: large },
      { role: 'agent', thought: '', text: large, calls: Array.from({ length: 100 }, () => call) },
      { role: 'tool', call, status: 'ok', result: large, patch: [] },
    ] satisfies Turn[]) {
      expect(gistOf(turn).length).toBeLessThanOrEqual(120);
      expect(gistOf(turn)).not.toContain('\n');
    }
  });
});

describe('failed neighbours', () => {
  const names = fc.uniqueArray(fc.integer({ min: 0, max: 999 }), { maxLength: 60 }).map((all) => all.sort((a, b) => a - b).map(name));
  const name = (n: number): string => `s${String(n).padStart(5, '0')}.t000.e00`;

  test('are the nearest by name on either side, the episode itself failed or not', async () => {
    await fc.assert(
      fc.asyncProperty(names, fc.integer({ min: 0, max: 999 }), async (failed, at) => {
        const rowAt = (offset: number) => Promise.resolve({ total: failed.length, episode: failed[offset] ?? null });
        const here = name(at);
        expect(await failedNeighbour(rowAt, here, 1)).toBe(failed.find((other) => other > here) ?? null);
        expect(await failedNeighbour(rowAt, here, -1)).toBe(failed.findLast((other) => other < here) ?? null);
      }),
    );
  });

  test('are found in a long list with a few questions', async () => {
    let asked = 0;
    const rowAt = (offset: number) => {
      asked++;
      return Promise.resolve({ total: 50_000, episode: name(offset) });
    };
    expect(await failedNeighbour(rowAt, name(31_000), 1)).toBe(name(31_001));
    expect(asked).toBeLessThan(25);
  });
});
