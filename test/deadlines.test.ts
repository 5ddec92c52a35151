/** Every wait has an end, and the end says whose it was. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { simulatedClock, systemClock } from '../src/actors/clock.ts';
import { deadlineWheel } from '../src/actors/deadlines.ts';
import { runGroup } from '../src/actors/group.ts';
import type { GroupJob } from '../src/actors/group.ts';
import { writeTask } from '../src/actors/task.ts';
import type { Episode } from '../src/protocol/episode.ts';
import { taskId, stepId } from '../src/protocol/ids.ts';
import type { PolicyVersion } from '../src/protocol/ids.ts';
import type { ChatReply, ChatRequest } from '../src/protocol/inference.ts';
import type { Simulators, TaskView } from '../src/simulation/contract.ts';
import { calls, chatSimulator, goodAgent, says, scriptedJob, scriptedPorts, scriptedTask, settle } from './support/scripted.ts';

const signal = new AbortController().signal;

/** Plays until nobody moves any more, then lets `ms` pass. */
async function stall(ms: number, cast: Partial<Simulators>, changes: Partial<GroupJob> = {}, script = goodAgent): Promise<Episode> {
  const ports = { ...scriptedPorts(script, cast), chat: () => new Promise<never>(() => undefined) };
  const running = runGroup(scriptedJob(changes), ports, signal);
  await settle();
  ports.clock.advance(ms);
  await settle();
  // A refilled member stalls again.
  ports.clock.advance(ms);
  const group = await running;
  expect(ports.clock.armed).toBe(0);
  return group.episodes[0] as Episode;
}

const never = (role: 'user' | 'tool' | 'judge') => ({ [role]: chatSimulator(role, () => 'anybody there?') });

describe('the turn deadline', () => {
  test('of a silent policy is a fault of the infrastructure', async () => {
    expect(await stall(1000, {}, {}, () => null)).toMatchObject({
      outcome: { kind: 'infraFault', fault: { kind: 'EngineFault' } },
      reward: null,
    });
  });

  test.each(['user', 'tool'] as const)('of a silent %s is its fault', async (role) => {
    const episode = await stall(1000, never(role), {}, role === 'user' ? () => says('for whom?') : goodAgent);
    expect(episode).toMatchObject({
      outcome: { kind: 'simulatorFault', role, fault: { message: `${role}: no answer before the turn deadline` } },
      reward: null,
    });
  });

  test('of a silent judge is a judge fault, not a reward', async () => {
    expect(await stall(1000, never('judge'))).toMatchObject({ outcome: { kind: 'judgeFault' }, reward: null });
  });

  test('covers a question with all its repairs', async () => {
    const ports = scriptedPorts(goodAgent, never('user'));
    const answers: ((text: string) => void)[] = [];
    const chat = (request: ChatRequest): Promise<ChatReply> =>
      new Promise((resolve) => {
        answers.push((text) => {
          resolve({ id: request.id, text, finish: 'stop', model: 'm' });
        });
      });
    const running = runGroup(scriptedJob({ deadlines: { turnMs: 1000, episodeMs: 9000, groupMs: 1500 } }), { ...ports, chat }, signal);
    await settle();
    ports.clock.advance(700);
    answers[0]?.('garbage');
    await settle();
    expect(answers).toHaveLength(2);
    ports.clock.advance(310);
    expect((await running).episodes[0]).toMatchObject({ outcome: { kind: 'simulatorFault', role: 'user' } });
  });
});

describe('the episode deadline', () => {
  const short = { deadlines: { turnMs: 60_000, episodeMs: 2000, groupMs: 60_000 } };
  test.each(['user', 'tool', 'judge'] as const)('while waiting for the %s is truncation by budget, unscored', async (role) => {
    expect(await stall(2000, never(role), short)).toMatchObject({
      outcome: { kind: 'truncated', by: 'budget', reason: 'episode deadline' },
      reward: null,
    });
  });

  test('while waiting for the policy is truncation by budget, unscored', async () => {
    expect(await stall(2000, {}, short, () => null)).toMatchObject({ outcome: { kind: 'truncated', by: 'budget' }, reward: null });
  });

  test('that falls together with the turn deadline explains it', async () => {
    const equal = { deadlines: { turnMs: 2000, episodeMs: 2000, groupMs: 60_000 } };
    expect(await stall(2000, {}, equal, () => null)).toMatchObject({ outcome: { kind: 'truncated', by: 'budget' } });
  });
});

