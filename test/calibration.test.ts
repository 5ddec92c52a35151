/** Who judges the judge: what calibration finds of one that errs at a known rate, and when it sounds the alarm. */
import { describe, expect, test } from 'vitest';
import { canaries } from '../src/actors/canaries.ts';
import { createCalibration } from '../src/actors/calibration.ts';
import { systemClock } from '../src/actors/clock.ts';
import { configOf } from '../src/config.ts';
import { calibrated, type Drift, driftAfter, noDrift, type Trial } from '../src/learning/calibration.ts';
import { Frame, type FrameOf } from '../src/protocol/frame.ts';
import type { PolicyVersion } from '../src/protocol/ids.ts';
import type { ChatReply, ChatRequest } from '../src/protocol/inference.ts';
import { stream } from '../src/random.ts';
import { docketOf, lmJudge } from '../src/simulation/lm/judge.ts';
import { lmPanel } from '../src/simulation/lm/panel.ts';
import type { Dialect } from '../src/simulation/lm/dialect.ts';
import { judgeSystem } from '../src/simulation/lm/prose/judge.ts';
import { pageIn } from '../src/simulation/lm/prose/page.ts';
import { judge as proceduralJudge } from '../src/simulation/procedural/judge.ts';
import type { JsonObject } from '../src/protocol/json.ts';
import type { CriterionName } from '../src/protocol/task.ts';
import { prose } from '../src/simulation/lm/prose/prose.ts';
import { draftOf, erringJudge, lmSettings, questionIn, replyTo } from './support/judge-model.ts';

const signal = new AbortController().signal;
const version = 0 as PolicyVersion;

function office(
  chat: (request: ChatRequest) => Promise<ChatReply>,
  { episodes = 32, every = 1, gates = true, held = [] as FrameOf<'judge.calibrated'>[] } = {},
) {
  const frames: FrameOf<'judge.calibrated'>[] = [];
  const notes: string[] = [];
  const config = configOf({
    engine: { kind: 'fake' },
    roles: { judge: 'lm' },
    simulation: { judge: { calibrateEvery: every, calibrationEpisodes: episodes, gates } },
  });
  const calibration = createCalibration(config, {
    judge: lmJudge(prose.judge, lmSettings({ gates })),
    chat,
    clock: systemClock,
    record: (frame) => void frames.push(frame),
    note: (text) => void notes.push(text),
    abandon: () => undefined,
    held,
  });
  return { calibration, frames, notes };
}
const trialsIn = (frames: readonly FrameOf<'judge.calibrated'>[]): Trial[] => frames.flatMap(({ trials }) => trials as unknown as Trial[]);

describe('canaries', () => {
  const drawn = canaries(120, 5);
  const asked = drawn.filter(({ view }) => docketOf(view, true).verdict === undefined);

  test('are as many of each reward, and most of them are for the model to tell', () => {
    expect(drawn.length).toBeGreaterThanOrEqual(118);
    for (const reward of [-1, 0, 1]) expect(drawn.filter(({ truth }) => truth.reward === reward).length).toBeGreaterThanOrEqual(38);
    expect(asked.length / drawn.length).toBeGreaterThan(0.7);
  });

  test('hold among what the model is asked both what is met and what is not', () => {
    const questions = asked.flatMap(({ view, truth }) =>
      docketOf(view, true).criteria.map((name) => truth.criteria.find((each) => each.name === name)?.met === true),
    );
    const missed = questions.filter((met) => !met).length / questions.length;
    expect(missed).toBeGreaterThan(0.2);
    expect(missed).toBeLessThan(0.6);
  });

  test('show nothing of what agents thought, and are the same for the same seed', () => {
    expect(drawn.every(({ view }) => view.turns.every((turn) => turn.role !== 'agent' || turn.thought === ''))).toBe(true);
    expect(canaries(12, 5)).toEqual(drawn.slice(0, 12));
  });
});

