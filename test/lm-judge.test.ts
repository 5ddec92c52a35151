/** The judge that a language model plays: what it is asked, what it may say, and how several answers become one. */
import { describe, expect, test } from 'vitest';
import { canaries } from '../src/actors/canaries.ts';
import { runGroup } from '../src/actors/group.ts';
import { EngineFault } from '../src/errors.ts';
import type { ChatReply, ChatRequest } from '../src/protocol/inference.ts';
import type { Verdict } from '../src/protocol/outcome.ts';
import type { CriterionName } from '../src/protocol/task.ts';
import type { JudgeView } from '../src/simulation/contract.ts';
import type { JudgeDraft } from '../src/simulation/lm/dialect.ts';
import { docketOf, lmJudge } from '../src/simulation/lm/judge.ts';
import { prose } from '../src/simulation/lm/prose/prose.ts';
import { words } from '../src/simulation/lm/words/words.ts';
import { judge as proceduralJudge } from '../src/simulation/procedural/judge.ts';
import { tallied } from '../src/simulation/verdict/votes.ts';
import { draftOf, lmSettings, questionIn, replyTo } from './support/judge-model.ts';
import { goodAgent, says, scriptedJob, scriptedPorts } from './support/scripted.ts';

const judge = lmJudge(prose.judge, lmSettings());
const drawn = canaries(60, 11);
const byRules = drawn.filter(({ view }) => docketOf(view, true).verdict !== undefined);
const asked = drawn.filter(({ view }) => docketOf(view, true).verdict === undefined);
const findings = (verdict: Verdict): Partial<Record<CriterionName, boolean>> =>
  Object.fromEntries(verdict.criteria.map(({ name, met }) => [name, met]));

function answer(view: JudgeView, draft: JudgeDraft) {
  return judge.read(prose.judge.write(draft, { view, criteria: docketOf(view, true).criteria }), view);
}
const honest = (view: JudgeView): JudgeDraft => {
  const truth = findings(proceduralJudge(view));
  return draftOf({ view, criteria: docketOf(view, true).criteria }, (name) => truth[name] === true);
};

describe('the judge', () => {
  test('asks nobody where a gate has failed', () => {
    expect(byRules.length).toBeGreaterThan(5);
    for (const { view } of byRules) {
      const posed = judge.pose(view, [], 1);
      expect(posed.kind).toBe('reply');
      if (posed.kind === 'reply') expect(judge.read(posed.reply, view)).toMatchObject({ ok: true, answer: { reward: -1 } });
    }
  });

  test('asks for the intent always, and for what this difficulty requires and code cannot tell', () => {
    for (const { view } of asked) {
      const posed = judge.pose(view, [], 1);
      if (posed.kind !== 'chat') throw new TypeError('nothing was asked');
      const { criteria } = questionIn(posed);
      expect(criteria).toEqual(docketOf(view, true).criteria);
      expect(criteria[0]).toBe('intent');
      expect(criteria).not.toContain('tools');
      expect(criteria).not.toContain('efficient');
      expect(criteria.every((name) => name === 'intent' || view.task.criteria.includes(name))).toBe(true);
    }
  });

  test('with an honest model gives the verdict of the world itself', () => {
    for (const { view, truth } of asked) expect(answer(view, honest(view))).toMatchObject({ ok: true, answer: { reward: truth.reward } });
  });

  test('code and model must both find a criterion met', () => {
    const late = asked.find(
      ({ view }) => !docketOf(view, true).examined.findings.efficient.met && view.task.criteria.includes('efficient'),
    );
    const view = late?.view as JudgeView;
    const question = { view, criteria: docketOf(view, true).criteria };
    expect(
      answer(
        view,
        draftOf(question, () => true),
      ),
    ).toMatchObject({ ok: true, answer: { reward: 0 } });
    expect(
      answer(
        view,
        draftOf(question, (name) => name !== 'intent'),
      ),
    ).toMatchObject({ ok: true, answer: { reward: -1 } });
  });

  test('a required criterion that is missed costs the point, one that is not required does not', () => {
    const { view } = asked.find(
      ({ truth, view: seen }) => truth.reward === 1 && docketOf(seen, true).criteria.includes('grounded'),
    ) as (typeof asked)[0];
    const question = { view, criteria: docketOf(view, true).criteria };
    expect(
      answer(
        view,
        draftOf(question, (name) => name !== 'grounded'),
      ),
    ).toMatchObject({ ok: true, answer: { reward: 0 } });
    const lenient: JudgeView = { ...view, task: { ...view.task, criteria: ['intent'] } };
    expect(docketOf(lenient, true).criteria).toEqual(['intent']);
    expect(
      answer(
        lenient,
        draftOf({ view: lenient, criteria: ['intent'] }, () => true),
      ),
    ).toMatchObject({ ok: true, answer: { reward: 1 } });
  });

  test('without gates the model alone decides all that is required', () => {
    const alone = lmJudge(prose.judge, lmSettings({ gates: false }));
    for (const { view } of byRules.slice(0, 5)) {
      const posed = alone.pose(view, [], 1);
      if (posed.kind !== 'chat') throw new TypeError('nothing was asked');
      const question = questionIn(posed);
      expect(question.criteria).toEqual(view.task.criteria);
      const said = alone.read(
        prose.judge.write(
          draftOf(question, () => true),
          question,
        ),
        view,
      );
      expect(said).toMatchObject({ ok: true, answer: { reward: 1, gates: [] } });
    }
  });

  test('speaks the words of the tiny model as well', () => {
    const tiny = lmJudge(words.judge, lmSettings({ dialect: 'words' }));
    for (const { view, truth } of asked) {
      const posed = tiny.pose(view, [], 1);
      const question = { view, criteria: docketOf(view, true).criteria };
      expect(posed.kind).toBe('chat');
      expect(tiny.read(words.judge.write(honest(view), question), view)).toMatchObject({ ok: true, answer: { reward: truth.reward } });
    }
  });
});

