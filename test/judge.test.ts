import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../src/protocol/json.ts';
import type { Verdict } from '../src/protocol/outcome.ts';
import type { CriterionName, Task } from '../src/protocol/task.ts';
import type { AgentTurn, Turn } from '../src/protocol/turn.ts';
import { stream } from '../src/random.ts';
import { things } from '../src/simulation/procedural/lexicon.ts';
import { judge } from '../src/simulation/procedural/judge.ts';
import { type Agent, oracle, play } from '../src/simulation/procedural/oracle.ts';
import { defaultMix } from '../src/simulation/procedural/plan.ts';
import { writeTask } from '../src/simulation/procedural/task.ts';
import { anyView, viewOf } from './support/arbitraries.ts';

const say = (text: string): AgentTurn => ({ role: 'agent', thought: '', text, calls: [] });
const call = (name: string, args: JsonObject): AgentTurn => ({ role: 'agent', thought: '', text: '', calls: [{ name, arguments: args }] });
const calm = { ...defaultMix, transient: 0, absent: 0, vague: 0 };
const only = (branch: keyof typeof defaultMix.branches) => ({ ...calm, branches: { call: 0, ask: 0, answer: 0, none: 0, [branch]: 1 } });

/** Tasks of one branch; `criteria` is how strict the judge is, 0..4. */
function tasks(branch: keyof typeof defaultMix.branches, count: number, difficulty: number, criteria = 4): Task[] {
  const names: CriterionName[] = ['intent', 'tools', 'grounded', 'concise', 'efficient'];
  return Array.from({ length: count }, (_, seed) => ({
    ...writeTask(viewOf({ seed, difficulty }), only(branch)),
    criteria: names.slice(0, criteria + 1),
  }));
}
const propertiesOf = (task: Task, name: string): Record<string, JsonObject> =>
  (task.tools.find((tool) => tool.name === name)?.parameters['properties'] ?? {}) as Record<string, JsonObject>;

/** The oracle, with each of its turns passed through `change`; the turn's number counts from 0. */
const altered =
  (change: (turn: AgentTurn, index: number, task: Task) => AgentTurn): Agent =>
  (task, turns) =>
    change(oracle(task, turns), turns.filter(({ role }) => role === 'agent').length, task);
const verdictOf = (task: Task, agent: Agent): Verdict => play(task, agent).verdict ?? { reward: -1, gates: [], criteria: [] };
const unmet = ({ criteria }: Verdict): string[] => criteria.filter(({ met }) => !met).map(({ name }) => name);
const failed = ({ gates }: Verdict): string[] => gates.filter(({ passed }) => !passed).map(({ name }) => name);

describe('a gate', () => {
  test('fails for a tool that does not exist', () => {
    for (const task of tasks('call', 20, 30, 0)) {
      const verdict = verdictOf(
        task,
        altered((turn, index) => (index === 0 ? call('nothing', {}) : turn)),
      );
      // The oracle goes on to solve the task; the gate decides all the same.
      expect(failed(verdict)).toEqual(['knownTool']);
      expect(verdict.reward).toBe(-1);
    }
  });

  test('fails for a value nobody said, even when the task is solved later', () => {
    let seen = 0;
    for (const task of tasks('call', 60, 30, 0)) {
      const [first] = task.expectedCalls;
      const name = Object.keys(first?.arguments ?? {}).find((key) => typeof first?.arguments[key] === 'string');
      if (first === undefined || name === undefined) continue;
      const heard = JSON.stringify([task.system, task.query]);
      const invented = things.find((thing) => !heard.includes(thing)) as string;
      if (propertiesOf(task, first.name)[name]?.['enum'] !== undefined) continue;
      const verdict = verdictOf(
        task,
        altered((turn, index) => (index === 0 ? call(first.name, { ...first.arguments, [name]: invented }) : turn)),
      );
      expect(verdict.reward).toBe(-1);
      expect(failed(verdict)).toEqual(['groundedArguments']);
      seen++;
    }
    expect(seen).toBeGreaterThan(20);
  });

  test('fails for an invalid call that is never made right', () => {
    for (const task of tasks('call', 20, 30, 0)) {
      const verdict = verdictOf(
        task,
        altered((turn) => (turn.calls.length > 0 ? say('done') : turn)),
      );
      expect(verdict.reward).toBe(-1);
      const [first] = task.expectedCalls;
      const broken: Agent = (_, turns) => (turns.length === 1 ? call(first?.name ?? '', { zzz: 'user' }) : say('done'));
      expect(failed(verdictOf(task, broken))).toContain('schema');
    }
  });

  test('forgives an invalid call that is then made right, as far as conciseness is not asked for', () => {
    const slip = altered((turn, index, task) =>
      index === 0 && turn.calls[0] !== undefined ? call(turn.calls[0].name, { zzz: task.query.split(' ')[0] ?? '' }) : turn,
    );
    for (const task of tasks('call', 20, 30, 2)) expect(verdictOf(task, slip).reward).toBe(1);
    for (const task of tasks('call', 20, 30, 3)) expect(verdictOf(task, slip).reward).toBe(0);
  });

  test('an unreadable call is made good by any later valid call', () => {
    for (const task of tasks('call', 10, 30, 0)) {
      const { turns, world } = play(task, oracle);
      const unreadable: Turn = { role: 'tool', call: { name: '', arguments: {} }, status: 'invalidArgument', result: null, patch: [] };
      expect(judge({ task, turns: [turns[0] as Turn, say(''), unreadable, ...turns.slice(1)], world }).reward).toBe(1);
      expect(judge({ task, turns: [...turns, say(''), unreadable], world }).reward).toBe(-1);
    }
  });
});

