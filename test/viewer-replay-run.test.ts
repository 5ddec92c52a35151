/** What a viewer shows of a real run, killed in the middle and taken up again: every actor of it, the run's own included, in the states it was in. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ConfigInput } from '../src/config.ts';
import type { RecordedEvent } from '../src/protocol/frame.ts';
import { framesFrom } from '../src/record/reader.ts';
import { chartOf } from '../src/viewer/chart/standing.ts';
import { replayed } from '../src/viewer/replayed.ts';
import { survive } from './support/runs.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-shown-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const config: ConfigInput = {
  name: 'shown',
  seed: 5,
  steps: 3,
  engine: { kind: 'scripted', scripted: { skill: 0.7 } },
  trainer: { kind: 'scripted', learningRate: 0.01 },
  rollout: { tasks: 2, group: 3 },
  eval: { tasks: 1, levels: [5] },
};

const events: RecordedEvent[] = [];
let resumes = 0;
beforeAll(async () => {
  expect(await survive(config, root, [{ kind: 'named', step: 's00002' }])).toBe(1);
  for (const { frame } of framesFrom(join(root, 'runs', 'shown', 'journal'))) {
    if (frame.kind === 'events') events.push(...frame.events);
    if (frame.kind === 'run.resumed') resumes++;
  }
});

test('every state shown is the one the live actor had, before the kill and after it', () => {
  expect(resumes).toBe(1);
  const all = replayed();
  all.feed(events);
  expect(all.length).toBeGreaterThan(500);
  expect(all.disagreements).toBe(0);
});

test('the run’s own actors are among them, each where it ended', () => {
  const all = replayed();
  all.feed(events);
  const own = all.standing().filter(({ actor }) => actor.startsWith('run/'));
  expect(Object.fromEntries(own.map(({ actor, value }) => [actor, value]))).toEqual({
    'run/broker': 'ready',
    'run/curriculum': 'steady',
    'run/policyUpdate': 'waiting',
    'run/experiment': 'done',
  });
});

test('every kind of actor with a chart took part, tasks and groups too', () => {
  expect([...new Set(events.map(({ actor }) => chartOf(actor)))].sort()).toEqual(
    ['agent', 'broker', 'curriculum', 'episode', 'experiment', 'group', 'judge', 'policyUpdate', 'task', 'tool', 'user'].sort(),
  );
});
