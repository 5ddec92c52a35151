/** Which prompt belongs to which question: from events and recorded calls, nothing else. */
import { describe, expect, test } from 'vitest';
import { createBroker } from '../src/gpu/broker.ts';
import { EngineFault, RecordFault } from '../src/errors.ts';
import type { Engine } from '../src/gpu/engine.ts';
import { pack } from '../src/protocol/codec.ts';
import { Frame } from '../src/protocol/frame.ts';
import type { CallId, EpisodeId, PolicyVersion } from '../src/protocol/ids.ts';
import type { ChatRequest } from '../src/protocol/inference.ts';
import { CallWalk, worded } from '../src/record/projections/calls.ts';
import { systemClock } from '../src/actors/clock.ts';
import { isChatReply, textOf } from '../src/viewer/peek.ts';
import { askedAt, askedIn, sparedWords } from '../src/viewer/page/episode/asked.ts';
import type { CallList } from '../src/viewer/contract.ts';
import { call, group, recording } from './support/calls.ts';

const id = (name: string): CallId => name as CallId;
const episode = 's00001.t000.e01' as EpisodeId;

/** Feeds `actor/event` pairs. */
function walked(...events: readonly (readonly [string, { readonly type: string; readonly [key: string]: unknown }])[]): CallWalk {
  const walk = new CallWalk();
  for (const [actor, event] of events) walk.take(actor, event);
  return walk;
}
const init = { type: 'xstate.init' };
const model = (...calls: string[]) => ({ source: { from: 'model', calls } });
const asker = (actor: string, attempt = 0, more: object = {}) => ({ actor: `${episode}/${actor}`, ask: 1, attempt, ...more });

describe('a walk over events', () => {
  test('tells a repair from what it repairs', () => {
    const rows = walked(
      ['user', init],
      ['user', { type: 'user.hear', said: [] }],
      ['user', { type: 'ask.unreadable', ask: 1, attempt: 0, complaint: 'no JSON', raw: '?', ...model('a') }],
      ['user', { type: 'ask.read', ask: 1, attempt: 1, answer: {}, ...model('b') }],
    ).rows([]);
    expect(rows).toMatchObject([
      { actor: 'user', end: 'refused', attempt: 0, complaint: 'no JSON', defect: 'malformed', calls: ['a'], event: 2 },
      { actor: 'user', end: 'accepted', attempt: 1, calls: ['b'], event: 3 },
    ]);
  });

  test('calls an answer late that comes when its question is over', () => {
    const rows = walked(
      ['tool', init],
      ['tool', { type: 'tool.call', call: { name: 'find', arguments: {} } }],
      ['tool', { type: 'deadline.expired', deadline: 'turn' }],
      ['tool', { type: 'ask.read', ask: 1, attempt: 0, answer: {}, ...model('a') }],
    ).rows([]);
    expect(rows.map(({ end, tool }) => [end, tool])).toEqual([
      ['expired', 'find'],
      ['late', 'find'],
    ]);
  });

  test('gives a question without an answer the call that was made for it', () => {
    const walk = walked(
      ['judge', init],
      ['judge', { type: 'judge.review', turns: [] }],
      ['judge', { type: 'deadline.expired', deadline: 'turn' }],
    );
    expect(walk.rows([{ id: id('a'), asker: asker('judge') }])).toMatchObject([{ actor: 'judge', end: 'expired', calls: ['a'] }]);
  });

  test('shows a call that nobody has an answer to', () => {
    expect(walked(['user', init]).rows([{ id: id('a'), asker: asker('user') }])).toMatchObject([
      { end: 'open', calls: ['a'], event: null },
    ]);
  });

  test('keeps votes that were not needed beside those that decided', () => {
    const walk = walked(
      ['judge', init],
      ['judge', { type: 'judge.review', turns: [] }],
      ['judge', { type: 'ask.read', ask: 1, attempt: 0, answer: {}, ...model('a', 'b') }],
    );
    const asked = ['a', 'b', 'c'].map((name, vote) => ({ id: id(name), asker: asker('judge', 0, { vote }) }));
    expect(walk.rows(asked)).toMatchObject([{ end: 'accepted', calls: ['a', 'b', 'c'] }]);
  });

  test('puts a panel without a verdict before what its members were asked alone, and one with a verdict nowhere else', () => {
    const review = ['judge', { type: 'judge.review', turns: [] }] as const;
    const ruled = (name: string) =>
      walked(['judge', init], review, ['judge', { type: 'ask.read', ask: 1, attempt: 0, answer: {}, ...model(name) }]);
    const panel = { id: id('p'), asker: { actor: 's00001.t000/panel', ask: 1, attempt: 0, episodes: [episode] } };
    expect(ruled('a').rows([panel])).toMatchObject([
      { end: 'alone', calls: ['p'] },
      { end: 'accepted', calls: ['a'] },
    ]);
    expect(ruled('p').rows([panel])).toMatchObject([{ end: 'accepted', calls: ['p'] }]);
  });

  test('takes a task back that failed its rehearsal, and counts the next prompt as a repair', () => {
    const rows = walked(
      ['task', init],
      ['task', { type: 'ask.read', ask: 1, attempt: 0, answer: {}, ...model('a') }],
      ['task', { type: 'task.refuted', complaint: 'call 1 finds nothing', defect: 'unsolvable' }],
      ['task', { type: 'ask.read', ask: 1, attempt: 1, answer: {}, ...model('b') }],
    ).rows([]);
    expect(rows.map(({ end, attempt }) => [end, attempt])).toEqual([
      ['refuted', 0],
      ['accepted', 1],
    ]);
    expect(rows[0]).toMatchObject({ complaint: 'call 1 finds nothing', defect: 'unsolvable' });
  });
});

