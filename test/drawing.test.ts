/** The tasks of a step, written by a language model: each sound, no two alike, none about what is held out, the same whoever was first; and what becomes of those that nobody can write. */
import { describe, expect, test } from 'vitest';
import { drawTasks, heldOutTasks, leakGuard } from '../src/actors/drawing.ts';
import { EngineFault, TaskFault } from '../src/errors.ts';
import { aspectsAt, type Drawn, startOf, trustee } from '../src/learning/curriculum.ts';
import { type PolicyVersion, stepId, taskId, type TaskId } from '../src/protocol/ids.ts';
import type { ChatRequest } from '../src/protocol/inference.ts';
import type { Task } from '../src/protocol/task.ts';
import { seedOf, stream } from '../src/random.ts';
import { Sayings } from '../src/simulation/lm/similarity.ts';
import { solutionOf } from '../src/simulation/procedural/solution.ts';
import { brainChat, drawingWith, writtenConfig } from './support/writers.ts';

const { signal } = new AbortController();
const none: ReadonlyMap<TaskId, Task> = new Map();
const version = 0 as PolicyVersion;
const draws = (count: number, difficulty: (n: number) => number): Drawn[] =>
  Array.from({ length: count }, (_, n) => ({
    state: startOf(trustee),
    difficulty: difficulty(n),
    aspects: aspectsAt(difficulty(n), stream(seedOf('drawn', n)), 0.5),
  }));
const drawn = draws(6, () => 40);

/** A writer whose users all begin alike as long as `alike` says so; `delays`: how many ticks a reply takes. */
function rambling(alike: (request: ChatRequest) => boolean, delays: (request: ChatRequest) => number = () => 0) {
  const right = brainChat();
  const talk = 'um please well actually basically anyway just really okay hello thanks sorry';
  return async (request: ChatRequest, abort: AbortSignal) => {
    for (let n = delays(request); n > 0; n--) await Promise.resolve();
    const reply = await right(request, abort);
    if (request.role !== 'task' || !alike(request)) return reply;
    return { ...reply, text: reply.text.replace('"requests":["', `"requests":["${talk} `) };
  };
}

describe('a step', () => {
  test('gets sound tasks: 60 over all difficulties, each rehearsed, and what the rehearsal showed is the truth', async () => {
    const config = writtenConfig({ seed: 3 });
    const { ports, health } = drawingWith(config, brainChat());
    const wide = draws(60, (n) => 1 + ((n * 17) % 100));
    const tasks = await drawTasks(config, ports, stepId(1), wide, none, version, signal);
    expect(tasks).toHaveLength(60);
    for (const [n, task] of tasks.entries()) {
      expect(task.difficulty).toBe(wide[n]?.difficulty);
      expect(task.rehearsal?.length ?? 0).toBe(task.expectedCalls.length);
      const { rehearsal: _, ...unrehearsed } = task;
      const truth = solutionOf(unrehearsed).results;
      expect(task.rehearsal?.map(({ status, result }) => ({ status, result })) ?? []).toEqual(
        truth.map(({ status, result }) => ({ status, result })),
      );
    }
    expect(health.health.roles.task).toMatchObject({ masked: 0 });
  });

  test('gets none that is rehearsed where the config says so', async () => {
    const config = writtenConfig({ seed: 3, simulation: { rehearse: false } });
    const { ports, health } = drawingWith(config, brainChat());
    const tasks = await drawTasks(config, ports, stepId(1), drawn, none, version, signal);
    expect(tasks.filter(({ rehearsal }) => rehearsal !== undefined)).toEqual([]);
    expect(health.health.roles.tool).toMatchObject({ asks: 0, calls: 0 });
  });

  test('gets tasks in spite of a writer that garbles every fifth reply, and says how many were refused', async () => {
    const config = writtenConfig({ seed: 4 });
    const { ports, health } = drawingWith(config, brainChat({ malformed: 0.2, hanging: 0.02 }));
    const tasks = await drawTasks(
      config,
      ports,
      stepId(1),
      draws(40, (n) => 1 + n * 2),
      none,
      version,
      signal,
    );
    expect(tasks).toHaveLength(40);
    expect(health.health.roles.task?.defects.malformed).toBeGreaterThan(2);
    expect(health.health.roles.task?.repaired).toBeGreaterThan(2);
  });

  test('leaves alone what was issued before', async () => {
    const config = writtenConfig();
    const before = await drawTasks(config, drawingWith(config, brainChat()).ports, stepId(1), drawn, none, version, signal);
    const asked: ChatRequest[] = [];
    const { ports } = drawingWith(config, (request) => {
      asked.push(request);
      return Promise.reject(new EngineFault('nobody there', { trouble: 'refused' }));
    });
    const taken = new Map(before.map((task) => [task.id, task]));
    expect(await drawTasks(config, ports, stepId(1), drawn, taken, version, signal)).toEqual(before);
    expect(asked).toEqual([]);
  });
});

