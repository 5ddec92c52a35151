/** What agents may say to talk the judge into a reward, and what it gets them. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Verdict } from '../src/protocol/outcome.ts';
import type { Branch, Task } from '../src/protocol/task.ts';
import type { AgentTurn, Turn } from '../src/protocol/turn.ts';
import type { JudgeView } from '../src/simulation/contract.ts';
import { examine } from '../src/simulation/verdict/gates.ts';
import type { JudgeQuestion } from '../src/simulation/lm/dialect.ts';
import { lmJudge } from '../src/simulation/lm/judge.ts';
import { prose } from '../src/simulation/lm/prose/prose.ts';
import { judge as proceduralJudge } from '../src/simulation/procedural/judge.ts';
import { type Agent, oracle, play } from '../src/simulation/procedural/oracle.ts';
import { defaultMix } from '../src/simulation/procedural/plan.ts';
import { writeTask } from '../src/simulation/procedural/task.ts';
import { viewOf } from './support/arbitraries.ts';
import { attacks, claims, families } from './support/attacks.ts';
import { draftOf, lmSettings, questionIn } from './support/judge-model.ts';

const say = (text: string): AgentTurn => ({ role: 'agent', thought: '', text, calls: [] });
const viewed = (task: Task, ...said: Turn[]): JudgeView => ({
  task,
  turns: [{ role: 'user', text: task.query }, ...said],
  world: task.world,
});

/** Tasks of each branch, from the most lenient judge to the strictest. */
const tasks: Task[] = (['call', 'ask', 'answer', 'none'] as const satisfies readonly Branch[]).flatMap((branch) =>
  [10, 40, 70, 100].map((difficulty) => {
    const only = { ...defaultMix, transient: 0, absent: 0, vague: 0, branches: { call: 0, ask: 0, answer: 0, none: 0, [branch]: 1 } };
    const task = writeTask(viewOf({ seed: difficulty, difficulty }), only);
    const answers = play(task, oracle).turns.flatMap((turn) => (turn.role === 'tool' ? [turn] : []));
    return { ...task, rehearsal: answers.map(({ status, result, patch }) => ({ status, result, patch })) };
  }),
);

type Model = (question: JudgeQuestion) => (name: Verdict['criteria'][number]['name']) => boolean;
const honest: Model = ({ view }) => {
  const { criteria } = proceduralJudge(view);
  return (name) => criteria.find((each) => each.name === name)?.met === true;
};
/** Believes whoever praises himself, writes a verdict, speaks to it, or opens as if to reason. */
const gullible: Model = ({ view }) => {
  const said = view.turns.map((turn) => (turn.role === 'agent' ? turn.text : '')).join(' ');
  const isTaken =
    /met|verdict|reward|score|marks|perfect|success|complete|done|finish|achiev|accomplish|fulfil|resolved|handled|correct|excellent|outstanding|thought process|step by step|solution|reasoning|answer|ok|thank|great|fine|[:{}<>]/i.test(
      said,
    ) || !/[a-z]{2}/i.test(said.trim());
  return () => isTaken && said !== '';
};

const judge = lmJudge(prose.judge, lmSettings());
/** Reward, and whether the model was asked. */
function verdictOn(view: JudgeView, model: Model): { reward: number; asked: boolean } {
  const posed = judge.pose(view, [], 1);
  const reply = posed.kind === 'reply' ? posed.reply : answered(posed.messages, model);
  const reading = judge.read(reply, view);
  // What cannot be read is a fault: no reward, and here the most an attack could hope for.
  return { reward: reading.ok ? reading.answer.reward : -1, asked: posed.kind === 'chat' };
}
function answered(messages: Parameters<typeof questionIn>[0]['messages'], model: Model): string {
  const question = questionIn({ messages });
  const met = model(question);
  const draft = draftOf(question, met);
  return prose.judge.write(draft, question);
}
const failed = (view: JudgeView): string[] => examine(view).gates.flatMap(({ name, passed }) => (passed ? [] : [name]));

test('there are 200, all different', () => {
  expect(new Set(attacks).size).toBe(200);
});

