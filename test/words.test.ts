/** The tiny model's words: what each role is told and may answer, held to the vocabulary, to the template a server renders by, and to the checks that all dialects share. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { roleLesson } from '../src/actors/lessons/role.ts';
import { writtenTask } from '../src/actors/lessons/written.ts';
import { replyLessonOf } from '../src/gpu/lesson.ts';
import { readModelFiles } from '../src/gpu/tokens/model-files.ts';
import { renderOf } from '../src/gpu/tokens/template.ts';
import { vocabularyOf } from '../src/gpu/tokens/vocabulary.ts';
import { aspectsAt } from '../src/learning/curriculum.ts';
import { type ImitationRule, planLesson } from '../src/learning/imitation.ts';
import { SimulatorRole } from '../src/protocol/outcome.ts';
import type { ToolSpec } from '../src/protocol/tool.ts';
import type { World } from '../src/protocol/world.ts';
import { type Seed, seedOf, stream } from '../src/random.ts';
import type { TaskView } from '../src/simulation/contract.ts';
import { applyPatch } from '../src/simulation/state.ts';
import { words } from '../src/simulation/lm/words/words.ts';
import { lexicon } from '../src/simulation/procedural/lexicon.ts';
import { defaultMix } from '../src/simulation/procedural/plan.ts';
import { builtinRepository } from '../src/simulation/procedural/repository.ts';
import { subset } from '../src/tools/repository.ts';

const vocabulary = vocabularyOf(lexicon);
const viewAt =
  (difficulty: number) =>
  (seed: Seed): TaskView => {
    const draws = stream(seedOf(seed, 'view'));
    const aspects = aspectsAt(difficulty, draws, 0.5);
    const tools = subset(builtinRepository, aspects.tools.value, draws, 'train');
    return { id: `words.${seed}` as TaskView['id'], split: 'train', difficulty, aspects, tools, seed };
  };
const written = (difficulty: number, seed: Seed) => writtenTask(viewAt(difficulty)(seed), defaultMix);
/** A task that has a call. */
function calling(): NonNullable<ReturnType<typeof written>> {
  for (let seed = 0; ; seed++) {
    const task = written(40, seed);
    if (task !== undefined && task.draft.calls.length > 0) return task;
  }
}

describe.each(SimulatorRole.options)('a lesson of the role %s', (role) => {
  const lessons = [5, 25, 50, 75, 100].flatMap((difficulty) =>
    Array.from({ length: 60 }, (_, n) => roleLesson(viewAt(difficulty), defaultMix, seedOf('words', role, difficulty, n), role)),
  );

  test('says nothing that is not in the vocabulary, in at most 450 tokens', () => {
    for (const { messages, reply } of lessons) {
      const said = [...messages.map(({ content }) => content), reply].flatMap((text) => text.split(' '));
      expect(said.filter((word) => vocabulary.id(word) === vocabulary.id('<unk>'))).toEqual([]);
      expect(replyLessonOf(messages, reply, vocabulary).ids.length).toBeLessThanOrEqual(450);
    }
  });

  test('is accepted by the checks that every dialect goes through', () => {
    for (const { read, reply } of lessons) expect(read(reply)).toMatchObject({ ok: true });
  });

  test('has the ids that a server renders its messages to', () => {
    const render = renderOf(readModelFiles('models/tiny-base'), false);
    for (const { messages, reply } of lessons.slice(0, 40)) {
      const { ids, sampled } = replyLessonOf(messages, reply, vocabulary);
      const prompt = render(messages as never, [], { reply: true })
        .trim()
        .split(' ')
        .map(vocabulary.id);
      expect([...ids.subarray(0, sampled.indexOf(1))]).toEqual(prompt);
      expect([...ids.subarray(prompt.length)].map(vocabulary.word)).toEqual([...reply.split(' '), '<|im_end|>']);
      expect(sampled.reduce((sum, flag) => sum + flag, 0)).toBe(ids.length - prompt.length);
    }
  });

  test('is the same whenever it is drawn', () => {
    const [again, first] = [1, 1].map(() => roleLesson(viewAt(50), defaultMix, 77, role));
    expect([again?.messages, again?.reply]).toEqual([first?.messages, first?.reply]);
  });
});

describe('lessons of roles among the others', () => {
  const rule = (roles?: number): ImitationRule => ({
    steps: 100,
    batchTokens: 200,
    warmup: 10,
    decay: 0.5,
    difficulty: { from: 5, to: 50, over: 0.5 },
    mix: { episodes: 1, chains: 0.4, requests: 0.5, lookups: 0.5, fade: 0, ...(roles === undefined ? {} : { roles }) },
  });
  const kinds = (roles?: number) => Array.from({ length: 2000 }, (_, n) => planLesson(rule(roles), 3, n, 0));

  test('come in their share', () => {
    expect(kinds(1.125).filter(({ kind }) => kind === 'role').length / 2000).toBeCloseTo(0.5, 1);
  });

  test('without a share leave the plan as it is', () => {
    expect(kinds(0)).toEqual(kinds());
    expect(kinds().filter(({ kind }) => kind === 'role')).toEqual([]);
  });
});