describe('intent', () => {
  test('is missed by an agent that always refuses, always claims to be done, or only talks', () => {
    for (const text of ['none', 'done', 'missing', 'amber', 'answer amber', 'ask code']) {
      for (const task of tasks('call', 10, 40, 0)) expect(verdictOf(task, () => say(text)).reward).toBe(-1);
    }
  });

  test('is missed by a call with a wrong value, a missing optional argument, or half of the calls', () => {
    let optional = 0;
    for (const task of tasks('call', 150, 70, 0)) {
      const last = task.expectedCalls.length - 1;
      const half = altered((turn, _, { expectedCalls }) =>
        turn.calls[0] !== undefined && turn.calls[0].name === expectedCalls[last]?.name ? say('done') : turn,
      );
      expect(verdictOf(task, half).reward).toBe(-1);
      const [first] = task.expectedCalls;
      const tool = task.tools.find(({ name }) => name === first?.name);
      const required = (tool?.parameters['required'] ?? []) as string[];
      const extra = Object.keys(first?.arguments ?? {}).find((name) => !required.includes(name));
      if (first === undefined || extra === undefined || tool?.effects === 'read') continue;
      optional++;
      const { [extra]: _, ...rest } = first.arguments;
      const forgetful: Agent = (played, turns) => {
        const turn = oracle(played, turns);
        const made = turns.some((heard) => heard.role === 'tool' && heard.call.name === first.name);
        return turn.calls[0]?.name === first.name ? (made ? say('done') : call(first.name, rest)) : turn;
      };
      expect(verdictOf(task, forgetful).reward).toBe(-1);
    }
    expect(optional).toBeGreaterThan(5);
  });

  test('is missed by a write that was made twice', () => {
    let writes = 0;
    for (const task of tasks('call', 80, 20, 0)) {
      const [first] = task.expectedCalls;
      const rule = task.world.entities['rules']?.[first?.name ?? ''];
      if (rule?.['deed'] !== 'create') continue;
      writes++;
      const twice: Agent = (played, turns) =>
        turns.filter(({ role }) => role === 'agent').length === 1 ? call(first?.name ?? '', first?.arguments ?? {}) : oracle(played, turns);
      expect(verdictOf(task, twice).reward).toBe(-1);
    }
    expect(writes).toBeGreaterThan(5);
  });

  test('is missed by saying done before it is done, and making the calls later', () => {
    const hasty = altered((turn, index) => (index === 0 ? say('done') : turn));
    for (const task of tasks('call', 40, 80, 0).filter(({ intent }) => intent.requests.length === 2))
      expect(verdictOf(task, hasty).reward).toBe(-1);
  });

  test('of a look-up that finds nothing is reached by saying so, and missed by saying done', () => {
    const absent = Array.from({ length: 60 }, (_, seed) =>
      writeTask(viewOf({ seed, difficulty: 20 }), { ...only('call'), absent: 1 }),
    ).filter((task) => play(task, oracle).turns.some((turn) => turn.role === 'agent' && turn.text === 'missing'));
    expect(absent.length).toBeGreaterThan(20);
    for (const task of absent) {
      expect(verdictOf(task, oracle).reward).toBe(1);
      expect(
        verdictOf(
          task,
          altered((turn) => (turn.text === 'missing' ? say('done') : turn)),
        ).reward,
      ).toBe(-1);
    }
  });
});