describe('what a model says is refused', () => {
  const { view } = asked.find(({ truth }) => truth.reward === 1) as (typeof asked)[0];
  const { criteria } = docketOf(view, true);
  const all = draftOf({ view, criteria }, () => true);
  const refused = (text: string): string => {
    const reading = judge.read(text, view);
    return reading.ok ? `taken: ${JSON.stringify(reading.answer)}` : reading.complaint;
  };

  test.each([
    '',
    ':',
    '1',
    'the reward is 1',
    'null',
    '[]',
    '{"reward": 1}',
    '{"intent": true}',
    '{"intent": {"met": "yes", "evidence": ""}}',
  ])('where it is no finding: %s', (text) => {
    expect(refused(text)).not.toMatch(/^taken/);
  });

  test('where evidence is from no event, with words that say so', () => {
    const made = { ...all, intent: { met: true, evidence: 'the customer thanked the agent warmly for everything' } };
    expect(refused(prose.judge.write(made, { view, criteria }))).toMatch(/occurs in no event/);
  });

  test('where an intent is met by nothing', () => {
    for (const evidence of ['', 'no event: nothing is missing', '...'])
      expect(refused(prose.judge.write({ ...all, intent: { met: true, evidence } }, { view, criteria }))).toMatch(/quote/);
  });

  test('but not where evidence names its event, or where nothing happened', () => {
    const said = all.intent?.evidence ?? '';
    expect(refused(prose.judge.write({ ...all, intent: { met: true, evidence: `event 4: "${said}"` } }, { view, criteria }))).toMatch(
      /^taken/,
    );
    expect(refused(prose.judge.write({ ...all, intent: { met: false, evidence: 'no event tells the user' } }, { view, criteria }))).toMatch(
      /^taken/,
    );
  });
});