describe('a task that nobody can write', () => {
  const config = writtenConfig({ simulation: { redraws: 2 } });

  test('is drawn anew with other tools and seeds, and the same difficulty', async () => {
    const prompts: ChatRequest[] = [];
    const right = brainChat();
    const { ports, health } = drawingWith(config, (request, abort) => {
      if (request.role !== 'task') return right(request, abort);
      prompts.push(request);
      return prompts.length <= 6 ? Promise.resolve({ id: request.id, text: 'no', finish: 'stop', model: 'm' }) : right(request, abort);
    });
    const [task] = await drawTasks(config, ports, stepId(1), drawn.slice(0, 1), none, version, signal);
    expect(task).toMatchObject({ difficulty: 40, aspects: drawn[0]?.aspects });
    expect(prompts).toHaveLength(7);
    const data = prompts.map(({ messages }) => messages.map(({ content }) => content).join());
    expect(new Set([data[0], data[3], data[6]]).size).toBe(3);
    expect(new Set(prompts.map(({ seed }) => seed)).size).toBe(7);
    expect(health.health.roles.task).toMatchObject({ asks: 3, calls: 7, masked: 2, defects: { malformed: 6 } });
  });

  test('is left out where most can be written, in training and in examinations, and counted', async () => {
    const config = writtenConfig({ simulation: { redraws: 1 }, eval: { tasks: 4 }, rollout: { tasks: 2 } });
    const right = brainChat();
    const mute = (which: RegExp) => async (request: ChatRequest, abort: AbortSignal) => {
      const reply = await right(request, abort);
      return request.role === 'task' && which.test(request.group) ? { ...reply, text: 'no' } : reply;
    };
    const { ports, health } = drawingWith(config, mute(/t001/));
    expect((await drawTasks(config, ports, stepId(1), drawn, none, version, signal)).map(({ id }) => id)).toEqual(
      [0, 2, 3, 4, 5].map((n) => taskId(stepId(1), n)),
    );
    expect(health.health.roles.task?.masked).toBe(2);
    expect(await heldOutTasks(config, ports, 40, signal)).toHaveLength(3);
    const worse = drawingWith(config, mute(/t00[1-5]/)).ports;
    await expect(drawTasks(config, worse, stepId(1), drawn, none, version, signal)).rejects.toThrow(TaskFault);
    await expect(heldOutTasks(config, worse, 40, signal)).rejects.toThrow(TaskFault);
  });

  test('ends the run in the end, with the reasons counted', async () => {
    const { ports } = drawingWith(config, (request) => Promise.resolve({ id: request.id, text: 'no', finish: 'stop', model: 'm' }));
    const drawing = drawTasks(config, ports, stepId(1), drawn.slice(0, 1), none, version, signal);
    await expect(drawing).rejects.toThrow(TaskFault);
    await expect(drawing).rejects.toThrow(
      /s00001\S* could not be written, 3 sets of tools tried: 3 × task writer: unreadable after 3 attempts/,
    );
  });

  test('is drawn anew after a model that stays silent, but not where there is no engine', async () => {
    let calls = 0;
    const right = brainChat();
    const silent = drawingWith(config, (request, abort) =>
      ++calls <= 3 ? Promise.reject(new EngineFault('nothing', { trouble: 'stalled' })) : right(request, abort),
    );
    expect(await drawTasks(config, silent.ports, stepId(1), drawn.slice(0, 1), none, version, signal)).toHaveLength(1);
    const gone = drawingWith(config, () => Promise.reject(new EngineFault('gone', { trouble: 'absent' })));
    await expect(drawTasks(config, gone.ports, stepId(1), drawn.slice(0, 1), none, version, signal)).rejects.toThrow(EngineFault);
  });
});