describe('branches', () => {
  test('`none` is reached by refusing only', () => {
    for (const task of tasks('none', 20, 40, 0)) {
      expect(verdictOf(task, () => say('none')).reward).toBe(1);
      expect(verdictOf(task, () => say('done')).reward).toBe(-1);
      expect(verdictOf(task, () => say('answer none')).reward).toBe(-1);
    }
  });

  test('`answer` is reached by the right answer only', () => {
    for (const task of tasks('answer', 20, 40, 0)) {
      expect(verdictOf(task, () => say(`answer ${task.expectedAnswer ?? ''}`)).reward).toBe(1);
      expect(verdictOf(task, () => say('answer amber anchor apple')).reward).toBe(-1);
      expect(verdictOf(task, () => say('none')).reward).toBe(-1);
    }
  });

  test('`ask` is reached by asking for the right parameter, and by nothing else', () => {
    for (const task of tasks('ask', 30, 40)) {
      expect(verdictOf(task, oracle).reward).toBe(1);
      const other = altered((turn) => (turn.text.startsWith('ask ') ? say('ask nothing') : turn));
      expect(verdictOf(task, other).reward).toBe(-1);
      // One needless question more costs conciseness.
      const curious: Agent = (played, turns) =>
        turns.length === 1
          ? say('ask nothing')
          : turns.length === 3
            ? oracle(played, turns.slice(0, 1))
            : oracle(
                played,
                turns.filter((_, index) => index !== 1 && index !== 2),
              );
      const verdict = verdictOf(task, curious);
      expect(verdict.reward).toBe(0);
      expect(unmet(verdict)).toContain('concise');
    }
  });
});

describe('criteria', () => {
  /** The oracle, but that before its first call it makes another one that changes nothing. */
  const repeatsReads = (task: Task): Agent | undefined => {
    const first = task.expectedCalls[0];
    if (first === undefined || task.world.entities['rules']?.[first.name]?.['deed'] !== 'find') return undefined;
    return (played, turns) =>
      turns.filter(({ role }) => role === 'agent').length === 1 ? call(first.name, first.arguments) : oracle(played, turns);
  };

  test('a redundant look-up costs the reward where conciseness is required, and nothing where it is not', () => {
    let seen = 0;
    for (const strict of [2, 3, 4]) {
      for (const task of tasks('call', 60, 30, strict)) {
        const agent = repeatsReads(task);
        if (agent === undefined) continue;
        seen++;
        const verdict = verdictOf(task, agent);
        expect(unmet(verdict)).toEqual(['concise', 'efficient']);
        expect(verdict.reward).toBe(strict >= 3 ? 0 : 1);
      }
    }
    expect(seen).toBeGreaterThan(10);
  });

  test('a call of a tool that is not needed costs the criterion `tools`', () => {
    let seen = 0;
    for (const task of tasks('call', 100, 60, 1)) {
      const idle = task.tools.find(
        ({ name, effects }) => effects === 'read' && !task.expectedCalls.some((expected) => expected.name === name),
      );
      const [first] = task.expectedCalls;
      const said = Object.values(first?.arguments ?? {}).find((value) => typeof value === 'string' && task.query.includes(value));
      const properties = idle?.parameters['properties'] as Record<string, JsonObject> | undefined;
      const required = idle?.parameters['required'] as string[] | undefined;
      if (
        idle === undefined ||
        said === undefined ||
        required?.some((name) => properties?.[name]?.['type'] !== 'string' || properties[name]['enum'] !== undefined)
      )
        continue;
      const args = Object.fromEntries((required ?? []).map((name) => [name, said]));
      const verdict = verdictOf(
        task,
        altered((turn, index) => (index === 0 ? call(idle.name, args) : turn)),
      );
      expect(unmet(verdict)).toContain('tools');
      expect(verdict.reward).toBe(0);
      seen++;
    }
    expect(seen).toBeGreaterThan(5);
  });

  test('idle talk costs efficiency only', () => {
    for (const task of tasks('call', 20, 30)) {
      const chatty = altered((turn, index) => (index === 0 ? say('amber') : turn));
      const verdict = verdictOf(task, (played, turns) =>
        turns.length === 1
          ? say('amber')
          : oracle(
              played,
              turns.filter((turn) => turn.role !== 'agent' || turn.text !== 'amber'),
            ),
      );
      expect(unmet(verdict)).toEqual(['efficient']);
      expect(verdict.reward).toBe(0);
      expect(
        verdictOf({ ...task, criteria: ['intent', 'tools', 'grounded', 'concise'] }, (played, turns) =>
          turns.length === 1
            ? chatty(played, turns)
            : oracle(
                played,
                turns.filter((turn) => turn.role !== 'agent' || turn.text !== 'amber'),
              ),
        ).reward,
      ).toBe(1);
    }
  });

  test('every verdict names all five, tells which are required, and gives evidence for what was missed', () => {
    const task = tasks('call', 1, 30, 1)[0] as Task;
    const { criteria } = verdictOf(task, () => say('done'));
    expect(criteria.map(({ name, required }) => [name, required])).toEqual([
      ['intent', true],
      ['tools', true],
      ['grounded', false],
      ['concise', false],
      ['efficient', false],
    ]);
    expect(criteria[0]).toMatchObject({ met: false, evidence: expect.stringMatching(/^call 1 of \d was not made$/) as string });
  });
});