describe('a judge that errs in a known tenth of its findings', () => {
  test('is found to agree as often as it does, within 0.02, over at least 2,000 questions', async () => {
    const model = erringJudge(() => 0.1);
    const { calibration } = office(model.chat, { episodes: 540, gates: false });
    await calibration.hold(1, version, signal);
    const found = calibration.summary;
    expect(found?.model?.questions).toBeGreaterThanOrEqual(2000);
    expect(model.given.all).toBe(found?.model?.questions);
    expect(Math.abs((found?.model?.agreement ?? 0) - (1 - model.given.wrong / model.given.all))).toBeLessThan(1e-9);
    expect(Math.abs((found?.model?.agreement ?? 0) - 0.9)).toBeLessThan(0.02);
    expect(found?.model?.ci[0]).toBeLessThan(0.9);
    expect(found?.model?.ci[1]).toBeGreaterThan(0.9);
  }, 120_000);

  test('is right about all that rules can know', async () => {
    const model = erringJudge(() => 0.5);
    const { calibration, frames } = office(model.chat, { episodes: 120 });
    await calibration.hold(1, version, signal);
    const trials = trialsIn(frames);
    const byRules = trials.filter(({ questions }) => questions.length === 0);
    expect(byRules.length).toBeGreaterThan(15);
    expect(byRules.every(({ truth, given }) => truth === given)).toBe(true);
  });

  test('is worse without the rules', async () => {
    const [ruled, alone] = await Promise.all(
      [true, false].map(async (gates) => {
        const { calibration } = office(erringJudge(() => 0.1).chat, { episodes: 90, gates });
        await calibration.hold(1, version, signal);
        return calibration.summary?.agreement ?? 0;
      }),
    );
    expect(ruled).toBeGreaterThan((alone as number) + 0.05);
  });

  test('raises no alarm while it stays so, and one when its errors double', async () => {
    let share = 0.1;
    const { calibration, notes } = office(erringJudge(() => share).chat);
    let step = 0;
    while (step < 12) await calibration.hold(++step, version, signal);
    expect(calibration.summary?.alarms).toBe(0);
    expect(notes.some((note) => note.startsWith('ALARM'))).toBe(false);
    share = 0.2;
    while (step < 30 && calibration.summary?.alarms === 0) await calibration.hold(++step, version, signal);
    expect(calibration.summary?.alarms).toBe(1);
    expect(notes.at(-1)).toMatch(/^ALARM/);
  }, 120_000);
});

describe('an examination', () => {
  test('is held before the first step and every so many steps, once', async () => {
    const { calibration, frames } = office(erringJudge(() => 0).chat, { episodes: 6, every: 10 });
    for (const step of [1, 2, 10, 11, 11, 21]) await calibration.hold(step, version, signal);
    expect(frames.map(({ step }) => step)).toEqual(['s00001', 's00011', 's00021']);
    for (const frame of frames) expect(Frame.safeParse(frame).success).toBe(true);
  });

  test('is recalled by a process that takes the run up again', async () => {
    const first = office(erringJudge(() => 0.1).chat, { episodes: 24 });
    await first.calibration.hold(1, version, signal);
    const silent = (): never => {
      throw new Error('nobody is asked again');
    };
    const second = office(silent, { episodes: 24, held: first.frames });
    await second.calibration.hold(1, version, signal);
    expect(second.calibration.summary).toEqual(first.calibration.summary);
  });

  test('repairs what cannot be read, and calls what stays so unread, never wrong', async () => {
    const good = erringJudge(() => 0);
    const seen = new Map<string, number>();
    const stutters = (request: ChatRequest): Promise<ChatReply> => {
      const key = request.messages[1]?.content.split('\n</data>', 1)[0] ?? '';
      seen.set(key, (seen.get(key) ?? 0) + 1);
      return seen.get(key) === 1 ? Promise.resolve(replyTo(request, 'I would say yes')) : good.chat(request);
    };
    const mended = office(stutters, { episodes: 24 });
    await mended.calibration.hold(1, version, signal);
    expect(mended.calibration.summary).toMatchObject({ agreement: 1, unread: 0 });
    const mute = office((request) => Promise.resolve(replyTo(request, '42')), { episodes: 24 });
    await mute.calibration.hold(1, version, signal);
    const { summary } = mute.calibration;
    expect(summary?.unread).toBeGreaterThan(10);
    expect(summary).toMatchObject({ agreement: 1 });
    expect(summary?.model).toBeUndefined();
  });

  test('ends at once when the run does', async () => {
    const abort = new AbortController();
    const { calibration, frames } = office(() => new Promise(() => undefined), { episodes: 12 });
    const held = calibration.hold(1, version, abort.signal);
    abort.abort();
    await held;
    expect(frames).toEqual([]);
  });
});

