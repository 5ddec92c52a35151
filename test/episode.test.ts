/** One episode from its first prompt to its end, whatever happens on the way. */
import { describe, expect, test } from 'vitest';
import { runGroup } from '../src/actors/group.ts';
import type { GroupJob } from '../src/actors/group.ts';
import type { Episode } from '../src/protocol/episode.ts';
import { isSampled, recordAt, traceIds, traceLength } from '../src/protocol/trace.ts';
import type { Turn } from '../src/protocol/turn.ts';
import { textOf } from './support/letters.ts';
import {
  calls,
  chatSimulator,
  engineDown,
  goodAgent,
  says,
  scriptedJob,
  scriptedPorts,
  scriptedSimulator,
  scriptedTask,
  verdict,
} from './support/scripted.ts';
import type { RecordingPorts } from './support/scripted.ts';

const signal = new AbortController().signal;

async function play(ports: RecordingPorts, changes: Partial<GroupJob> = {}): Promise<Episode> {
  const group = await runGroup(scriptedJob(changes), ports, signal);
  return group.episodes[0] as Episode;
}

describe('what the policy does', () => {
  test('an agent that calls the right tool and says so is scored by the judge', async () => {
    const episode = await play(scriptedPorts());
    expect(episode).toMatchObject({
      outcome: { kind: 'scored', verdict: { reward: 1 } },
      reward: 1,
      policy: { start: 3, end: 3 },
      attempt: 1,
      member: 0,
    });
    expect(episode.turns.map((turn) => turn.role)).toEqual(['user', 'agent', 'tool', 'agent']);
  });

  test('the next prompt is the ids read and sampled so far, then the new turns, and nothing is rendered again', async () => {
    const ports = scriptedPorts();
    const episode = await play(ports);
    const [first, second] = ports.requests.map((request) => request.ids);
    const sent = [...(second as Int32Array)];
    expect(sent.slice(0, first?.length)).toEqual([...(first as Int32Array)]);
    const trace = episode.traces[0] as Int32Array;
    expect([...traceIds(trace)].slice(0, sent.length)).toEqual(sent);
  });

  test('the trace marks exactly the sampled tokens, with the log-probs and the version they came with', async () => {
    const episode = await play(scriptedPorts());
    const trace = episode.traces[0] as Int32Array;
    const records = Array.from({ length: traceLength(trace) }, (_, i) => recordAt(trace, i));
    const sampled = records.filter((_, i) => isSampled(trace, i));
    expect(textOf(Int32Array.from(sampled, ({ id }) => id))).toMatch(/^\{.*"book_room".*\}\{.*"done".*\}$/);
    expect(sampled.every(({ logprob, policyVersion }) => logprob < 0 && policyVersion === 3)).toBe(true);
    expect(records.filter((_, i) => !isSampled(trace, i)).every(({ logprob }) => logprob === 0)).toBe(true);
  });

  test('several calls of one turn are made in their order, each on the world the last one left', async () => {
    const seen: number[] = [];
    const ports = scriptedPorts((turn) => (turn === 0 ? calls('ada', 'bob', 'eve') : says('done')), {
      tool: scriptedSimulator('tool', (view) => {
        const rooms = Object.keys(view.world.entities['rooms'] ?? {}).length;
        seen.push(rooms);
        return {
          status: 'ok',
          observation: { room: `r${rooms + 1}` },
          patch: [{ op: 'put', collection: 'rooms', id: `r${rooms + 1}`, record: {} }],
        };
      }),
    });
    const episode = await play(ports);
    expect(seen).toEqual([0, 1, 2]);
    expect(episode.turns.filter((turn) => turn.role === 'tool')).toHaveLength(3);
  });

  test('a call that cannot be read is answered as an invalid argument, and the agent goes on', async () => {
    const episode = await play(scriptedPorts((turn) => (turn === 0 ? '{book_room' : turn === 1 ? calls('ada') : says('done'))));
    expect(episode.turns[2]).toMatchObject({ role: 'tool', status: 'invalidArgument', patch: [] });
    expect(episode.reward).toBe(1);
  });

  test('a call of an unknown tool or with wrong arguments is refused by code; no simulator is asked', async () => {
    let asked = 0;
    const wrong = {
      ...calls('ada'),
      calls: [
        { name: 'fly', arguments: {} },
        { name: 'book_room', arguments: { nam: 'ada' } },
      ],
    };
    const ports = scriptedPorts((turn) => (turn === 0 ? wrong : says('done')), {
      tool: scriptedSimulator('tool', () => {
        asked++;
        return new Error('must not be asked');
      }),
    });
    const episode = await play(ports);
    expect(episode.turns.filter((turn) => turn.role === 'tool').map((turn) => turn.status)).toEqual(['unknownTool', 'invalidArgument']);
    expect(asked).toBe(0);
  });

  test('an agent that says nothing ends its episode by its own fault, at reward −1', async () => {
    expect(await play(scriptedPorts(() => says(' ')))).toMatchObject({ outcome: { kind: 'policyFault' }, reward: -1 });
  });

  test('an agent that is out of turns is truncated by its own doing, at reward −1', async () => {
    const ports = scriptedPorts(() => calls('ada'));
    const episode = await play(ports, { task: scriptedTask({ maxTurns: 3 }) });
    expect(episode).toMatchObject({ outcome: { kind: 'truncated', by: 'policy' }, reward: -1 });
    expect(ports.requests).toHaveLength(3);
    // The third turn's call could not have been read, so it was not made.
    expect(episode.turns.filter((turn) => turn.role === 'tool')).toHaveLength(2);
  });

  test('a last turn that speaks to the user is still heard', async () => {
    expect(await play(scriptedPorts(), { task: scriptedTask({ maxTurns: 2 }) })).toMatchObject({ reward: 1 });
  });

  test('an agent whose context is full is truncated by its own doing, at reward −1', async () => {
    const ports = scriptedPorts();
    const episode = await play(ports, { sampling: { temperature: 1, maxTokens: 300, contextLength: 120 } });
    expect(episode).toMatchObject({ outcome: { kind: 'truncated', by: 'policy' }, reward: -1 });
    expect(ports.requests.every(({ ids, maxTokens }) => ids.length + maxTokens <= 120)).toBe(true);
  });
});