test('several calls in one turn are judged as so many calls', () => {
  for (const task of tasks('call', 60, 60).filter(
    ({ expectedCalls, intent }) =>
      intent.requests.length === 1 && expectedCalls.length > 1 && expectedCalls.every(({ needs }) => needs.length === 0),
  )) {
    const atOnce: Agent = (played, turns) =>
      turns.length === 1
        ? { ...say(''), calls: played.expectedCalls.map(({ name, arguments: args }) => ({ name, arguments: args })) }
        : oracle(played, turns);
    expect(verdictOf(task, atOnce).reward).toBe(1);
  }
});

test('an agent that calls at random is never rewarded on more than a stray easy task', () => {
  let rewarded = 0;
  for (let seed = 0; seed < 300; seed++) {
    const task = writeTask(viewOf({ seed, difficulty: 10 + (seed % 90) }), calm);
    const draws = stream(seed);
    const random: Agent = (played) => {
      if (draws.chance(0.3)) return say(draws.pick(['done', 'none', 'missing', 'ask code']));
      const tool = draws.pick(played.tools);
      const properties = Object.entries(tool.parameters['properties'] as Record<string, JsonObject>);
      return call(
        tool.name,
        Object.fromEntries(
          properties.map(([name, { type }]) => [
            name,
            type === 'boolean' ? true : type === 'string' ? draws.pick(played.query.split(' ')) : 1 + draws.int(20),
          ]),
        ),
      );
    };
    if (verdictOf(task, random).reward === 1) rewarded++;
  }
  expect(rewarded / 300).toBeLessThan(0.08);
});

test('a reward is 1 only if all gates pass and all required criteria are met, -1 if a gate or intent fails, else 0', () => {
  fc.assert(
    fc.property(
      anyView,
      fc.array(fc.constantFrom('skip', 'twice', 'done', 'none', 'amber', 'right', 'right', 'right'), { minLength: 1, maxLength: 6 }),
      (view, script) => {
        const task = writeTask(view);
        const agent: Agent = (played, turns) => {
          const right = oracle(played, turns);
          const step = script[turns.filter(({ role }) => role === 'agent').length] ?? 'right';
          if (step === 'right') return right;
          if (step === 'twice') return right.calls.length === 0 ? right : { ...right, calls: [...right.calls, ...right.calls] };
          return step === 'skip' ? say('done') : say(step);
        };
        const { verdict } = play(task, agent);
        if (verdict === null) return;
        const gates = verdict.gates.every(({ passed }) => passed);
        const intent = verdict.criteria.find(({ name }) => name === 'intent')?.met === true;
        const all = verdict.criteria.every(({ met, required }) => met || !required);
        expect(verdict.reward).toBe(gates && intent ? (all ? 1 : 0) : -1);
      },
    ),
    { numRuns: 200 },
  );
});
