/** A written task is played once before it counts: what its rehearsal must show, what the writer is told where it shows something else, and what the task is afterwards. */
import { describe, expect, test } from 'vitest';
import { simulatedClock } from '../src/actors/clock.ts';
import { HealthCount } from '../src/actors/health.ts';
import { weigh } from '../src/actors/rehearsal.ts';
import { tryTask, type WriteJob, type WritePorts } from '../src/actors/task.ts';
import { EngineFault } from '../src/errors.ts';
import { replay } from '../src/machines/replay.ts';
import type { RecordedEvent } from '../src/protocol/frame.ts';
import { type PolicyVersion, stepId, taskId } from '../src/protocol/ids.ts';
import type { ChatReply, ChatRequest } from '../src/protocol/inference.ts';
import type { JsonValue } from '../src/protocol/json.ts';
import { Task } from '../src/protocol/task.ts';
import type { ToolTurn } from '../src/protocol/turn.ts';
import type { TaskView, ToolAnswer, ToolView } from '../src/simulation/contract.ts';
import { chatSimulator, scriptedJob, scriptedPorts, scriptedSimulator, scriptedTask, settle } from './support/scripted.ts';

const { signal } = new AbortController();

/** Find a restaurant, then book the one that was found. */
const dinner = (changes: Partial<Task> = {}): Task =>
  scriptedTask({
    tools: [
      {
        name: 'find_place',
        description: 'finds a restaurant',
        parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        effects: 'read',
        category: 'food',
        source: 'test',
      },
      {
        name: 'book_place',
        description: 'books a table',
        parameters: {
          type: 'object',
          properties: { place: { type: 'string' }, guests: { type: 'integer' } },
          required: ['place', 'guests'],
        },
        effects: 'write',
        category: 'food',
        source: 'test',
      },
    ],
    system: 'You book tables.',
    persona: 'an expert',
    intent: { summary: 'dinner in Rome', requests: ['Find a restaurant in Rome and book it for four.'], facts: {} },
    query: 'Find a restaurant in Rome and book it for four.',
    expectedCalls: [
      { name: 'find_place', arguments: { city: 'Rome' }, needs: [], turn: 0 },
      { name: 'book_place', arguments: { place: 'p-17', guests: 4 }, needs: [0], turn: 0 },
    ],
    world: { entities: { places: { a: { id: 'p-17', city: 'Rome' } } }, occurrences: {} },
    maxTurns: 6,
    ...changes,
  });

const found = { id: 'p-17', name: 'Lucia' };
const put: ToolTurn['patch'] = [{ op: 'put', collection: 'bookings', id: 'b1', record: { place: 'p-17' } }];
/** The answer to the n-th expected call. */
const answered = (task: Task, n: number, result: JsonValue, changes: Partial<ToolTurn> = {}): ToolTurn => {
  const { name, arguments: args } = task.expectedCalls[n] as Task['expectedCalls'][number];
  return { role: 'tool', call: { name, arguments: args }, status: 'ok', result, patch: [], ...changes };
};
const busy = (task: Task, n: number): ToolTurn => answered(task, n, null, { status: 'transient' });