describe('where episodes are judged side by side', () => {
  test('so are canaries, and a judge that believes whoever comes last shows it', async () => {
    const notes: string[] = [];
    const frames: FrameOf<'judge.calibrated'>[] = [];
    const config = configOf({
      engine: { kind: 'fake' },
      roles: { judge: 'lm' },
      simulation: { judge: { calibrateEvery: 1, calibrationEpisodes: 200, scope: 'group' } },
    });
    const calibration = createCalibration(config, {
      judge: lmJudge(prose.judge, lmSettings()),
      panel: lmPanel(prose.panel as NonNullable<Dialect['panel']>, lmSettings()),
      chat: lastIsRight,
      clock: systemClock,
      record: (frame) => void frames.push(frame),
      note: (text) => void notes.push(text),
      abandon: () => undefined,
      held: [],
    });
    await calibration.hold(1, version, signal);
    const { model, unread } = calibration.summary ?? {};
    expect(unread).toBe(0);
    expect(model?.questions).toBeGreaterThan(200);
    expect(model?.positionBias).toBeGreaterThan(0.1);
    expect(trialsIn(frames).every(({ position }) => position !== undefined)).toBe(true);
  });

  test('and are judged alone where they cannot be', async () => {
    const frames: FrameOf<'judge.calibrated'>[] = [];
    const good = erringJudge(() => 0);
    const config = configOf({
      engine: { kind: 'fake' },
      roles: { judge: 'lm' },
      simulation: { judge: { calibrateEvery: 1, calibrationEpisodes: 12, scope: 'group' } },
    });
    const calibration = createCalibration(config, {
      judge: lmJudge(prose.judge, lmSettings()),
      panel: lmPanel(prose.panel as NonNullable<Dialect['panel']>, lmSettings()),
      chat: (request) =>
        pageIn(request.messages)?.data['conversations'] === undefined ? good.chat(request) : Promise.resolve(replyTo(request, 'no')),
      clock: systemClock,
      record: (frame) => void frames.push(frame),
      note: () => undefined,
      abandon: () => undefined,
      held: [],
    });
    await calibration.hold(1, version, signal);
    expect(calibration.summary).toMatchObject({ agreement: 1, unread: 0 });
    expect(trialsIn(frames).every(({ position }) => position === undefined)).toBe(true);
  });

  /** Right about all but the last two, who are right in everything. */
  function lastIsRight(request: ChatRequest): Promise<ChatReply> {
    const data = pageIn(request.messages)?.data ?? {};
    const shown = data['conversations'] as { asked: CriterionName[]; events: JsonObject[]; worldAfter: JsonObject }[];
    const drafts = shown.map(({ asked, events, worldAfter }, index) => {
      const page = { asked, task: data['task'], worldBefore: data['worldBefore'], events, worldAfter } as JsonObject;
      const content = `\n<data>\n${JSON.stringify(page)}\n</data>`;
      const question = questionIn({
        messages: [
          { role: 'system', content: judgeSystem },
          { role: 'user', content },
        ],
      });
      const truth = proceduralJudge(question.view);
      return draftOf(question, (name) => index >= 2 || truth.criteria.find((each) => each.name === name)?.met === true);
    });
    return Promise.resolve(replyTo(request, JSON.stringify(Object.fromEntries(drafts.map((draft, index) => [String(index + 1), draft])))));
  }
});

describe('figures', () => {
  const trial = (truth: boolean, given: boolean, length: number, position?: number): Trial => ({
    truth: truth ? 1 : -1,
    given: given ? 1 : -1,
    questions: [{ name: 'intent', truth, given }],
    length,
    ...(position === undefined ? {} : { position }),
  });

  test('a judge that believes long speeches shows a bias by length; one that errs evenly shows none', () => {
    const draws = stream(3);
    const speeches = (errorAt: (length: number) => number): Trial[] =>
      Array.from({ length: 1000 }, () => {
        const length = draws.int(500);
        const truth = draws.chance(0.5);
        return trial(truth, draws.chance(errorAt(length)) ? !truth : truth, length, length % 8);
      });
    const gullible = calibrated(speeches((length) => length / 1000)).length;
    expect(gullible?.ci[0]).toBeGreaterThan(0.1);
    expect(gullible?.slope).toBeCloseTo(0.001, 3);
    const even = calibrated(speeches(() => 0.2));
    expect(Math.abs(even.length?.difference ?? 1)).toBeLessThan(0.07);
    expect(Math.abs(even.position?.difference ?? 1)).toBeLessThan(0.07);
  });

  test('leniency and severity are told apart', () => {
    const { lenient, severe, criteria } = calibrated([
      trial(false, true, 1),
      trial(false, true, 1),
      trial(false, false, 1),
      trial(true, true, 1),
    ]);
    expect([lenient.mean, severe.mean, criteria.intent?.n]).toEqual([2 / 3, 0, 4]);
  });

  test('what was not read is in no rate', () => {
    const { agreement, unread } = calibrated([trial(true, true, 1), { truth: -1, given: null, questions: [], length: 0 }]);
    expect([agreement.n, agreement.mean, unread]).toEqual([1, 1, 1]);
  });
});

describe('the alarm', () => {
  /** Alarms in so many questions after the baseline, at this error rate. */
  function alarms(seed: number, before: number, after: number, questions = 1000): boolean {
    const draws = stream(seed);
    const batch = (rate: number, count: number): Trial[] =>
      Array.from({ length: count }, () => ({
        truth: 1,
        given: 1,
        questions: [{ name: 'intent', truth: true, given: !draws.chance(rate) }],
        length: 1,
      }));
    let drift: Drift = noDrift;
    while (drift.baseline.questions < 100) drift = driftAfter(drift, batch(before, 50), 0.1);
    return driftAfter(drift, batch(after, questions), 0.1).alarms > 0;
  }
  const share = (before: number, after: number): number =>
    Array.from({ length: 300 }, (_, seed) => alarms(seed, before, after)).filter(Boolean).length / 300;

  test.each([0.02, 0.1, 0.25])('is false in at most 11 of 100 stretches of 1,000 questions at an error rate of %d', (rate) => {
    expect(share(rate, rate)).toBeLessThan(0.11);
  });

  test.each([
    [0.02, 0.95],
    [0.1, 0.8],
    [0.25, 0.65],
  ])('comes within 1,000 questions where the rate rises from %d by 0.1, in %d of all cases at least', (rate, power) => {
    expect(share(rate, rate + 0.1)).toBeGreaterThan(power);
  });

  test('never comes where the judge becomes better', () => {
    expect(share(0.2, 0.05)).toBe(0);
  });
});
