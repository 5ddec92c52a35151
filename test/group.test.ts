/** A group is sealed exactly once, and whoever is missing from it has a reason. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runGroup } from '../src/actors/group.ts';
import { RolloutGroup } from '../src/protocol/group.ts';
import { rewardOf } from '../src/learning/reward.ts';
import { pack, unpack } from '../src/protocol/codec.ts';
import {
  calls,
  chatSimulator,
  engineDown,
  goodAgent,
  says,
  scriptedJob,
  scriptedPorts,
  scriptedSimulator,
  settle,
} from './support/scripted.ts';
import type { PolicyScript, RecordingPorts } from './support/scripted.ts';

const signal = new AbortController().signal;

describe('sealing', () => {
  test('a group is complete when every member has ended', async () => {
    const group = await runGroup(scriptedJob({ members: 8, minimumScored: 2 }), scriptedPorts(), signal);
    expect(group).toMatchObject({ status: 'sealed', sealedBy: 'complete', missing: [] });
    expect(group.episodes.map((episode) => episode.member)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('a sealed group is what the protocol says it is, and survives the wire', async () => {
    const group = await runGroup(scriptedJob({ members: 3 }), scriptedPorts(), signal);
    expect(RolloutGroup.parse(unpack(pack(group, { checked: true })))).toEqual(group);
  });

  test('fewer scored members than the minimum make a failed group', async () => {
    const ports = scriptedPorts((_, request) => (request.priority > 2 ? engineDown : says('done')));
    const group = await runGroup(scriptedJob({ members: 4, minimumScored: 3 }), ports, signal);
    expect(group.status).toBe('failed');
    expect(group.episodes).toHaveLength(4);
  });

  test('at its deadline the group is sealed with what has ended; whoever still runs is truncated by budget, unscored', async () => {
    let first = true;
    const ports = scriptedPorts((turn) => {
      if (turn > 0) return says('done');
      const answers = first;
      first = false;
      return answers ? calls('ada') : null;
    });
    const running = runGroup(scriptedJob({ members: 3, deadlines: { turnMs: 60_000, episodeMs: 60_000, groupMs: 5000 } }), ports, signal);
    await settle();
    ports.clock.advance(5000);
    const group = await running;
    expect(group).toMatchObject({ status: 'sealed', sealedBy: 'deadline' });
    expect(group.episodes.map(({ outcome, reward }) => [outcome.kind, reward])).toEqual([
      ['scored', 1],
      ['truncated', null],
      ['truncated', null],
    ]);
  });

  test('a cancelled group ends at once, aborts its calls and leaves no timer behind', async () => {
    const signals: AbortSignal[] = [];
    const ports = scriptedPorts(() => null);
    const generate: RecordingPorts['generate'] = (request, abort) => {
      signals.push(abort);
      return ports.generate(request, abort);
    };
    const abort = new AbortController();
    const running = runGroup(scriptedJob({ members: 3 }), { ...ports, generate }, abort.signal);
    await settle();
    abort.abort();
    expect(await running).toMatchObject({ status: 'failed', sealedBy: 'cancel', missing: [] });
    expect(signals.map((each) => each.aborted)).toEqual([true, true, true]);
    expect(ports.clock.armed).toBe(0);
  });

  test('a group cancelled before it began is missing every member, each with its reason', async () => {
    const group = await runGroup(scriptedJob({ members: 2 }), scriptedPorts(), AbortSignal.abort());
    expect(group.episodes).toEqual([]);
    expect(group.missing).toEqual([0, 1].map((member) => ({ member, fault: { kind: 'CancelledFault', message: 'group cancel' } })));
  });

  test('a reply that comes after the end is counted and changes nothing', async () => {
    const ports = scriptedPorts();
    let answer: () => void = () => undefined;
    const generate: RecordingPorts['generate'] = (request, abort) =>
      new Promise((resolve) => {
        answer = () => {
          resolve(ports.generate(request, abort));
        };
      });
    const abort = new AbortController();
    let late = 0;
    const running = runGroup(scriptedJob(), { ...ports, generate, late: () => late++ }, abort.signal);
    await settle();
    abort.abort();
    const group = await running;
    const before = ports.events.length;
    answer();
    await settle();
    expect(late).toBe(1);
    expect(ports.events).toHaveLength(before);
    expect(group.episodes[0]?.turns).toHaveLength(1);
  });
});

describe('trying again', () => {
  /** Fails the first `times` calls it sees. */
  const failing = (times: number, then: PolicyScript): PolicyScript => {
    let left = times;
    return (turn, request) => (left-- > 0 ? engineDown : then(turn, request));
  };

  test('a member lost to the infrastructure runs again with the same seed and the same call keys', async () => {
    const ports = scriptedPorts(failing(1, goodAgent));
    const group = await runGroup(scriptedJob({ attempts: 3 }), ports, signal);
    expect(group.episodes[0]).toMatchObject({ attempt: 2, reward: 1 });
    const [first, again] = ports.requests;
    expect([again?.id, again?.seed]).toEqual([first?.id, first?.seed]);
  });

  test('after its last attempt the member stays an unscored infrastructure fault', async () => {
    const ports = scriptedPorts(() => engineDown);
    const group = await runGroup(scriptedJob({ attempts: 3 }), ports, signal);
    expect(ports.requests).toHaveLength(3);
    expect(group).toMatchObject({ status: 'failed', episodes: [{ attempt: 3, outcome: { kind: 'infraFault' }, reward: null }] });
  });

  test('a member whose simulator failed is refilled once, with a fresh seed', async () => {
    let broken = 3;
    const ports = scriptedPorts(goodAgent, {
      user: scriptedSimulator('user', () => (broken-- > 0 ? 'garbage' : { text: '', done: true })),
    });
    const group = await runGroup(scriptedJob(), ports, signal);
    expect(group.episodes[0]).toMatchObject({ attempt: 2, reward: 1 });
    const opening = ports.requests.filter(({ ids }) => !ids.includes(0));
    expect(new Set(opening.map(({ id }) => id)).size).toBe(2);
    expect(new Set(opening.map(({ seed }) => seed)).size).toBe(2);
  });

  test('where language models play, a refilled member’s policy keeps its draws: what is lost is not drawn anew', async () => {
    let broken = 3;
    const ports = scriptedPorts(goodAgent, {
      user: scriptedSimulator('user', () => (broken-- > 0 ? 'garbage' : { text: '', done: true })),
    });
    const simulation = { shared: false, cache: false, toolSeesIntent: false, fidelity: 0, votes: 1, scope: 'episode' } as const;
    const group = await runGroup(scriptedJob({ simulation }), ports, signal);
    expect(group.episodes[0]).toMatchObject({ attempt: 2, reward: 1 });
    const seeds = ports.requests.map(({ seed }) => seed);
    expect(seeds.length).toBe(4);
    expect(seeds.slice(2)).toEqual(seeds.slice(0, 2));
  });

  test('a simulator that fails again is not refilled a second time', async () => {
    const ports = scriptedPorts(goodAgent, { judge: scriptedSimulator('judge', () => 'garbage') });
    const group = await runGroup(scriptedJob(), ports, signal);
    expect(group.episodes[0]).toMatchObject({ attempt: 2, outcome: { kind: 'judgeFault' }, reward: null });
    expect(ports.events.filter(({ event }) => event.type === 'ask.unreadable')).toHaveLength(6);
  });

  test('nothing is tried again when less time is left than the member took', async () => {
    const ports = scriptedPorts(() => null);
    const running = runGroup(scriptedJob({ attempts: 3, deadlines: { turnMs: 6000, episodeMs: 9000, groupMs: 10_000 } }), ports, signal);
    await settle();
    ports.clock.advance(6000);
    const group = await running;
    expect(group).toMatchObject({ sealedBy: 'complete', episodes: [{ attempt: 1, outcome: { kind: 'infraFault' } }] });
  });
});