describe('a rehearsal', () => {
  const task = dinner();
  const first = answered(task, 0, found);
  const second = answered(task, 1, 'done', { patch: put });

  test('goes on call by call, and proves the task with what was answered', () => {
    expect(weigh(task, [first])).toEqual({ type: 'task.goOn' });
    const proven = weigh(task, [first, second]);
    expect(proven).toEqual({
      type: 'task.proven',
      task: {
        ...task,
        rehearsal: [
          { status: 'ok', result: found, patch: [] },
          { status: 'ok', result: 'done', patch: put },
        ],
      },
    });
    expect(() => Task.parse(proven.type === 'task.proven' ? proven.task : null)).not.toThrow();
  });

  test('finds out which results later arguments come from, whatever the writer believed', () => {
    const wrong = dinner({ expectedCalls: task.expectedCalls.map((call) => ({ ...call, needs: [] })) });
    expect(weigh(wrong, [first, second])).toMatchObject({ task: { expectedCalls: [{ needs: [] }, { needs: [0] }] } });
  });

  test('asks a busy tool again, three times, and gives the agent the turns this takes', () => {
    expect(weigh(task, [busy(task, 0)])).toEqual({ type: 'task.goOn' });
    const proven = weigh(task, [busy(task, 0), busy(task, 0), first, busy(task, 1), second]);
    expect(proven).toMatchObject({ type: 'task.proven', task: { maxTurns: 9, rehearsal: [{ result: found }, { result: 'done' }] } });
    expect(weigh(task, [first, ...Array.from({ length: 4 }, () => busy(task, 1))])).toMatchObject({
      type: 'task.refuted',
      complaint: 'call 2 is answered busy 4 times',
    });
  });

  test('takes the end of a task for a thing that does not exist, where there are things that do', () => {
    const missing = answered(task, 1, null, { status: 'notFound' });
    expect(weigh(task, [first, missing])).toMatchObject({ type: 'task.proven' });
    const empty = dinner({ world: { entities: {}, occurrences: {} } });
    expect(weigh(empty, [first, missing])).toMatchObject({
      type: 'task.refuted',
      defect: 'unsolvable',
      complaint: 'call 2 (book_place) finds nothing: the records must hold what it looks for',
    });
  });

  test('knows the answer to a question about a single value', () => {
    const asking = dinner({ intent: { ...task.intent, requests: [...task.intent.requests, 'What came of it?'] } });
    expect(weigh(asking, [first, second])).toMatchObject({ task: { expectedAnswer: 'done' } });
    expect(weigh({ ...asking, expectedAnswer: 'refused' }, [first, second])).toMatchObject({
      type: 'task.refuted',
      complaint: 'the answer "refused" is not in what the last call returns: "done"',
    });
    expect(weigh(asking, [first, answered(task, 1, null, { status: 'notFound' })])).toMatchObject({ type: 'task.refuted' });
  });

  test.each<[string, readonly ToolTurn[], RegExp]>([
    ['a look-up in the middle finds nothing', [answered(task, 0, null, { status: 'notFound' })], /call 1 .find_place. finds nothing/],
    ['a look-up returns nothing', [answered(task, 0, [])], /call 1 .find_place. returns nothing/],
    ['a change changes nothing', [first, answered(task, 1, 'done')], /call 2 .book_place. changes nothing/],
    [
      'a change only counts',
      [first, answered(task, 1, 'done', { patch: [{ op: 'count', key: 'k' }] })],
      /call 2 .book_place. changes nothing/,
    ],
    [
      'an argument comes from no result',
      [answered(task, 0, { id: 'p-9' }), second],
      /place = "p-17" of call 2 .book_place. is said by nobody and returned by no earlier call; they returned \{"id":"p-9"\}/,
    ],
  ])('refutes a task where %s', (_, answers, complaint) => {
    expect(weigh(task, answers)).toMatchObject({ type: 'task.refuted', complaint: expect.stringMatching(complaint) as string });
  });
});

