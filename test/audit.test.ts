/** The audit of finished episodes: faithful ones are found faithful whatever the agent did, unfaithful ones are found out, and a refused one is unscored. */
import { describe, expect, test } from 'vitest';
import { runGroup } from '../src/actors/group.ts';
import type { Task } from '../src/protocol/task.ts';
import type { AgentTurn, Turn, UserTurn } from '../src/protocol/turn.ts';
import { seedOf, stream } from '../src/random.ts';
import type { ToolAnswer, ToolView, UserAnswer, UserView } from '../src/simulation/contract.ts';
import { auditOf } from '../src/simulation/lm/audit.ts';
import { slots, speech, things } from '../src/simulation/procedural/lexicon.ts';
import { type Agent, oracle, play } from '../src/simulation/procedural/oracle.ts';
import { writeTask } from '../src/simulation/procedural/task.ts';
import { viewOf } from './support/arbitraries.ts';
import { goodAgent, type PolicyScript, says, scriptedJob, scriptedPorts, scriptedSimulator } from './support/scripted.ts';

const tasks = Array.from({ length: 250 }, (_, index) => writeTask(viewOf({ seed: index, difficulty: 1 + ((index * 37) % 100) })));

/** The oracle with slips: other calls, questions, closings too many, too early, or of the wrong kind. */
const clumsy = (seed: number): Agent => {
  const draws = stream(seedOf(seed, 'clumsy'));
  return (task, turns): AgentTurn => {
    const right = oracle(task, turns);
    if (draws.chance(0.5)) return right;
    const [call] = right.calls;
    if (call !== undefined && draws.chance(0.4))
      return {
        ...right,
        calls: [{ ...call, arguments: { ...call.arguments, [Object.keys(call.arguments)[0] ?? 'x']: draws.pick(things) } }],
      };
    if (call !== undefined && draws.chance(0.3)) return { ...right, text: speech.done };
    const text = draws.pick([
      speech.done,
      speech.missing,
      speech.none,
      `${speech.answer} ${draws.pick(things)}`,
      `${speech.ask} ${draws.pick(slots).word}`,
      'done ?',
      draws.pick(things),
    ]);
    return { role: 'agent', thought: '', text, calls: [] };
  };
};

const ended = (agent: (index: number) => Agent): { task: Task; turns: readonly Turn[] }[] =>
  tasks.flatMap((task, index) => {
    const { turns, verdict } = play(task, agent(index));
    return verdict === null ? [] : [{ task, turns }];
  });

describe('faithful simulations', () => {
  test('the oracle’s episodes are found faithful', () => {
    const episodes = ended(() => oracle);
    expect(episodes).toHaveLength(tasks.length);
    expect(episodes.flatMap((episode) => auditOf(episode).findings)).toEqual([]);
  });

  test('so are a clumsy agent’s, so that nothing is dropped for what the agent did', () => {
    const episodes = [1, 2, 3].flatMap((round) => ended((index) => clumsy(index + 1000 * round)));
    expect(episodes.length).toBeGreaterThan(300);
    expect(episodes.flatMap((episode) => auditOf(episode).findings)).toEqual([]);
  });
});

/** One right episode of at least two requests, with calls for each. */
const long = ended(() => oracle).find(
  ({ task }) => task.intent.requests.length === 2 && new Set(task.expectedCalls.map(({ turn }) => turn)).size === 2,
) as {
  task: Task;
  turns: readonly Turn[];
};
const changed = (change: (turn: Turn, index: number) => Turn): { fidelity: number; kinds: string[] } => {
  const { fidelity, findings } = auditOf({ task: long.task, turns: long.turns.map(change) });
  return { fidelity, kinds: findings.map(({ kind }) => kind) };
};
const secondUser = (text: string) =>
  changed((turn, index) => (turn.role === 'user' && index > 0 ? ({ ...turn, text } satisfies UserTurn) : turn));