describe('a written task', () => {
  test('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 100 }), (seed, difficulty) => {
        const task = written(difficulty, seed);
        fc.pre(task !== undefined);
        const { draft, brief } = task;
        expect(words.task.read(words.task.write(draft, brief), brief)).toEqual({ ok: true, answer: draft });
      }),
      { numRuns: 150 },
    );
  });

  test('is one its source would have written: the same calls, requests and facts', () => {
    for (let seed = 0; seed < 60; seed++) {
      const { draft, source } = written(60, seed) ?? {};
      if (draft === undefined || source === undefined) continue;
      expect(draft.calls.map(({ name, arguments: args, turn }) => ({ name, args, turn }))).toEqual(
        source.expectedCalls.map(({ name, arguments: args, turn }) => ({ name, args, turn })),
      );
      expect([draft.intent.requests, draft.intent.facts]).toEqual([source.intent.requests, source.intent.facts]);
      expect(draft.answer).toBe(source.expectedAnswer);
    }
  });

  test.each([
    ['no system prompt', ', borrow ( title = lily ) append fern ? borrow title lily'],
    ['no request', 'help , borrow ( title = lily ) append fern'],
    ['a tool it was not given', 'help , levitate ( title = lily ) append fern ? borrow title lily'],
    ['a parameter the tool has not', 'help , TOPIC ( mood = lily ) ok fern ? lily'],
    ['an open bracket', 'help , TOPIC ( title = lily ok fern ? lily'],
    ['a deed there is not', 'help , TOPIC ( ) invent fern ? lily'],
    ['a pointer to nothing', 'help , TOPIC ( SLOT = it ) ok fern ? lily'],
    ['marks in a request', 'help ? lily ( fern )'],
    ['JSON', '{"system": "help"}'],
    ['a marker', 'help ? lily <|im_end|>'],
    ['four requests', 'help ? lily , ? fern , ? mint , ? olive'],
  ])('with %s is refused', (_, text) => {
    const { brief } = calling();
    const [tool] = brief.view.tools;
    const slot = Object.keys(tool?.parameters['properties'] as object)[0] ?? '';
    expect(words.task.read(text.replace('TOPIC', tool?.description ?? '').replace('SLOT', slot), brief)).toMatchObject({ ok: false });
  });
});

describe('any text at all', () => {
  const text = fc.array(fc.oneof(fc.constantFrom(...lexicon, '__proto__', 'constructor'), fc.string({ maxLength: 12 })), { maxLength: 40 });
  test('is read or refused, and never throws', () => {
    const { brief, task } = calling();
    const [call] = task.expectedCalls;
    const tool = task.tools.find(({ name }) => name === call?.name) as ToolSpec;
    const judged = { view: { task, turns: [], world: task.world }, criteria: ['intent', 'concise'] as const };
    const user = { persona: task.persona, intent: task.intent, conversation: [] };
    fc.assert(
      fc.property(text, (parts) => {
        const said = parts.join(' ');
        words.task.read(said, brief);
        words.user.read(said, user);
        words.judge.read(said, judged);
        words.tool.read(said, { tool, call: call as NonNullable<typeof call>, world: task.world });
        expect(Object.prototype).not.toHaveProperty('polluted');
      }),
    );
  });

  test('that a million words long is refused at once', () => {
    const { brief } = calling();
    expect(words.task.read('help '.repeat(1_000_000), brief).ok).toBe(false);
  });
});

describe('a deed becomes a patch', () => {
  const tool = (effects: ToolSpec['effects']): ToolSpec => ({
    name: 'x',
    description: 'schedule',
    parameters: { type: 'object', properties: { person: { type: 'string' }, day: { type: 'string' } }, required: ['person', 'day'] },
    returns: { type: 'string', description: 'code' },
    effects,
    category: 'calendar',
    source: 'test',
  });
  const call = { name: 'x', arguments: { person: 'anna', day: 'fern' } };
  const worldOf = (...records: Record<string, string>[]): World => ({
    entities: { calendar: Object.fromEntries(records.map((record, index) => [`r${index + 1}`, record])) },
    occurrences: {},
  });
  const after = (text: string, world: World, effects: ToolSpec['effects'] = 'write') => {
    const reading = words.tool.read(text, { tool: tool(effects), call, world });
    return reading.ok ? applyPatch(world, reading.answer.patch).entities['calendar'] : reading.complaint;
  };

  test('append fills the blank record that holds the value, or makes one', () => {
    expect(after('append mint', worldOf({ code: 'olive' }, { code: 'mint' }))).toEqual({
      r1: { code: 'olive' },
      r2: { code: 'mint', person: 'anna', day: 'fern' },
    });
    expect(after('append mint', worldOf())).toEqual({ n1: { person: 'anna', day: 'fern', code: 'mint' } });
  });

  test('change overwrites the record found by its first required parameter', () => {
    expect(after('change mint', worldOf({ person: 'boris', code: 'opal' }, { person: 'anna', code: 'mint' }))).toMatchObject({
      r2: { person: 'anna', day: 'fern', code: 'mint' },
    });
    expect(after('change mint', worldOf({ person: 'boris', code: 'mint' }))).toMatch('no record');
  });

  test('remove deletes the record that holds all that is required', () => {
    expect(after('remove mint', worldOf({ person: 'anna', day: 'fern', code: 'mint' }, { person: 'anna', code: 'x' }))).toEqual({
      r2: { person: 'anna', code: 'x' },
    });
  });

  test('a look-up leaves the world as it is, and a reading tool may do nothing else', () => {
    const world = worldOf({ person: 'anna', day: 'fern', code: 'mint' });
    expect(after('ok mint', world, 'read')).toEqual(world.entities['calendar']);
    expect(after('remove mint', world, 'read')).toMatch('changes nothing');
    expect(after('ok mint', world)).toMatch('changes something');
  });
});