describe('what the others may see', () => {
  test('neither user nor judge sees a thought, and the user sees no call and no result', async () => {
    const heard: unknown[] = [];
    const reviewed: Turn[] = [];
    const secret = { ...calls('ada'), thought: 'a secret plan' };
    const ports = scriptedPorts((turn) => (turn === 0 ? secret : says('booked')), {
      user: scriptedSimulator('user', (view) => {
        heard.push(view.conversation);
        return { text: '', done: true };
      }),
      judge: scriptedSimulator('judge', (view) => {
        reviewed.push(...view.turns);
        return verdict(1);
      }),
    });
    const episode = await play(ports);
    expect(heard).toEqual([
      [
        { role: 'user', text: 'a room for ada' },
        { role: 'agent', text: 'booked' },
      ],
    ]);
    expect(JSON.stringify(reviewed)).not.toContain('secret');
    expect(JSON.stringify(episode.turns)).toContain('a secret plan');
  });

  test('the user answers a question, and the agent reads the answer', async () => {
    const ports = scriptedPorts((turn) => (turn === 0 ? says('for whom?') : turn === 1 ? calls('ada') : says('done')), {
      user: scriptedSimulator('user', (view) =>
        view.conversation.length === 2 ? { text: 'for ada', done: false } : { text: '', done: true },
      ),
    });
    const episode = await play(ports);
    expect(episode.turns.map((turn) => turn.role)).toEqual(['user', 'agent', 'user', 'agent', 'tool', 'agent']);
    expect(textOf(ports.requests[1]?.ids as Int32Array)).toContain('for ada');
  });

  test('the judge is given the world the patches lead to', async () => {
    const worlds: unknown[] = [];
    const ports = scriptedPorts(goodAgent, {
      judge: scriptedSimulator('judge', (view) => {
        worlds.push(view.world.entities);
        return verdict(1);
      }),
    });
    await play(ports);
    expect(worlds).toEqual([{ rooms: { r1: { name: 'ada' } } }]);
  });
});

describe('what goes wrong on our side', () => {
  test('an engine that fails leaves the episode without a reward', async () => {
    expect(await play(scriptedPorts(() => engineDown))).toMatchObject({
      outcome: { kind: 'infraFault', fault: { kind: 'EngineFault' } },
      reward: null,
      policy: null,
    });
  });

  test('a version that was not asked for is a fault of the engine', async () => {
    const ports = scriptedPorts();
    const generate: RecordingPorts['generate'] = async (request, abort) => ({
      ...(await ports.generate(request, abort)),
      version: 9 as never,
    });
    expect(await play({ ...ports, generate })).toMatchObject({ outcome: { kind: 'infraFault' }, reward: null });
  });

  test('a tool that answers with garbage, a broken result or an impossible patch is a simulator fault once its attempts are spent', async () => {
    const answers = [
      'garbage',
      { status: 'ok', observation: { rom: 'r1' }, patch: [] },
      { status: 'ok', observation: { room: 'r1' }, patch: [{ op: 'delete', collection: 'rooms', id: 'r9' }] },
    ] as const;
    const ports = scriptedPorts(goodAgent, { tool: scriptedSimulator('tool', (_, attempt) => answers[attempt % 3] as never) });
    const episode = await play(ports);
    expect(episode).toMatchObject({ outcome: { kind: 'simulatorFault', role: 'tool' }, reward: null });
    const complaints = ports.events.flatMap(({ event }) => (event.type === 'ask.unreadable' ? [event['complaint']] : []));
    expect(complaints.slice(0, 3)).toEqual(['cannot read garbage', 'room is missing', 'operation 0: no record rooms/r9']);
  });

  test('a judge without a readable verdict is a judge fault, never a reward of 0', async () => {
    const ports = scriptedPorts(goodAgent, { judge: scriptedSimulator('judge', () => 'fine, I guess') });
    expect(await play(ports)).toMatchObject({ outcome: { kind: 'judgeFault', fault: { raw: 'fine, I guess' } }, reward: null });
  });

  test('a simulator that throws is its own fault and takes nobody with it', async () => {
    const ports = scriptedPorts(goodAgent, { user: scriptedSimulator('user', () => new Error('bug in the user')) });
    expect(await play(ports)).toMatchObject({
      outcome: { kind: 'simulatorFault', role: 'user', fault: { message: 'user: bug in the user' } },
      reward: null,
    });
  });

  test('a renderer that throws is a fault of the infrastructure', async () => {
    const ports = scriptedPorts();
    const renderer = {
      ...ports.renderer,
      open: () => {
        throw new Error('no such word');
      },
    };
    expect(await play({ ...ports, renderer })).toMatchObject({ outcome: { kind: 'infraFault' }, reward: null });
  });

  test('a model that plays a simulator and is down is a fault of the infrastructure, not of the role', async () => {
    const ports = scriptedPorts(goodAgent, { user: chatSimulator('user', () => 'speak') });
    const episode = await play({ ...ports, chat: () => Promise.reject(engineDown) });
    expect(episode.outcome).toMatchObject({ kind: 'infraFault' });
    expect((await play(ports)).outcome).toMatchObject({
      kind: 'infraFault',
      fault: { message: 'user: the engine cannot play simulators' },
    });
  });
});
