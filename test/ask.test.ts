/** One question to a simulated role: what is sent, what is told on a second attempt, and what becomes of the reply. */
import { expect, test } from 'vitest';
import { forceBytes, throughBytes } from '../src/actors/bytes.ts';
import { runGroup } from '../src/actors/group.ts';
import type { ChatRequest } from '../src/protocol/inference.ts';
import { replay } from '../src/machines/replay.ts';
import { chatSimulator, goodAgent, scriptedJob, scriptedPorts } from './support/scripted.ts';
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
