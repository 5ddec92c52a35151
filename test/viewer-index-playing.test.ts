/** A group that is still played, as the viewer shows it from its actors' events alone. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RecordedEvent } from '../src/protocol/frame.ts';
import { RunIndex } from '../src/viewer/run-index.ts';
import { eventsOfGroup, groupPage, Groups } from '../src/viewer/group.ts';
import { playingIn } from '../src/viewer/playing.ts';
import { type DrawnGroup, playDrawn } from './support/drawn-groups.ts';
import { openSample, sealed } from './support/sample-run.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-playing-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const drawn: DrawnGroup[] = [];
beforeAll(async () => {
  for (let seed = 1; seed <= 30; seed++) drawn.push(await playDrawn(seed));
});

/** Since the group last began. */
const lastLife = ({ events, group }: DrawnGroup): readonly RecordedEvent[] =>
  events.slice(
    Math.max(
      0,
      events.findLastIndex(({ actor, event }) => actor === `${group.id}/group` && event.type === 'xstate.init'),
    ),
  );

test('at its end, its members’ turns and outcomes are those it is then sealed with', () => {
  let compared = 0;
  for (const one of drawn) {
    const playing = new Map(playingIn(lastLife(one), one.group.task.world).map((member) => [member.id, member]));
    for (const { id, member, turns, outcome } of one.group.episodes) {
      expect(playing.get(id)).toEqual({ id, member, turns, outcome });
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(30);
});

test('after any number of events, a member’s turns are the first of those it comes to have', () => {
  for (const one of drawn.slice(0, 10)) {
    const events = lastLife(one);
    const attempts = new Map(one.group.episodes.map(({ id, attempt }) => [id as string, attempt]));
    const final = new Map(one.group.episodes.map(({ id, turns }) => [id as string, turns]));
    for (let count = 1; count <= events.length; count++) {
      for (const { id, turns } of playingIn(events.slice(0, count), one.group.task.world)) {
        // An attempt that was given up has turns of its own.
        if (attempts.get(id) === 1) expect(turns).toEqual(final.get(id)?.slice(0, turns.length));
      }
    }
  }
});

test('is found by its task, without rewards, until it is sealed; of a resumed run, its last life only', async () => {
  const one = drawn.find(({ resumed, group }) => resumed && group.episodes.some(({ reward }) => reward !== null)) as DrawnGroup;
  const { group, events } = one;
  const { folder, record } = await openSample(root);
  const index = new RunIndex(folder);
  const groups = new Groups({ advantages: ({ episodes }) => episodes.map(() => 0.5) });
  const page = () => {
    index.update(() => true);
    const opened = groups.open(index, null, group.id);
    return opened === null ? null : groupPage('sample', group.id, opened);
  };
  record.append({ kind: 'task.issued', step: group.step, task: group.task });
  await record.flush();
  expect(page()).toMatchObject({ status: 'running', members: [] });
  for (const event of events) record.append({ kind: 'events', events: [event] });
  await record.flush();
  const running = page();
  expect(eventsOfGroup(index, group.id)).toEqual(lastLife(one));
  expect(running).toMatchObject({ id: group.id, status: 'running', task: { id: group.task.id }, zeroVariance: false });
  expect(running?.members.every(({ reward, advantage }) => reward === null && advantage === null)).toBe(true);
  record.append(sealed(group));
  await record.close();
  const then = page();
  expect(then).toMatchObject({ status: group.status, missing: group.missing });
  expect(then?.members.map(({ turns }) => turns)).toEqual(group.episodes.map(({ turns }) => turns));
  expect(then?.members.map(({ reward }) => reward)).toEqual(group.episodes.map(({ reward }) => reward));
});
