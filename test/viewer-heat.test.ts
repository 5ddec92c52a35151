/** What is told of many episodes at once is the sum of what each tells alone. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RecordedEvent } from '../src/protocol/frame.ts';
import type { GroupId, StepId } from '../src/protocol/ids.ts';
import type { RolloutGroup } from '../src/protocol/group.ts';
import type { HeatCounts, HeatPage } from '../src/viewer/heat-contract.ts';
import { heatLimit, Heats } from '../src/viewer/heat.ts';
import { replayed } from '../src/viewer/replayed.ts';
import { RunIndex } from '../src/viewer/run-index.ts';
import type { Viewer } from '../src/viewer/server.ts';
import { playDrawn } from './support/drawn-groups.ts';
import { openSample, sealed } from './support/sample-run.ts';
import { ask, json, viewerWorld } from './support/viewer.ts';

interface Played {
  readonly events: readonly RecordedEvent[];
  readonly group: RolloutGroup;
}

/** The same, under another name. */
function renamed({ events, group }: Played, id: string): Played {
  const name = (text: string): string => text.replace(group.id, id);
  return {
    events: events.map((one) => ({ ...one, actor: name(one.actor) })),
    group: {
      ...group,
      id: id as GroupId,
      step: id.slice(0, 6) as StepId,
      episodes: group.episodes.map((episode) => ({ ...episode, id: name(episode.id) as typeof episode.id })),
    },
  };
}

const world = viewerWorld();
let viewer: Viewer;
let index: RunIndex;
const groups: Played[] = [];
beforeAll(async () => {
  const { folder, record } = await openSample(world.root, 'played');
  for (let n = 0; n < 24; n++) {
    const played = renamed(await playDrawn(n + 1), `s0000${1 + (n % 2)}.t0${String(n).padStart(2, '0')}`);
    groups.push(played);
    record.append({ kind: 'events', events: [...played.events] });
    // The last is still played.
    if (n < 23) record.append(sealed(played.group));
  }
  await record.close();
  index = new RunIndex(folder);
  index.update(() => true);
  viewer = await world.start();
});
afterAll(async () => {
  await viewer.close();
  world.remove();
});

type Sums = Record<string, Record<string, { visits: Record<string, number>; dwell: Record<string, number> }>>;

/** Each episode replayed alone and added, by chart and ending. */
function sumOf(played: readonly Played[], passes: (reward: number | null) => boolean = () => true, isSealed = true): Sums {
  const sums: Sums = {};
  for (const { events, group } of played) {
    const members = [
      ...group.episodes.map(({ id, reward }) => ({ id: id as string, reward })),
      ...group.missing.map(({ member }) => ({ id: `${group.id}.e0${member}`, reward: null })),
    ];
    // A first life that was cut off is not what is shown.
    const life = events.findLastIndex(({ actor, event }) => actor === `${group.id}/group` && event.type === 'xstate.init');
    for (const { id, reward } of members) {
      if (!passes(reward)) continue;
      const alone = replayed();
      alone.feed(events.slice(Math.max(0, life)).filter(({ actor }) => actor.startsWith(`${id}/`)));
      const ending = !isSealed ? 'playing' : reward === null ? 'lost' : reward > 0 ? 'solved' : 'failed';
      for (const { machine, visits, dwell } of alone.standing()) {
        const into = ((sums[machine] ??= {})[ending] ??= { visits: {}, dwell: {} });
        for (const [key, count] of Object.entries(visits)) into.visits[key] = (into.visits[key] ?? 0) + count;
        for (const [key, count] of Object.entries(dwell)) into.dwell[key] = (into.dwell[key] ?? 0) + count;
      }
    }
  }
  return sums;
}

const told = ({ charts }: HeatPage): Record<string, Partial<Record<string, HeatCounts>>> =>
  Object.fromEntries(charts.map(({ machine, by }) => [machine, by]));

const ofStep = (step: string): Played[] => groups.filter(({ group }, n) => group.step === step && n < 23);

describe('the sums', () => {
  test('of a group are those of its members, each replayed alone', async () => {
    for (const played of groups.slice(0, 23)) {
      const page = await json<HeatPage>(viewer, `/api/runs/played/groups/${played.group.id}/heat`);
      const members = played.group.episodes.length + played.group.missing.length;
      expect(page).toMatchObject({ matching: members, of: members, counted: members });
      expect(told(page)).toEqual(sumOf([played]));
    }
  });

  test('of a step are those of its groups, and every ending has its own', async () => {
    const page = await json<HeatPage>(viewer, '/api/runs/played/steps/s00001/heat');
    expect(told(page)).toEqual(sumOf(ofStep('s00001')));
    const { solved, failed, lost } = page.endings;
    expect(Math.min(solved, failed, lost)).toBeGreaterThan(0);
    expect(solved + failed + lost).toBe(page.counted);
    expect(page.endings.playing).toBe(0);
  });

  test('of a filtered list are those of what passes', async () => {
    const page = await json<HeatPage>(viewer, `/api/runs/played/heat?filter=${encodeURIComponent('reward<=0 && step==2')}`);
    expect(told(page)).toEqual(sumOf(ofStep('s00002'), (reward) => reward !== null && reward <= 0));
    expect(Object.keys(told(page)['episode'] ?? {})).toEqual(['failed']);
  });

  test('of a group that is still played are of what its actors have done so far', async () => {
    const last = groups.at(-1) as Played;
    const page = await json<HeatPage>(viewer, `/api/runs/played/groups/${last.group.id}/heat`);
    expect(page.endings).toMatchObject({ solved: 0, failed: 0, lost: 0 });
    expect(told(page)).toEqual(sumOf([last], undefined, false));
  });
});

describe('what is asked of many', () => {
  const clockOf = (times: () => number) => ({ now: times, after: () => () => undefined });

  test('is answered with what was counted in time, and from there when it is asked again', async () => {
    let now = 0;
    // Every look at the clock is a second later.
    const heats = new Heats(clockOf(() => (now += 1000)));
    const rows = index.rows();
    const first = await heats.ofRows(index, rows, rows.length);
    expect(first.counted).toBeLessThan(first.of);
    let last = first;
    for (let again = 0; again < 200 && last.counted < last.of; again++) last = await heats.ofRows(index, rows, rows.length);
    expect(last.counted).toBe(rows.length);
    expect(told(last)).toEqual(sumOf(groups.slice(0, 23)));
  });

  test('is of the last ones, and says of how many', async () => {
    const heats = new Heats(clockOf(() => 0));
    const rows = index.rows().slice(-5);
    expect(await heats.ofRows(index, rows, 4000)).toMatchObject({ matching: 4000, of: 5, counted: 5 });
    expect(heatLimit).toBe(512);
  });

  test('is refused where there is no such run or group, or the filter cannot be read', async () => {
    const at = ['groups/s00009.t000/heat', 'heat?filter=reward%3C'].map((path) => `/api/runs/played/${path}`);
    const statuses = await Promise.all(
      [...at, '/api/runs/absent/heat', '/api/runs/absent/steps/s00001/heat'].map((path) => ask(viewer, path)),
    );
    expect(statuses.map(({ status }) => status)).toEqual([404, 400, 404, 404]);
  });
});