test('a request is told what is left: of the turn, cut by the episode, cut by the group', async () => {
  const ports = scriptedPorts((turn) => (turn === 0 ? calls('ada') : null));
  const running = runGroup(scriptedJob({ deadlines: { turnMs: 5000, episodeMs: 4000, groupMs: 3000 } }), ports, signal);
  await settle();
  expect(ports.requests.map(({ deadlineMs }) => deadlineMs)).toEqual([3000, 3000]);
  ports.clock.advance(3000);
  expect(await running).toMatchObject({ sealedBy: 'deadline' });
});

describe('the task writer', () => {
  const view = { id: taskId(stepId(1), 0) } as TaskView;
  const job = { view, seed: 1, attempts: 2, deadlineMs: 500, version: 0 as PolicyVersion };
  const ports = () => ({ clock: simulatedClock(), record: () => undefined });
  const speaks = (text: string) => ({
    chat: (request: ChatRequest): Promise<ChatReply> => Promise.resolve({ id: request.id, text, finish: 'stop', model: 'm' }),
  });

  test('hands over a readable task', async () => {
    const written = await writeTask(
      job,
      { ...ports(), writer: chatSimulator('task', () => 'write'), ...speaks(JSON.stringify(scriptedTask())) },
      signal,
    );
    expect(written).toEqual(scriptedTask());
  });

  test('is a task fault when no attempt could be read', async () => {
    const writing = writeTask(job, { ...ports(), writer: chatSimulator('task', () => 'write'), ...speaks('once upon a time') }, signal);
    await expect(writing).rejects.toMatchObject({ name: 'TaskFault', raw: 'once upon a time' });
  });

  test('is a task fault when nothing comes before its deadline', async () => {
    const stage = ports();
    const writing = writeTask(
      job,
      { ...stage, writer: chatSimulator('task', () => 'write'), chat: () => new Promise(() => undefined) },
      signal,
    );
    await settle();
    stage.clock.advance(500);
    await expect(writing).rejects.toMatchObject({ name: 'TaskFault', message: 'task writer: no answer before the turn deadline' });
    expect(stage.clock.armed).toBe(0);
  });
});

describe('the wheel', () => {
  test('expires each deadline exactly once, never early, at most a tick late, and none that was disarmed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.nat(500), ms: fc.nat(1000), disarm: fc.option(fc.nat(1000)) }), { maxLength: 40 }),
        (waits) => {
          const clock = simulatedClock();
          const wheel = deadlineWheel(clock, 10);
          const expired = new Map<number, number[]>();
          for (const [index, { at, ms, disarm }] of waits.entries()) {
            clock.after(at, () => {
              const deadline = wheel.arm(ms, 0, () => {
                expired.set(index, [...(expired.get(index) ?? []), clock.now()]);
              });
              if (disarm !== null)
                clock.after(disarm, () => {
                  wheel.disarm(deadline);
                });
            });
          }
          clock.advance(3000);
          for (const [index, { at, ms, disarm }] of waits.entries()) {
            const times = expired.get(index) ?? [];
            if (disarm === null || disarm > ms + 10) expect(times).toHaveLength(1);
            if (disarm !== null && disarm < ms) expect(times).toEqual([]);
            for (const time of times) {
              expect(time).toBeGreaterThanOrEqual(at + ms);
              expect(time).toBeLessThan(at + ms + 10);
            }
          }
          expect(wheel.armed).toBe(0);
          expect(clock.armed).toBe(0);
        },
      ),
    );
  });

  test('keeps one timer for any number of waits', () => {
    const clock = simulatedClock();
    const wheel = deadlineWheel(clock);
    for (let i = 0; i < 1000; i++) wheel.arm(1000 + i, 0, () => undefined);
    expect(clock.armed).toBe(1);
    wheel.close();
    expect(clock.armed).toBe(0);
  });

  test('turns by the real clock too', async () => {
    const wheel = deadlineWheel(systemClock, 5);
    const start = systemClock.now();
    await new Promise<void>((resolve) => {
      wheel.arm(20, 0, resolve);
    });
    expect(systemClock.now() - start).toBeGreaterThanOrEqual(20);
    wheel.close();
  });
});