describe('what members share', () => {
  test('members ask their first question with seeds that follow each other, so that one request can stand for all', async () => {
    const ports = scriptedPorts(() => says('done'));
    await runGroup(scriptedJob({ members: 4 }), ports, signal);
    const base = ports.requests[0]?.seed as number;
    expect(ports.requests.map(({ seed }) => seed - base)).toEqual([0, 1, 2, 3]);
  });

  test('later questions have seeds and keys of their own', async () => {
    const ports = scriptedPorts();
    await runGroup(scriptedJob({ members: 4 }), ports, signal);
    expect(new Set(ports.requests.map(({ id }) => id)).size).toBe(8);
    expect(new Set(ports.requests.map(({ seed }) => seed)).size).toBe(8);
  });

  test('equal calls on equal state get equal answers, and the model behind the tool is asked once', async () => {
    let replies = 0;
    const ports = scriptedPorts(goodAgent, { tool: chatSimulator('tool', (view) => JSON.stringify(view.call)) });
    const chat: NonNullable<RecordingPorts['chat']> = (request) => {
      replies++;
      return Promise.resolve({
        id: request.id,
        text: JSON.stringify({ status: 'ok', observation: { room: `r${replies}` }, patch: [] }),
        finish: 'stop',
        model: 'm',
      });
    };
    const group = await runGroup(scriptedJob({ members: 6 }), { ...ports, chat }, signal);
    const results = group.episodes.flatMap(({ turns }) => turns.flatMap((turn) => (turn.role === 'tool' ? [turn.result] : [])));
    expect(results).toEqual(Array.from({ length: 6 }, () => ({ room: 'r1' })));
    expect(replies).toBe(1);
  });

  test('members that ask the same while it is being answered share the one reply', async () => {
    const ports = scriptedPorts(goodAgent, { tool: chatSimulator('tool', () => 'book') });
    const answers: (() => void)[] = [];
    const chat: NonNullable<RecordingPorts['chat']> = (request) =>
      new Promise((resolve) => {
        answers.push(() => {
          resolve({ id: request.id, text: '{"status":"ok","observation":{"room":"r1"},"patch":[]}', finish: 'stop', model: 'm' });
        });
      });
    const running = runGroup(scriptedJob({ members: 4 }), { ...ports, chat }, signal);
    await settle();
    for (const answer of answers) answer();
    const group = await running;
    expect(answers).toHaveLength(1);
    expect(group.episodes.map(({ outcome }) => outcome.kind)).toEqual(['scored', 'scored', 'scored', 'scored']);
  });
});