describe('the writer', () => {
  const view = { id: taskId(stepId(1), 0) } as TaskView;
  const job: WriteJob = { view, seed: 1, attempts: 3, deadlineMs: 500, version: 0 as PolicyVersion };

  /** The writer writes these tasks, one a prompt; the tools answer by `tool`. */
  function writing(
    tasks: readonly (Task | string)[],
    tool: (view: ToolView, attempt: number) => ToolAnswer | string | Error,
    chat?: WritePorts['chat'],
  ) {
    const prompts: ChatRequest[] = [];
    const events: RecordedEvent[] = [];
    const clock = simulatedClock();
    const health = new HealthCount(['task', 'tool']);
    const speaks = (request: ChatRequest): Promise<ChatReply> => {
      const written = tasks[prompts.push(request) - 1] ?? 'nothing more';
      const text = typeof written === 'string' ? written : JSON.stringify(written);
      return Promise.resolve({ id: request.id, text, finish: 'stop', model: 'm' });
    };
    const { simulators } = scriptedPorts(undefined, { tool: scriptedSimulator('tool', tool) });
    const ports: WritePorts = {
      writer: chatSimulator('task', (_, complaints) => complaints.join('\n')),
      chat: chat ?? speaks,
      clock,
      health,
      record: (more) => events.push(...more),
      rehearsal: {
        simulators,
        job: (task) => scriptedJob({ task, deadlines: { turnMs: 100, episodeMs: 1000, groupMs: 1000 } }),
        deadlineMs: 300,
      },
    };
    return { prompts, events, clock, health, done: tryTask(job, ports, signal) };
  }
  const tools = ({ call }: ToolView): ToolAnswer =>
    call.name === 'find_place' ? { status: 'ok', observation: found, patch: [] } : { status: 'ok', observation: 'done', patch: put };
  const lost = dinner({
    expectedCalls: dinner().expectedCalls.map((call, index) => (index === 0 ? call : { ...call, arguments: { place: 'p-3', guests: 4 } })),
  });

  test('is told why its task could not be rehearsed, and writes another', async () => {
    const { prompts, events, health, done, clock } = writing([lost, dinner()], tools);
    const { task } = await done;
    expect(task?.rehearsal?.map(({ result }) => result)).toEqual([found, 'done']);
    expect(prompts.map(({ messages }) => messages[0]?.content)).toEqual(['', expect.stringContaining('place = "p-3"') as string]);
    expect(new Set(prompts.map(({ seed }) => seed)).size).toBe(2);
    expect(health.health.roles.task).toMatchObject({ asks: 1, calls: 2, repaired: 1, masked: 0, defects: { ungrounded: 1 } });
    expect(replay(events).divergence).toBeNull();
    expect(events.some(({ actor, event }) => actor.endsWith('/tool') && event.type === 'tool.call')).toBe(true);
    expect(clock.armed).toBe(0);
  });

  test('gives up after as many prompts as one question may cost', async () => {
    const { prompts, health, done } = writing([lost, 'no task', lost], tools);
    expect(await done).toMatchObject({
      task: null,
      fault: { kind: 'TaskFault', message: expect.stringMatching(/not rehearsable after 3/) as string },
    });
    expect(prompts).toHaveLength(3);
    expect(health.health.roles.task).toMatchObject({ calls: 3, repaired: 0, masked: 1, defects: { ungrounded: 2, malformed: 1 } });
  });

  test('hears of a call that no tool could answer, and is asked for another task', async () => {
    let asked = 0;
    const { prompts, done } = writing([dinner(), dinner()], (view) => (++asked <= 3 ? 'garbage' : tools(view)));
    expect((await done).task).not.toBeNull();
    expect(prompts[1]?.messages[0]?.content).toMatch(/a call could not be answered: tool: unreadable after 3 attempts/);
  });

  test('is not blamed for a tool that never answers: the rehearsal ends at its deadline', async () => {
    const { clock, done } = writing([dinner()], tools, (request) =>
      Promise.resolve({ id: request.id, text: JSON.stringify(dinner()), finish: 'stop', model: 'm' }),
    );
    // Tools that code plays answer at once; these are asked over a chat that is silent.
    expect((await done).task).not.toBeNull();
    const silent = scriptedPorts(undefined, { tool: chatSimulator('tool', () => 'x') });
    let asked = 0;
    const second = tryTask(
      job,
      {
        writer: chatSimulator('task', () => 'write'),
        chat: (request) =>
          asked++ === 0
            ? Promise.resolve({ id: request.id, text: JSON.stringify(dinner()), finish: 'stop', model: 'm' })
            : new Promise(() => undefined),
        clock,
        record: () => undefined,
        rehearsal: {
          simulators: silent.simulators,
          job: (task) => scriptedJob({ task, deadlines: { turnMs: 1000, episodeMs: 1000, groupMs: 1000 } }),
          deadlineMs: 300,
        },
      },
      signal,
    );
    await settle();
    clock.advance(300);
    expect(await second).toMatchObject({
      task: null,
      fault: { kind: 'TaskFault', message: expect.stringContaining('rehearsal deadline') as string },
    });
    expect(clock.armed).toBe(0);
  });

  test('is not asked again where the engine is what failed', async () => {
    const broken = scriptedPorts(undefined, { tool: chatSimulator('tool', () => 'x') });
    let asked = 0;
    const { fault } = await tryTask(
      job,
      {
        writer: chatSimulator('task', () => 'write'),
        chat: (request) =>
          asked++ === 0
            ? Promise.resolve({ id: request.id, text: JSON.stringify(dinner()), finish: 'stop', model: 'm' })
            : Promise.reject(new EngineFault('gone', { trouble: 'refused' })),
        clock: simulatedClock(),
        record: () => undefined,
        rehearsal: { simulators: broken.simulators, job: (task) => scriptedJob({ task }), deadlineMs: 300 },
      },
      signal,
    );
    expect(fault).toMatchObject({ kind: 'EngineFault' });
    expect(asked).toBe(2);
  });

  test('of a task without calls is not rehearsed', async () => {
    const { done, events } = writing([dinner({ branch: 'answer', expectedCalls: [] })], tools);
    expect((await done).task).not.toHaveProperty('rehearsal');
    expect(events.some(({ actor }) => actor.endsWith('/tool'))).toBe(false);
  });
});