describe('two tasks that ask nearly the same', () => {
  const config = writtenConfig({ simulation: { duplicates: 0.6, redraws: 3 } });
  test('are told apart in their order, whichever was written first', async () => {
    const results = await Promise.all(
      ['t000', 't005'].map(async (slow) => {
        const chat = rambling(
          () => true,
          ({ group }) => (group.endsWith(slow) ? 50 : 0),
        );
        const { ports, health } = drawingWith(config, chat, { said: new Sayings() });
        const tasks = await drawTasks(config, ports, stepId(1), drawn, none, version, signal);
        return { tasks, duplicates: health.health.roles.task?.defects.duplicate ?? 0 };
      }),
    );
    expect(results[0]).toEqual(results[1]);
    expect(results[0]?.duplicates).toBeGreaterThan(0);
  });

  test('differ in the end where the writer can do otherwise, also from those of earlier steps', async () => {
    const said = new Sayings();
    const asked = new Set<string>();
    const isFirst = ({ group }: ChatRequest): boolean => asked.size < asked.add(group).size;
    const { ports, health } = drawingWith(config, rambling(isFirst), { said });
    const first = await drawTasks(config, ports, stepId(1), drawn, none, version, signal);
    const second = await drawTasks(config, ports, stepId(2), drawn, none, version, signal);
    const seen = new Sayings();
    for (const { query } of [...first, ...second]) {
      expect(seen.distance(query)).toBeGreaterThanOrEqual(0.6);
      seen.add(query);
    }
    expect(health.health.roles.task?.defects.duplicate).toBeGreaterThan(5);
  });

  test('are kept where there is nothing else to ask, and counted', async () => {
    const strict = writtenConfig({ simulation: { duplicates: 1, redraws: 2 } });
    const { ports, health } = drawingWith(strict, brainChat(), { said: new Sayings() });
    const tasks = await drawTasks(strict, ports, stepId(1), drawn.slice(0, 2), none, version, signal);
    expect(tasks).toHaveLength(2);
    expect(health.health.roles.task?.defects.duplicate).toBe(3);
  });

  test('are known after a resume from what was said', async () => {
    const draw = async (said: Sayings) => {
      const { ports } = drawingWith(config, brainChat(), { said });
      return drawTasks(config, ports, stepId(2), drawn, none, version, signal);
    };
    const { ports } = drawingWith(config, brainChat(), { said: new Sayings() });
    const first = await drawTasks(config, ports, stepId(1), drawn, none, version, signal);
    expect(await draw(new Sayings(first.map(({ query }) => query)))).toEqual(await draw(ports.said as Sayings));
  });
});

describe('what is held out', () => {
  test('is not named by a training task: it is drawn anew, and counted as a leak', async () => {
    const config = writtenConfig({ simulation: { redraws: 2 } });
    const right = brainChat();
    let told = 0;
    const { ports, health } = drawingWith(config, async (request, abort) => {
      const reply = await right(request, abort);
      const names = ports.repository.categories.heldOut.values().next().value?.[0]?.name ?? '';
      if (request.role !== 'task' || told++ > 0) return reply;
      return { ...reply, text: reply.text.replace('"summary":"', `"summary":"as ${names} does, `) };
    });
    await drawTasks(config, ports, stepId(1), drawn.slice(0, 1), none, version, signal);
    expect(health.health.roles.task?.defects).toEqual({ leak: 1 });
  });

  test('is written by whoever writes, and shares no tool with training', async () => {
    const config = writtenConfig({ eval: { tasks: 6 } });
    const { ports } = drawingWith(config, brainChat());
    const [training, heldOut] = [
      await drawTasks(config, ports, stepId(1), drawn, none, version, signal),
      await heldOutTasks(config, ports, 40, signal),
    ];
    expect(heldOut).toHaveLength(6);
    expect(() => leakGuard(heldOut)(training)).not.toThrow();
    expect(() => leakGuard(heldOut)(heldOut)).toThrow(TaskFault);
  });
});

describe('the distance of queries', () => {
  test('is 0 to itself, 1 to the unlike, and in between as pieces are shared', () => {
    const said = new Sayings(['book a table for four']);
    expect(said.distance('Book a table, for FOUR!')).toBe(0);
    expect(said.distance('xyz')).toBe(1);
    expect(said.distance('book a table for five')).toBeGreaterThan(0.1);
    expect(said.distance('book a table for five')).toBeLessThan(0.5);
    expect(new Sayings().distance('anything')).toBe(1);
  });

  test('is that of the two sets of pieces', () => {
    const pieces = (text: string): Set<string> =>
      new Set(Array.from({ length: Math.max(0, text.length - 2) }, (_, at) => text.slice(at, at + 3)));
    const texts = ['abcabd', 'abcd', 'bcdefg', 'the cat sat', 'the cat sits', 'on the mat'];
    for (const one of texts)
      for (const other of texts) {
        const [a, b] = [pieces(one), pieces(other)];
        const common = [...a].filter((piece) => b.has(piece)).length;
        expect(new Sayings([other]).distance(one)).toBeCloseTo(1 - common / (a.size + b.size - common), 12);
      }
  });
});
