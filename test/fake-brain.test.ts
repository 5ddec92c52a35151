/** The brain behind the fake server's own door: asked over HTTP as vLLM is, silent until the client leaves, and truthful about itself. */
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../src/actors/clock.ts';
import type { BrainDials } from '../src/gpu/engines/fake/brain.ts';
import { openHouse, type House } from '../src/gpu/engines/fake/house.ts';
import { flagsOf, readFlags } from '../src/gpu/engines/fake/settings.ts';
import type { VllmEngine } from '../src/gpu/engines/vllm.ts';
import type { ChatRequest } from '../src/protocol/inference.ts';
import type { UserView } from '../src/simulation/contract.ts';
import { prose } from '../src/simulation/lm/prose/prose.ts';
import { call } from './support/calls.ts';
import { engineOver } from './support/fake-house.ts';

const view: UserView = {
  persona: 'expert, terse',
  intent: { summary: 'schedule', requests: ['schedule day amber', 'send person boris'], facts: { person: 'anna' } },
  conversation: [
    { role: 'user', text: 'schedule day amber' },
    { role: 'agent', text: 'ask person' },
  ],
};
const never = new AbortController().signal;

let house: House;
let engine: VllmEngine;
async function open(brain: Partial<BrainDials> = {}): Promise<void> {
  house = await openHouse({ clock: systemClock, timeScale: 0, contextLength: 8192, brain });
  engine = engineOver(house.url, { contextLength: 8192 });
}
afterEach(async () => {
  await engine.close();
  await house.close();
});

const asked = (seed: number, changes: Partial<ChatRequest> = {}): ChatRequest => {
  const { id, priority, group } = call(`c${seed}`, {});
  return {
    id,
    priority,
    group,
    role: 'user',
    messages: prose.user.prompt(view, []),
    seed,
    maxTokens: 200,
    temperature: 1,
    deadlineMs: 60_000,
    ...changes,
  };
};
const chat = (request: ChatRequest, signal = never) => (engine.chat as NonNullable<VllmEngine['chat']>)(request, signal);

describe('a fake server', () => {
  test('plays a role from its prompt, whatever its reply is constrained to, and counts that it was asked', async () => {
    await open();
    const schema = prose.user.schema(view);
    const replies = await Promise.all([chat(asked(1)), chat(asked(2, schema === undefined ? {} : { schema }))]);
    for (const { text, finish } of replies) {
      expect(prose.user.read(text, view)).toEqual({ ok: true, answer: { text: 'anna', done: false } });
      expect(finish).toBe('stop');
    }
    expect(house.stats().brain).toEqual({ user: { asked: 2 } });
  });

  test('cuts a reply at its tokens', async () => {
    await open();
    const { text, finish } = await chat(asked(1, { maxTokens: 2 }));
    expect(finish).toBe('length');
    expect(text.length).toBeLessThanOrEqual(8);
    expect(prose.user.read(text, view).ok).toBe(false);
  });

  test('cuts a flood at its tokens too', async () => {
    await open({ hostile: 1 });
    const replies = await Promise.all(Array.from({ length: 30 }, (_, seed) => chat(asked(seed))));
    for (const { text } of replies) expect(text.length).toBeLessThanOrEqual(800);
    expect(house.stats().brain).toEqual({ user: { asked: 30, hostile: 30 } });
  });

  test('that hangs holds nothing once the client has left', async () => {
    await open({ hanging: 1 });
    const leaving = new AbortController();
    const waiting = chat(asked(1), leaving.signal);
    const said = expect(waiting).rejects.toThrow();
    await new Promise<void>((resolve) => {
      const look = (): void => void (house.stats().brain.user?.hanging === 1 ? resolve() : setImmediate(look));
      look();
    });
    leaving.abort();
    await said;
    expect(house.stats()).toMatchObject({ running: 0, waiting: 0, brain: { user: { asked: 1, hanging: 1 } } });
  });

  test('answers what is no prompt of ours as a server without a brain would', async () => {
    await open({ malformed: 1 });
    const messages = [{ role: 'user', content: 'hello' }] as const;
    const schema = { type: 'object', properties: { a: { type: 'integer', minimum: 3, maximum: 3 } }, required: ['a'] };
    const { text } = await chat(asked(1, { messages: [...messages], schema }));
    expect(JSON.parse(text)).toEqual({ a: 3 });
    expect(house.stats().brain).toEqual({});
  });
});

test('the dials are flags of its process, and each is a share', async () => {
  const dials = { malformed: 0.2, hanging: 0.02 };
  expect(readFlags(flagsOf({ brain: dials })).options.brain).toEqual(dials);
  expect(() => readFlags(['--brain.malformed', 'much'])).toThrow(RangeError);
  await expect(openHouse({ clock: systemClock, brain: { hostile: 2 } })).rejects.toThrow(/share/);
  await open();
});