const system = 'You play a user. '.repeat(20);
const chatOf = (name: string, change: Partial<ChatRequest> = {}): ChatRequest => ({
  id: id(name),
  role: 'user',
  messages: [
    { role: 'system', content: system },
    { role: 'user', content: `say ${name} \u202e</data>` },
  ],
  schema: { type: 'object', properties: { say: { type: 'string' } } },
  seed: 7,
  maxTokens: 64,
  temperature: 0.5,
  priority: 0,
  group: group(0),
  deadlineMs: 1000,
  ...change,
});

function brokerOf(chat: Engine['chat'], { frames, record } = recording()) {
  const engine = {
    name: 'one',
    concurrency: 4,
    metrics: () => Promise.resolve({ running: 0, waiting: 0, kvUsed: 0 }),
    generate: () => Promise.reject(new EngineFault('not here', { trouble: 'refused' })),
    ...(chat === undefined ? {} : { chat }),
  } as unknown as Engine;
  const broker = createBroker({ engines: [engine], clock: systemClock, seed: 1, version: 0 as PolicyVersion, record });
  return { broker, frames, signal: new AbortController().signal };
}
const kinds = (frames: readonly Frame[]): string[] => frames.map(({ kind }) => kind);

describe('a broker', () => {
  const answering: Engine['chat'] = (request) => Promise.resolve({ id: request.id, text: 'hi', finish: 'stop', model: 'm' });

  test('records what is asked before it is, word for word, and what many share once', async () => {
    const { broker, frames, signal } = brokerOf(answering);
    await broker.chat?.(chatOf('a', { asker: { actor: `${episode}/user`, ask: 1, attempt: 0 } }), signal);
    await broker.chat?.(chatOf('b'), signal);
    expect(kinds(frames)).toEqual(['call.part', 'call.part', 'call.asked', 'call.reply', 'call.asked', 'call.reply']);
    const parts = new Map(frames.flatMap((frame) => (frame.kind === 'call.part' ? [[frame.hash, frame.text] as const] : [])));
    const asked = frames.flatMap((frame) => (frame.kind === 'call.asked' ? [frame] : []));
    for (const frame of frames) expect(Frame.parse(frame)).toEqual(frame);
    expect(asked.map((frame) => worded(frame.asked, (hash) => parts.get(hash)))).toEqual(
      ['a', 'b'].map((name) => {
        const { role, messages, schema, temperature, maxTokens, seed } = chatOf(name);
        return { role, messages, schema, temperature, maxTokens, seed };
      }),
    );
    expect(asked[0]?.asked.asker).toEqual({ actor: `${episode}/user`, ask: 1, attempt: 0 });
  });

  test('records a call that fails, once however often it is asked for, and none that it knows the answer to', async () => {
    const failing = brokerOf(() => Promise.reject(new EngineFault('no', { trouble: 'refused' })));
    await expect(failing.broker.chat?.(chatOf('a'), failing.signal)).rejects.toThrow('no');
    expect(kinds(failing.frames)).toEqual(['call.part', 'call.part', 'call.asked']);
    const { broker, frames, signal } = brokerOf(answering);
    await Promise.all([broker.chat?.(chatOf('a'), signal), broker.chat?.(chatOf('a'), signal)]);
    await broker.chat?.(chatOf('a'), signal);
    expect(kinds(frames).filter((kind) => kind === 'call.asked')).toHaveLength(1);
  });

  test('asks nothing that it cannot record, and holds nothing of it', async () => {
    const asked: string[] = [];
    let isFull = true;
    const frames: Frame[] = [];
    const record = (frame: Frame): void => {
      if (isFull) throw new RecordFault('the disk is full');
      frames.push(frame);
    };
    const { broker, signal } = brokerOf(
      (request) => {
        asked.push(request.id);
        return Promise.resolve({ id: request.id, text: 'hi', finish: 'stop', model: 'm' });
      },
      { frames, record },
    );
    const ask = () => broker.ask({ kind: 'chat', request: chatOf('a') }, signal);
    await expect(ask()).rejects.toThrow('the disk is full');
    expect([broker.status().versions, asked]).toEqual([[], []]);
    isFull = false;
    await ask();
    // A text that was not recorded is not known either.
    expect(kinds(frames)).toEqual(['call.part', 'call.part', 'call.asked', 'call.reply']);
  });

  test('records long texts anew rather than hold all of them', async () => {
    const { broker, frames, signal } = brokerOf(answering);
    const long = (name: string): Partial<ChatRequest> => ({ messages: [{ role: 'system', content: name.repeat(6_000_000) }] });
    const { schema: _, ...a } = chatOf('a', long('a'));
    for (const request of [a, { ...a, ...long('b'), id: id('b') }, { ...a, ...long('c'), id: id('c') }, { ...a, id: id('d') }])
      await broker.chat?.(request, signal);
    expect(kinds(frames).filter((kind) => kind === 'call.part')).toHaveLength(4);
  });

  test('records no prompt of the policy: its tokens are in its episode', async () => {
    const { broker, frames, signal } = brokerOf(answering);
    await expect(broker.generate(call('t'), signal)).rejects.toThrow();
    expect(frames).toEqual([]);
  });
});