test('the same job plays out the same way, event for event', async () => {
  const record = async () => {
    const ports = scriptedPorts();
    await runGroup(scriptedJob({ members: 5 }), ports, signal);
    return ports.events;
  };
  expect(await record()).toEqual(await record());
});

test('whatever fails, every member ends once, faults never make a number, and numbers never come of faults', async () => {
  const garble = fc.constantFrom('fine', 'garbage', 'throws', 'repaired');
  const policy = fc.constantFrom('call', 'say', 'broken', 'empty', 'down', 'silent');
  await fc.assert(
    fc.asyncProperty(
      fc.array(policy, { minLength: 1, maxLength: 12 }),
      garble,
      garble,
      garble,
      fc.integer({ min: 1, max: 4 }),
      async (script, user, tool, judge, members) => {
        let at = 0;
        const cast = <A>(kind: string, attempt: number, answer: A): A | string | Error =>
          kind === 'garbage' || (kind === 'repaired' && attempt === 0) ? 'garbage' : kind === 'throws' ? new Error('bug') : answer;
        const ports = scriptedPorts(
          () => {
            const move = script[at++ % script.length] as string;
            return { call: calls('ada'), say: says('done'), broken: '{x', empty: says(''), down: engineDown, silent: null }[move] ?? null;
          },
          {
            user: scriptedSimulator('user', (_, attempt) => cast(user, attempt, { text: 'go on', done: at % 3 === 0 })),
            tool: scriptedSimulator('tool', (_, attempt) =>
              cast(tool, attempt, { status: 'ok' as const, observation: { room: 'r1' }, patch: [] }),
            ),
            judge: scriptedSimulator('judge', (_, attempt) => cast(judge, attempt, { reward: 1 as const, gates: [], criteria: [] })),
          },
        );
        const running = runGroup(scriptedJob({ members, attempts: 2 }), ports, signal);
        for (let i = 0; i < 8; i++) {
          await settle();
          ports.clock.advance(4000);
        }
        const group = await running;
        expect(group.episodes.length + group.missing.length).toBe(members);
        expect(new Set([...group.episodes.map(({ member }) => member), ...group.missing.map(({ member }) => member)]).size).toBe(members);
        for (const { outcome, reward } of group.episodes) {
          expect(reward).toBe(rewardOf(outcome));
          const isFault =
            ['simulatorFault', 'judgeFault', 'infraFault'].includes(outcome.kind) ||
            (outcome.kind === 'truncated' && outcome.by === 'budget');
          expect(reward === null).toBe(isFault);
        }
        expect(ports.clock.armed).toBe(0);
      },
    ),
    { numRuns: 150 },
  );
});