describe('votes', () => {
  const verdict = (...met: boolean[]): Verdict => ({
    reward: 1,
    gates: [],
    criteria: met.map((each, index) => ({ name: (['intent', 'tools'] as const)[index] ?? 'grounded', required: true, met: each })),
  });

  test('the majority decides on each criterion, and code makes the reward', () => {
    expect(tallied([verdict(true, true), verdict(true, false), verdict(false, false)], 3)).toMatchObject({
      reward: 0,
      criteria: [{ met: true }, { met: false }],
    });
    expect(tallied([verdict(false, true), verdict(false, true)], 3)?.reward).toBe(-1);
  });

  test('they decide as soon as those to come cannot change it', () => {
    expect(tallied([verdict(true, true)], 3)).toBeUndefined();
    expect(tallied([verdict(true, true), verdict(true, false)], 3)).toBeUndefined();
    expect(tallied([verdict(true, false), verdict(true, false)], 3)?.reward).toBe(0);
  });

  test('a tie among those that could be read is not met', () => {
    expect(tallied([verdict(true), verdict(true), verdict(false), verdict(false)], 5, true)?.reward).toBe(-1);
    expect(tallied([verdict(true), verdict(true)], 5, true)).toBeUndefined();
  });

  /** One episode of a task that is solved, judged by votes; `texts` answers the n-th prompt to the judge. */
  async function judged(votes: number, say: (index: number, request: ChatRequest) => string | Error | null) {
    const prompts: ChatRequest[] = [];
    const ports = scriptedPorts(goodAgent, { judge });
    const chat = (request: ChatRequest): Promise<ChatReply> => {
      const said = say(prompts.push(request) - 1, request);
      if (said === null) return new Promise(() => undefined);
      return said instanceof Error ? Promise.reject(said) : Promise.resolve(replyTo(request, said));
    };
    const simulation = { ...lm, votes };
    const group = await runGroup(scriptedJob({ simulation }), { ...ports, chat }, new AbortController().signal);
    return { prompts, episode: group.episodes[0], health: group.health };
  }
  const lm = {
    roles: ['judge' as const],
    shared: true,
    cache: true,
    toolSeesIntent: false,
    fidelity: 0,
    votes: 1,
    scope: 'episode' as const,
  };
  const finding = (request: ChatRequest, met: boolean): string => {
    const question = questionIn(request);
    return prose.judge.write(
      draftOf(question, () => met),
      question,
    );
  };

  test('are asked with seeds and keys of their own, and at a temperature at which they may differ', async () => {
    const { prompts, episode } = await judged(3, (_, request) => finding(request, true));
    expect(prompts).toHaveLength(3);
    expect(new Set(prompts.map(({ seed }) => seed)).size).toBe(3);
    expect(new Set(prompts.map(({ id }) => id)).size).toBe(3);
    expect(prompts.map(({ temperature }) => temperature)).toEqual([0, 0.7, 0.7]);
    expect(episode).toMatchObject({ reward: 1 });
  });

  test('one that cannot be read voids itself alone', async () => {
    const { episode, prompts } = await judged(3, (index, request) => (index === 1 ? 'hm' : finding(request, true)));
    expect(prompts).toHaveLength(3);
    expect(episode).toMatchObject({ reward: 1, attempt: 1 });
  });

  test('one that never comes does not hold up the others', async () => {
    const { episode } = await judged(3, (index, request) => (index === 0 ? null : finding(request, false)));
    expect(episode).toMatchObject({ reward: -1, outcome: { kind: 'scored' } });
  });

  test('the question is asked again where too few can be read, and faults when they stay so: never a reward', async () => {
    const mended = await judged(3, (index, request) => (index < 2 ? 'hm' : finding(request, true)));
    expect(mended.episode).toMatchObject({ reward: 1 });
    expect(mended.prompts.length).toBeGreaterThan(3);
    const lost = await judged(3, () => 'hm');
    expect(lost.episode).toMatchObject({ reward: null, outcome: { kind: 'judgeFault' } });
  });

  test('faults of the engine are faults, however many vote', async () => {
    const { episode } = await judged(3, () => new EngineFault('gone', { trouble: 'absent' }));
    expect(episode?.reward ?? null).toBeNull();
  });

  test('disagreement is counted', async () => {
    const { health } = await judged(3, (index, request) => finding(request, index !== 1));
    expect(health?.votes).toEqual({ cast: 3, disputed: 1 });
  });

  test('code answers once, whatever the votes', async () => {
    const ports = scriptedPorts(() => says('done'), { judge });
    const group = await runGroup(scriptedJob({ simulation: { ...lm, votes: 5 } }), ports, new AbortController().signal);
    expect(group.episodes[0]).toMatchObject({ reward: -1 });
    expect(group.health?.roles.judge).toMatchObject({ asks: 1, calls: 0, spared: 1 });
  });
});
