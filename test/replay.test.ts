/** The record of an episode is enough to live through it again. */
import { expect, test } from 'vitest';
import { runGroup } from '../src/actors/group.ts';
import { replay } from '../src/machines/replay.ts';
import type { Episode } from '../src/protocol/episode.ts';
import {
  calls,
  engineDown,
  goodAgent,
  says,
  scriptedJob,
  scriptedPorts,
  scriptedSimulator,
  scriptedTask,
  settle,
} from './support/scripted.ts';
import type { RecordingPorts } from './support/scripted.ts';

const signal = new AbortController().signal;
const faultOnce = scriptedSimulator<never, never>('tool', (_, attempt) =>
  attempt === 0 ? 'garbage' : ({ status: 'ok', observation: { room: 'r1' }, patch: [] } as never),
);

const stories: Record<string, () => { ports: RecordingPorts; maxTurns?: number; members?: number }> = {
  ok: () => ({ ports: scriptedPorts() }),
  repaired: () => ({ ports: scriptedPorts(goodAgent, { tool: faultOnce }) }),
  faulted: () => ({ ports: scriptedPorts(goodAgent, { judge: scriptedSimulator('judge', () => 'no') }) }),
  truncated: () => ({ ports: scriptedPorts(() => calls('ada')), maxTurns: 2 }),
  'down and retried': () => ({ ports: scriptedPorts((turn) => (turn === 0 ? calls('ada') : engineDown)), members: 3 }),
  malformed: () => ({ ports: scriptedPorts((turn) => (turn === 0 ? '{broken' : says('done'))) }),
};

test.each(Object.keys(stories))('replaying the record of an episode that ended "%s" reproduces every state hash', async (name) => {
  const { ports, maxTurns = 4, members = 1 } = (stories[name] as (typeof stories)[string])();
  const task = scriptedTask({ maxTurns });
  const group = await runGroup(scriptedJob({ task, members, attempts: 2 }), ports, signal);
  const { events, divergence } = replay(ports.events, { world: task.world });
  expect(divergence).toBeNull();
  expect(events).toHaveLength(ports.events.length);
  const end = group.episodes.at(-1) as Episode;
  const last = events.findLast(({ actor }) => actor.endsWith('/episode'));
  expect(last?.snapshot.output).toEqual({ outcome: end.outcome, turns: end.turns });
});

test('replaying a cancelled episode reproduces every state hash', async () => {
  const ports = scriptedPorts((turn) => (turn === 0 ? calls('ada') : null));
  const abort = new AbortController();
  const running = runGroup(scriptedJob({ members: 2 }), ports, abort.signal);
  await settle();
  abort.abort();
  const group = await running;
  expect(group.sealedBy).toBe('cancel');
  expect(replay(ports.events).divergence).toBeNull();
});

test('a replay gives back the tokens of the agent', async () => {
  const ports = scriptedPorts();
  const group = await runGroup(scriptedJob(), ports, signal);
  const agent = replay(ports.events).events.findLast(({ actor }) => actor.endsWith('/agent'));
  expect(agent?.snapshot.context).toMatchObject({ traces: group.episodes[0]?.traces });
});

test('a record that was changed is found at the first event whose state differs', async () => {
  const ports = scriptedPorts();
  await runGroup(scriptedJob(), ports, signal);
  const index = ports.events.findIndex(({ event }) => event.type === 'episode.observed');
  const changed = ports.events.map((recorded, i) =>
    i === index ? { ...recorded, event: { type: 'episode.cancel', reason: 'forged' } } : recorded,
  );
  expect(replay(changed).divergence?.index).toBe(index);
});

test('every recorded event carries the hash of the state it led to', async () => {
  const ports = scriptedPorts();
  await runGroup(scriptedJob({ members: 4 }), ports, signal);
  expect(ports.events.length).toBeGreaterThan(90);
  expect(ports.events.every(({ state }) => /^[0-9a-f]{8}$/.test(state))).toBe(true);
});