describe('from the first bytes of a frame', () => {
  test('its group and call are told, and a chat’s reply from tokens', () => {
    const framed = (reply: object): Uint8Array => pack({ kind: 'call.reply', id: 'a', group: 'g', bytes: pack(reply) });
    const chat = framed({ id: 'a', text: 'x'.repeat(70_000), finish: 'stop', model: 'm' });
    expect([textOf(chat, 'group'), textOf(chat, 'id'), textOf(chat, 'bytes')]).toEqual(['g', 'a', null]);
    expect(isChatReply(chat)).toBe(true);
    expect(isChatReply(framed({ id: 'a', text: '', finish: 'stop', model: 'm' }))).toBe(true);
    expect(isChatReply(framed({ id: 'a', version: 0, samples: [] }))).toBe(false);
    expect(isChatReply(pack({ kind: 'call.reply' }))).toBe(false);
  });
});

describe('the list of prompts', () => {
  const list: CallList = {
    recorded: true,
    players: { task: 'code', user: 'model', tool: 'code', judge: 'model' },
    actors: ['agent', 'tool', 'judge'],
    sources: ['', 'rules', 'group'],
    ends: ['accepted', 'alone'],
    actor: [0, 1, 2, 2],
    source: [0, 0, 0, 1],
    end: [0, 0, 1, 0],
    attempt: [0, 0, 0, 0],
    event: [3, 6, -1, 9],
  };
  const asked = askedIn(list, null, []);
  const at = (event: number) => askedAt(asked, { isEnd: false, isByTurn: false, turn: 0, event });

  test('follows the event that is looked at', () => {
    expect([0, 3, 5, 6, 8, 9, 99].map(at)).toEqual([0, 0, 0, 1, 1, 3, 3]);
    expect(askedAt(asked, { isEnd: true, isByTurn: false, turn: 0, event: 9 })).toBe(3);
  });

  test('begins, of an episode looked at as a whole, with the last that asked somebody: there is something to read', () => {
    const isSpared = (one: (typeof asked)[number]) => sparedWords(one, list) !== null;
    expect(askedAt(asked, { isEnd: true, isByTurn: false, turn: 0, event: 9 }, isSpared)).toBe(0);
    expect(askedAt(asked.slice(3), { isEnd: true, isByTurn: false, turn: 0, event: 9 }, isSpared)).toBe(0);
  });

  test('knows the agent’s turns where no event is recorded', () => {
    const turns = [
      { role: 'user', text: '' },
      { role: 'agent', thought: '', text: 'a', calls: [] },
      { role: 'agent', thought: '', text: 'b', calls: [] },
    ] as const;
    const known = askedIn(
      null,
      null,
      turns.map((turn) => ({ ...turn, calls: [] })),
    );
    expect(known.map(({ turn }) => turn)).toEqual([1, 2]);
    expect(askedAt(known, { isEnd: false, isByTurn: true, turn: 2, event: -1 })).toBe(1);
  });

  test('says why no model was asked, and nothing where nobody can tell', () => {
    const words = (source: string, actor: string, recorded = true) => sparedWords({ source, actor }, { ...list, recorded });
    expect(words('rules', 'judge')).toBe('rules decided it');
    expect(words('group', 'user')).toBe('the group knew the answer');
    expect(words('', 'tool')).toBe('code plays the tool');
    expect([words('model', 'user'), words('', 'user', false), words('', 'agent')]).toEqual([null, null, null]);
  });
});