describe('unfaithful simulations', () => {
  test('a result that no record says is a contradiction', () => {
    let hit = false;
    const found = changed((turn) => {
      if (hit || turn.role !== 'tool' || typeof turn.result !== 'string') return turn;
      hit = true;
      return { ...turn, result: 'nobodysaidthis' };
    });
    expect(found.kinds).toContain('contradiction');
    expect(found.fidelity).toBeLessThan(1);
  });

  test('a look-up that says something else the second time contradicts itself', () => {
    const task = tasks.find(
      ({ expectedCalls, tools }) => tools.find(({ name }) => name === expectedCalls[0]?.name)?.effects === 'read',
    ) as Task;
    const { turns } = play(task, oracle);
    const first = turns.find((turn) => turn.role === 'tool' && turn.status === 'ok');
    if (first?.role !== 'tool') throw new TypeError('no read');
    const again: Turn = { ...first, status: 'notFound', result: null };
    expect(auditOf({ task, turns: [...turns.slice(0, -1), again, ...turns.slice(-1)] }).findings.map(({ kind }) => kind)).toContain(
      'contradiction',
    );
  });

  test('a user that acts as the agent overreaches', () => {
    expect(secondUser('let me look that up for you: find_booking(code="x")').kinds).toContain('overreach');
  });

  test('a user that leaves with a request unsaid stops too early, and such an episode counts for nothing', () => {
    const { task, turns } = long;
    const cut = turns.findIndex((turn, index) => turn.role === 'user' && index > 0);
    expect(auditOf({ task, turns: turns.slice(0, cut) })).toMatchObject({
      fidelity: 0,
      findings: [{ kind: 'prematureStop', role: 'user' }],
    });
  });

  test('a user that is served and neither leaves nor says its request again overstays; cut off by that, the agent counts for nothing', () => {
    const stays = (text: string): Turn[] => [...long.turns, { role: 'user', text }, says(speech.done)];
    const audit = (text: string, endedBy: 'user' | 'bounds') => auditOf({ task: long.task, turns: stays(text) }, endedBy);
    expect(audit('What a day it has been', 'user')).toMatchObject({ fidelity: 0.5, findings: [{ kind: 'overstay', role: 'user' }] });
    expect(audit('What a day it has been', 'bounds')).toMatchObject({ fidelity: 0 });
    expect(audit(long.task.intent.requests.at(-1) ?? '', 'bounds')).toMatchObject({ fidelity: 1, findings: [] });
  });

  test('a user that leaves where the agent refuses does not', () => {
    const { task, turns } = long;
    const cut = turns.findIndex((turn, index) => turn.role === 'user' && index > 0);
    expect(auditOf({ task, turns: [...turns.slice(0, cut - 1), says('I am sorry, I cannot do that.')] }).findings).toEqual([]);
  });
});

describe('in a group', () => {
  const simulation = { shared: true, cache: true, toolSeesIntent: false, fidelity: 0.5, votes: 1, scope: 'episode' } as const;
  /** It answers with a room that its patch does not hold. */
  const liar = scriptedSimulator<ToolView, ToolAnswer>('tool', () => ({ status: 'ok', observation: { room: 'r7', key: 'k9' }, patch: [] }));

  test('an episode below the least fidelity is unscored, its simulator’s fault, retried once and counted', async () => {
    const ports = scriptedPorts(undefined, { tool: liar });
    const group = await runGroup(scriptedJob({ simulation: { ...simulation, fidelity: 0.6 } }), ports, new AbortController().signal);
    expect(group.episodes[0]).toMatchObject({ attempt: 2, reward: null, outcome: { kind: 'simulatorFault', role: 'tool' } });
    expect(group.health?.audit).toMatchObject({ episodes: 2, contradictions: 2, refused: 2, fidelity: 1 });
  });

  test('one at the least fidelity is scored, and counted', async () => {
    const ports = scriptedPorts(undefined, { tool: liar });
    const group = await runGroup(scriptedJob({ simulation }), ports, new AbortController().signal);
    expect(group.episodes[0]?.outcome.kind).toBe('scored');
    expect(group.health?.audit).toMatchObject({ episodes: 1, contradictions: 1, refused: 0, fidelity: 0.5 });
  });

  /** It enjoys the talk. */
  const guest = scriptedSimulator<UserView, UserAnswer>('user', () => ({ text: 'How lovely that is', done: false }));
  const stayed = async (agent: PolicyScript) => {
    const ports = scriptedPorts(agent, { user: guest });
    const { episodes } = await runGroup(scriptedJob({ simulation }), ports, new AbortController().signal);
    return episodes[0];
  };

  test('an agent that a served user keeps until its turns are spent has no reward, and one that never served has its own', async () => {
    expect(await stayed(goodAgent)).toMatchObject({ reward: null, outcome: { kind: 'simulatorFault', role: 'user' } });
    expect(await stayed(() => says('done'))).toMatchObject({ reward: -1, outcome: { kind: 'truncated', by: 'policy' } });
  });

  test('where code plays every role nobody audits', async () => {
    const group = await runGroup(scriptedJob(), scriptedPorts(undefined, { tool: liar }), new AbortController().signal);
    expect(group.episodes[0]?.outcome.kind).toBe('scored');
    expect(group.health).toBeUndefined();
  });
});
