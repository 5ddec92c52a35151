/** The host and the procedural world together: what the oracle says, spoken in tokens through the charts, is worth what the oracle's own play is worth. */
import { expect, test } from 'vitest';
import { runGroup } from '../src/actors/group.ts';
import { systemClock } from '../src/actors/clock.ts';
import { teacher } from '../src/gpu/engines/scripted-teacher.ts';
import { replay } from '../src/machines/replay.ts';
import type { RecordedEvent } from '../src/protocol/frame.ts';
import type { TokenRequest } from '../src/protocol/inference.ts';
import type { RolloutGroup } from '../src/protocol/group.ts';
import type { Turn } from '../src/protocol/turn.ts';
import { oracle, play } from '../src/simulation/procedural/oracle.ts';
import { proceduralSimulators } from '../src/simulation/procedural/simulators.ts';
import { realJob, renderer } from './support/playhouse.ts';

async function rehearse(index: number, difficulty: number, skill: number): Promise<{ group: RolloutGroup; events: RecordedEvent[] }> {
  const job = realJob(index, difficulty, { members: 2 });
  const events: RecordedEvent[] = [];
  const taught = teacher({ renderer, turnsOf: (task) => play(task, oracle).turns, skill: () => skill });
  taught.learn(job.group, job.task);
  const generate = (request: TokenRequest) => {
    const ids = taught.policy(request, request.seed, job.version) as TokenRequest['ids'];
    const logprobs = new Float32Array(ids.length).fill(-0.1);
    return Promise.resolve({ id: request.id, version: job.version, samples: [{ ids, logprobs, finish: 'stop' as const }] });
  };
  const record = (chunk: RecordedEvent[]): void => void events.push(...chunk);
  const ports = { generate, record, simulators: proceduralSimulators(), renderer, clock: systemClock };
  return { group: await runGroup(job, ports, new AbortController().signal), events };
}

/** A user words an answer by its own draws. */
const withoutUser = (turns: readonly Turn[]): Turn[] => turns.filter(({ role }) => role !== 'user');
const difficulties = [1, 5, 25, 50, 75, 100];

test('the oracle, spoken in tokens, is rewarded at every difficulty with the very calls and results of its own play', async () => {
  for (const [index, difficulty] of difficulties.flatMap((d) => [d, d, d, d, d]).entries()) {
    const { group } = await rehearse(index, difficulty, 1);
    for (const episode of group.episodes) {
      expect(episode.reward).toBe(1);
      expect(withoutUser(episode.turns)).toEqual(withoutUser(play(group.task, oracle).turns));
    }
  }
});

test('a clumsy agent in the same world ends every episode, faultless on our side, and its record replays', async () => {
  for (const [index, difficulty] of difficulties.entries()) {
    const { group, events } = await rehearse(index, difficulty, 0.5);
    expect(group.episodes.map(({ reward }) => reward)).not.toContain(null);
    expect(replay(events, { world: group.task.world }).divergence).toBeNull();
  }
});
