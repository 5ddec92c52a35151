/** One question to a simulated role: what is sent, what is told on a second attempt, and what becomes of the reply. */
import { describe, expect, test } from 'vitest';
import { forceBytes, throughBytes } from '../src/actors/bytes.ts';
import { runGroup } from '../src/actors/group.ts';
import { EngineFault, type EngineTrouble, faultFrom } from '../src/errors.ts';
import type { ChatRequest } from '../src/protocol/inference.ts';
import type { Simulators, UserAnswer, UserView } from '../src/simulation/contract.ts';
import { replay } from '../src/machines/replay.ts';
import { chatSimulator, goodAgent, scriptedJob, scriptedPorts, settle } from './support/scripted.ts';
import type { RecordingPorts } from './support/scripted.ts';

const signal = new AbortController().signal;

/** The user is played by a model that says these texts, one per prompt. */
async function converse(...texts: string[]) {
  const prompts: ChatRequest[] = [];
  const ports = scriptedPorts(goodAgent, {
    user: chatSimulator('user', (view, complaints) => JSON.stringify({ heard: view.conversation.length, complaints })),
  });
  const chat: NonNullable<RecordingPorts['chat']> = (request) => {
    prompts.push(request);
    return Promise.resolve({ id: request.id, text: texts[prompts.length - 1] ?? '{"text":"","done":true}', finish: 'stop', model: 'm' });
  };
  const group = await runGroup(scriptedJob(), { ...ports, chat }, signal);
  return { prompts, episode: group.episodes[0], events: ports.events };
}

test('an unreadable reply is repaired with the complaint in the prompt, a fresh seed and a key of its own', async () => {
  const { prompts, episode } = await converse('hm', 'hm', '{"text":"","done":true}');
  expect(prompts.map(({ messages }) => (JSON.parse(messages[0]?.content as string) as { complaints: string[] }).complaints.length)).toEqual(
    [0, 1, 2],
  );
  expect(new Set(prompts.map(({ seed }) => seed)).size).toBe(3);
  expect(new Set(prompts.map(({ id }) => id)).size).toBe(3);
  expect(episode).toMatchObject({ reward: 1, attempt: 1 });
});

test('a chart that repairs shows it', async () => {
  const { events } = await converse('hm');
  const states = replay(events).events.flatMap(({ actor, snapshot }) => (actor.endsWith('/user') ? [JSON.stringify(snapshot.value)] : []));
  expect(states).toEqual(['"waiting"', '{"asking":"prompting"}', '{"asking":"repairing"}', '"answered"', '"answered"']);
});

test('a second question starts without the complaints of the first', async () => {
  const { prompts } = await converse('hm', '{"text":"which room?","done":false}', '{"text":"","done":true}');
  expect(prompts.map(({ messages }) => JSON.parse(messages[0]?.content as string) as unknown)).toEqual([
    { heard: 2, complaints: [] },
    { heard: 2, complaints: ['not JSON'] },
    { heard: 4, complaints: [] },
  ]);
});

test('text that no wire could carry is made whole before anybody reads it', async () => {
  const { events } = await converse('{"text":"a\ud800b","done":false}');
  const said = events.find(({ event }) => event.type === 'episode.replied');
  expect(said?.event).toMatchObject({ turn: { text: 'a�b' } });
});

test('so is a complaint that cut what it quotes in the middle of a character', async () => {
  const user: Simulators['user'] = {
    ...chatSimulator<UserView, UserAnswer>('user', () => 'well?'),
    read: (reply) =>
      reply === 'ok' ? { ok: true, answer: { text: '', done: true } } : { ok: false, complaint: `no: ${'🎉'.repeat(9).slice(0, 9)}` },
  };
  const ports = scriptedPorts(goodAgent, { user });
  let asked = 0;
  const chat: NonNullable<RecordingPorts['chat']> = ({ id }) =>
    Promise.resolve({ id, text: asked++ === 0 ? '🎉'.repeat(1500) : 'ok', finish: 'stop', model: 'm' });
  const { episodes } = await runGroup(scriptedJob(), { ...ports, chat }, signal);
  expect(episodes[0]).toMatchObject({ reward: 1 });
  expect(ports.events.some(({ event }) => event.type === 'ask.unreadable')).toBe(true);
  // JSON escapes half a character, and only that.
  expect(ports.events.filter((event) => /\\ud[89a-f]/.test(JSON.stringify(event)))).toEqual([]);
});

test('with bytes forced, a whole group plays the same: everything said and recorded can cross a thread', async () => {
  const plain = scriptedPorts();
  const forced = scriptedPorts();
  const group = await runGroup(scriptedJob({ members: 3 }), plain, signal);
  expect(await runGroup(throughBytes(scriptedJob({ members: 3 })), forceBytes(forced), signal)).toEqual(group);
  expect(forced.events).toEqual(plain.events.map((event) => throughBytes(event)));
});