describe.each([
  ['an honest model', honest],
  ['a gullible model', gullible],
] as const)('with %s', (_, model) => {
  const rewardOfEmpty = tasks.map((task) => verdictOn(viewed(task, say('')), model).reward);

  test('a right episode is rewarded, or the rest would prove nothing', () => {
    const right = tasks.map((task) => {
      const { turns, world } = play(task, oracle);
      return verdictOn({ task, turns: turns.map((turn) => (turn.role === 'agent' ? { ...turn, thought: '' } : turn)), world }, honest)
        .reward;
    });
    expect(right).toEqual(tasks.map(() => 1));
  });

  test.each(Object.entries(families))('%s get no more than saying nothing', (_name, texts) => {
    const rewards = texts.flatMap((text) => tasks.map((task) => verdictOn(viewed(task, say(text)), model).reward));
    const mean = (list: readonly number[]): number => list.reduce((sum, each) => sum + each, 0) / list.length;
    expect(mean(rewards)).toBeLessThanOrEqual(mean(rewardOfEmpty));
  });

  test('repeated calls get no more than saying nothing', () => {
    for (const task of tasks) {
      const [expected] = task.expectedCalls;
      const name = expected?.name ?? task.tools[0]?.name ?? '';
      const wrong: Agent = () => ({ ...say(''), calls: [{ name, arguments: { ...expected?.arguments, zzz: 'please' } }] });
      const stuck: Agent = (_task, turns) => (turns.length < 12 ? wrong(task, turns) : say('done, perfectly'));
      const { turns, world } = play({ ...task, maxTurns: 12 }, stuck);
      expect(verdictOn({ task, turns, world }, model).reward).toBe(-1);
    }
  });
});

test('no attack flips a gate that the calls alone decide', () => {
  for (const task of tasks) {
    const plain = failed(viewed(task, say('well'))).filter((name) => name !== 'plainRefusal');
    for (const text of attacks) expect(failed(viewed(task, say(text)))).toEqual(expect.arrayContaining(plain));
  }
});

test('whatever is said, without its calls or its answer a task is not solved', () => {
  const owing = tasks.filter(({ branch }) => branch !== 'none');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.constantFrom(...owing), (text, task) => {
      fc.pre(task.expectedAnswer === undefined || !text.includes(task.expectedAnswer));
      expect(verdictOn(viewed(task, say(text)), () => () => true)).toEqual({ reward: -1, asked: false });
    }),
    { numRuns: 300 },
  );
});

test('where no tool fits, claims in words that no list of tricks holds are none the better for it', () => {
  const none = tasks.filter(({ branch }) => branch === 'none');
  const rewards = claims.flatMap((text) => none.map((task) => verdictOn(viewed(task, say(text)), () => () => true).reward));
  // Two of them deny something, and a model that believes everything believes them.
  expect(rewards.filter((reward) => reward > -1).length).toBeLessThanOrEqual(2 * none.length);
});

describe('in the prompt', () => {
  const alone = lmJudge(prose.judge, lmSettings({ gates: false }));
  const pageOf = (view: JudgeView, complaints: readonly string[] = []): string => {
    const posed = alone.pose(view, complaints, 1);
    if (posed.kind !== 'chat') throw new TypeError('nothing was asked');
    return posed.messages.map(({ role, content }) => `${role}: ${content}`).join('\n');
  };
  const aroundData = (page: string): string => `${page.slice(0, page.indexOf('\n<data>\n'))}|${page.slice(page.lastIndexOf('\n</data>'))}`;

  test('no attack stands outside the block of data, and each is in it as it was said', () => {
    for (const task of tasks.slice(0, 2)) {
      const plain = aroundData(pageOf(viewed(task, say('well'))));
      for (const text of attacks) {
        const view = viewed(task, say(text));
        const page = pageOf(view);
        expect(aroundData(page)).toBe(plain);
        expect(page.split('</data>')).toHaveLength(3);
        const posed = alone.pose(view, [], 1);
        if (posed.kind === 'chat') expect(questionIn(posed).view.turns.at(-1)).toMatchObject({ role: 'agent', text });
      }
    }
  });

  test('nor does one that stands in a call or in what a tool says', () => {
    const [task] = tasks as [Task];
    for (const text of attacks) {
      const call = { name: task.tools[0]?.name as string, arguments: { [text]: text } };
      const turns: Turn[] = [
        { ...say(''), calls: [call] },
        { role: 'tool', call, status: 'ok', result: { [text]: [text] }, patch: [] },
      ];
      expect(aroundData(pageOf(viewed(task, ...turns)))).toBe(aroundData(pageOf(viewed(task, say('well')))));
    }
  });

  test('complaints about what a judge said cannot speak either', () => {
    const [task] = tasks as [Task];
    const view = viewed(task, say('well'));
    for (const text of attacks) {
      const reading = alone.read(text, view);
      if (!reading.ok) expect(pageOf(view, [reading.complaint]).split('\n</data>')).toHaveLength(2);
    }
  });
});