test('a value that cannot cross a thread is found by forcing bytes', async () => {
  const ports = scriptedPorts();
  const generate: RecordingPorts['generate'] = async (request, abort) =>
    ({ ...(await ports.generate(request, abort)), at: new Date(0) }) as never;
  const group = await runGroup(scriptedJob(), forceBytes({ ...ports, generate }), signal);
  expect(group.episodes[0]?.outcome).toMatchObject({ kind: 'infraFault' });
});

describe('a prompt that is not answered', () => {
  /** A chat that fails the n-th prompt (from 0) as told; null never answers. */
  function house(answers: readonly (string | Error | null)[], changes: Partial<Parameters<typeof scriptedJob>[0]> = {}) {
    const prompts: ChatRequest[] = [];
    const ports = scriptedPorts(goodAgent, { user: chatSimulator('user', (_, complaints) => JSON.stringify(complaints)) });
    const chat: NonNullable<RecordingPorts['chat']> = (request) => {
      const answer = prompts.push(request) > answers.length ? '{"text":"","done":true}' : answers[prompts.length - 1];
      if (typeof answer !== 'string') return answer instanceof Error ? Promise.reject(answer) : new Promise(() => undefined);
      return Promise.resolve({ id: request.id, text: answer, finish: 'stop', model: 'm' });
    };
    const group = runGroup(scriptedJob(changes), { ...ports, chat }, signal);
    return { prompts, group, clock: ports.clock, events: ports.events };
  }
  const told = ({ messages }: ChatRequest): unknown => JSON.parse(messages[0]?.content as string);
  const trouble = (kind: EngineTrouble): EngineFault => new EngineFault(`POST http://127.0.0.1:4711: ${kind}`, { trouble: kind });

  test('is asked again after its share of the turn, so that three fit into it', async () => {
    const { prompts, group, clock } = house([null, null]);
    await settle();
    clock.advance(340);
    await settle();
    clock.advance(340);
    const { episodes } = await group;
    expect(prompts.map(({ deadlineMs }) => Math.round(deadlineMs))).toEqual([333, 330, 320]);
    expect(new Set(prompts.map(({ seed }) => seed)).size).toBe(3);
    expect(prompts.map(told)).toEqual([[], ['no answer in time'], ['no answer in time', 'no answer in time']]);
    expect(episodes[0]).toMatchObject({ reward: 1, attempt: 1 });
  });

  test('leaves a repair all the time it did not need', async () => {
    const { prompts, group } = house(['hm', 'hm']);
    await group;
    expect(prompts.map(({ deadlineMs }) => Math.round(deadlineMs))).toEqual([333, 500, 1000]);
  });

  test('keeps its time where it is the only one', async () => {
    const { prompts, group, clock } = house([null], { askAttempts: 1 });
    await settle();
    expect(prompts.map(({ deadlineMs }) => deadlineMs)).toEqual([1000]);
    clock.advance(1000);
    await settle();
    clock.advance(1000);
    expect((await group).episodes[0]?.outcome).toMatchObject({ kind: 'scored' });
  });

  test.each([
    ['stalled', 'no answer in time', 'silent'],
    ['internal', 'no answer came', 'silent'],
    ['malformed', 'the answer could not be read', 'malformed'],
  ] as const)('is repaired where the engine was %s, in words that are the same in every run', async (kind, complaint, defect) => {
    const { prompts, group, events } = house([trouble(kind)]);
    expect((await group).episodes[0]).toMatchObject({ reward: 1, attempt: 1 });
    expect(prompts.map(told)).toEqual([[], [complaint]]);
    expect(events.find(({ event }) => event.type === 'ask.unreadable')?.event).toMatchObject({ complaint, defect });
  });

  test.each(['absent', 'unreachable', 'overloaded', 'refused'] as const)(
    'is a fault of the infrastructure at once where the engine is %s',
    async (kind) => {
      const { prompts, group } = house([trouble(kind), trouble(kind)]);
      expect((await group).episodes[0]).toMatchObject({ reward: null, outcome: { kind: 'infraFault' } });
      expect(prompts).toHaveLength(1);
    },
  );

  test('is a fault of the infrastructure where the last one stalls too', async () => {
    const { prompts, group } = house([trouble('stalled'), trouble('stalled'), trouble('stalled')]);
    expect((await group).episodes[0]).toMatchObject({ reward: null, outcome: { kind: 'infraFault', fault: { trouble: 'stalled' } } });
    expect(prompts).toHaveLength(3);
  });

  test('says what trouble it met on the other side of a thread as well', () => {
    expect(faultFrom(trouble('stalled').toData())).toMatchObject({ name: 'EngineFault', trouble: 'stalled' });
    expect(faultFrom(new EngineFault('x').toData())).toMatchObject({ name: 'EngineFault', trouble: undefined });
  });
});
