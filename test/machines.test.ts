/** The charts themselves: how they read, that no wait is without an end, and that no order of events leads them astray. */
import fc from 'fast-check';
import { createActor, fromPromise, initialTransition, transition } from 'xstate';
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, EventObject } from 'xstate';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { rewardOf } from '../src/learning/reward.ts';
import { curriculumMachine } from '../src/machines/curriculum.ts';
import { outcomeOfFault } from '../src/machines/episode.ts';
import type { EpisodeOutput } from '../src/machines/episode.ts';
import { experimentMachine } from '../src/machines/experiment.ts';
import type { ExperimentInput, StepInput, Updated } from '../src/machines/experiment.ts';
import { stateHash } from '../src/machines/hash.ts';
import { charts } from '../src/machines/replay.ts';
import { textOf } from '../src/machines/text.ts';
import { Fault } from '../src/protocol/fault.ts';
import type { PolicyVersion } from '../src/protocol/ids.ts';
import { settle, verdict } from './support/scripted.ts';

const all: Record<string, AnyStateMachine> = { ...charts, curriculum: curriculumMachine };
const names = Object.keys(all);

const statesOf = (node: AnyStateNode): AnyStateNode[] => Object.values(node.states).flatMap((state) => [state, ...statesOf(state)]);
const leaves = (machine: AnyStateMachine): AnyStateNode[] =>
  statesOf(machine.root).filter((state) => state.type === 'atomic' && (state.always ?? []).length === 0);
const lineage = (state: AnyStateNode): AnyStateNode[] => [state, ...(state.parent === undefined ? [] : lineage(state.parent))];
const metaOf = (state: AnyStateNode): { deadline?: string; idle?: boolean } =>
  lineage(state)
    .map(({ meta }) => meta as object | undefined)
    .find((meta) => meta !== undefined) ?? {};

test.each(names)('the chart "%s" reads as written down in test/golden', async (name) => {
  await expect(textOf(all[name] as AnyStateMachine)).toMatchFileSnapshot(`golden/${name}.txt`);
});

describe.each(names)('in the chart "%s"', (name) => {
  const machine = all[name] as AnyStateMachine;

  test('every state that waits names its deadline, or says that it may wait for ever', () => {
    const nameless = leaves(machine).filter((state) => metaOf(state).deadline === undefined && metaOf(state).idle !== true);
    expect(nameless.map(({ id }) => id)).toEqual([]);
  });

  test('every deadline has an exit', () => {
    const stuck = leaves(machine).filter(
      (state) =>
        metaOf(state).deadline !== undefined &&
        !lineage(state).some((each) => each.transitions.get('deadline.expired')?.some(({ target }) => target !== undefined)),
    );
    expect(stuck.map(({ id }) => id)).toEqual([]);
  });

  test('no timer of the library is used, since it does not survive a restart', () => {
    expect(statesOf(machine.root).flatMap((state) => (state.config.after === undefined ? [] : [state.id]))).toEqual([]);
  });

  test('states, guards, actions and ports are names, so that the chart can be read without its code', () => {
    expect(textOf(machine)).not.toContain('inline');
  });
});

test('a state hash is the beginning of the sha256 of its canonical JSON', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.dictionary(fc.stringMatching(/^[a-z]{1,40}$/), fc.string(), { minKeys: 1, maxKeys: 4 })),
      (value) => {
        const text =
          typeof value === 'string'
            ? JSON.stringify(value)
            : `{${Object.keys(value)
                .sort()
                .map((key) => `${JSON.stringify(key)}:${JSON.stringify(value[key])}`)
                .join(',')}}`;
        expect(stateHash(value)).toBe(createHash('sha256').update(text).digest('hex').slice(0, 8));
      },
    ),
  );
});

describe('whatever the order of events', () => {
  const fault = { kind: 'SimulatorFault', message: 'x' } as const;
  const calls = [
    { name: 'a', arguments: {} },
    { name: 'b', arguments: {} },
  ];
  const turn = (changes: object) => ({ role: 'agent', thought: '', text: '', calls: [], ...changes });
  const observed = { role: 'tool', call: calls[0], status: 'ok', result: 1, patch: [] };
  const pool: EventObject[] = [
    { type: 'episode.said', turn: turn({ text: 'hi' }) } as EventObject,
    { type: 'episode.said', turn: turn({ calls }) } as EventObject,
    { type: 'episode.said', turn: turn({}) } as EventObject,
    { type: 'episode.said', turn: turn({ malformed: { raw: 'x', reason: 'y' } }) } as EventObject,
    { type: 'episode.overflowed', length: 9 } as EventObject,
    { type: 'episode.replied', turn: { role: 'user', text: 'x' }, done: false } as EventObject,
    { type: 'episode.replied', turn: { role: 'user', text: '' }, done: true } as EventObject,
    { type: 'episode.observed', turn: observed } as EventObject,
    { type: 'episode.observed', turn: observed } as EventObject,
    { type: 'episode.ruled', verdict: verdict(1) } as EventObject,
    ...(['agent', 'user', 'tool', 'judge'] as const).map((role) => ({ type: 'episode.faulted', role, fault }) as EventObject),
    { type: 'episode.cancel', reason: 'x' } as EventObject,
    { type: 'deadline.expired', deadline: 'episode' } as EventObject,
  ];
  const input = { id: 'e', member: 0, attempt: 1, query: 'q', maxTurns: 3, world: { entities: {}, occurrences: {} }, askAttempts: 2 };
  const known = new Set(['acting', 'calling', 'listening', 'judging', 'done']);

  test('an episode is in a state that has a name, ends once, and a fault in it never makes a number', () => {
    // Deadly events are rare in the draw, or few episodes would get far.
    const event = fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(...pool.slice(0, 10)) },
      { weight: 1, arbitrary: fc.constantFrom(...pool.slice(10)) },
    );
    let ended = 0;
    fc.assert(
      fc.property(fc.array(event, { minLength: 5, maxLength: 30 }), (events) => {
        let [snapshot] = initialTransition(charts['episode'] as AnyStateMachine, input) as unknown as [AnyMachineSnapshot];
        for (const each of events) {
          [snapshot] = transition(charts['episode'] as AnyStateMachine, snapshot, each) as unknown as [AnyMachineSnapshot];
          expect(known.has(snapshot.value as string)).toBe(true);
          if (snapshot.status !== 'active') break;
        }
        if (snapshot.status !== 'done') return;
        ended++;
        const { outcome } = snapshot.output as EpisodeOutput;
        const reward = rewardOf(outcome);
        if (['simulatorFault', 'judgeFault', 'infraFault'].includes(outcome.kind)) expect(reward).toBeNull();
        expect(outcome).not.toMatchObject({ reason: 'not ended' });
        // What comes after the end changes nothing.
        const [after] = transition(charts['episode'] as AnyStateMachine, snapshot, pool[9] as EventObject) as unknown as [
          AnyMachineSnapshot,
        ];
        expect(after.output).toEqual(snapshot.output);
      }),
      { numRuns: 300 },
    );
    expect(ended).toBeGreaterThan(150);
  });

  test('an asked role answers or faults once per question and counts what comes late', () => {
    const answers: EventObject[] = [0, 1, 2].flatMap((ask) =>
      [0, 1].flatMap((attempt) => [
        { type: 'ask.read', ask, attempt, answer: { text: 'x', done: false } } as EventObject,
        { type: 'ask.unreadable', ask, attempt, complaint: 'c', raw: 'r' } as EventObject,
        { type: 'ask.fault', ask, attempt, fault } as EventObject,
      ]),
    );
    const event = fc.oneof(
      { weight: 3, arbitrary: fc.constant<EventObject>({ type: 'user.hear', said: ['x'] } as EventObject) },
      { weight: 8, arbitrary: fc.constantFrom(...answers) },
      { weight: 1, arbitrary: fc.constant<EventObject>({ type: 'deadline.expired', deadline: 'turn' } as EventObject) },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const machine = charts['user'] as AnyStateMachine;
        let [snapshot] = initialTransition(machine, { query: 'q', attempts: 2 }) as unknown as [AnyMachineSnapshot];
        for (const each of events) {
          const before = snapshot;
          [snapshot] = transition(machine, snapshot, each) as unknown as [AnyMachineSnapshot];
          const late = (s: AnyMachineSnapshot): number => (s.context as { late: number }).late;
          const moved = stateHash(before.value) !== stateHash(snapshot.value);
          // An answer either moves the chart or is counted as late; never both, never neither.
          if (each.type !== 'user.hear') expect(late(snapshot) - late(before)).toBe(moved ? 0 : 1);
          expect((snapshot.context as { complaints: string[] }).complaints.length).toBeLessThan(2);
        }
      }),
      { numRuns: 300 },
    );
  });
});

test('every kind of fault of every role ends without a reward', () => {
  for (const role of ['agent', 'user', 'tool', 'judge', 'task'] as const) {
    for (const kind of Fault.shape.kind.options) expect(rewardOf(outcomeOfFault(role, { kind, message: 'x' }))).toBeNull();
  }
});

describe('the experiment', () => {
  const input: ExperimentInput = {
    step: 1,
    version: 0 as PolicyVersion,
    difficulty: 1,
    lastStep: 2,
    evaluateBefore: true,
    evaluateAfter: true,
    evaluateEvery: 0,
  };

  function run(
    changes: Partial<ExperimentInput> = {},
    ports: Record<string, (input: StepInput & { ending?: string; when?: string }) => Promise<unknown>> = {},
  ) {
    const log: string[] = [];
    const port = (name: string, answer: (input: StepInput) => unknown = () => undefined) =>
      fromPromise<never, StepInput>(async ({ input: given }) => {
        log.push(
          `${name} ${given.step}${'when' in given ? ` ${String(given.when)}` : ''}${'ending' in given ? ` ${String(given.ending)}` : ''}`,
        );
        return (await (ports[name]?.(given) ?? answer(given))) as never;
      });
    const actor = createActor(
      experimentMachine.provide({
        actors: {
          prepare: port('prepare') as never,
          draw: port('draw') as never,
          roll: port('roll') as never,
          update: port('update', ({ version, difficulty }): Updated => ({
            trained: 8,
            version: (version + 1) as PolicyVersion,
            difficulty: difficulty + 3,
          })) as never,
          publish: port('publish') as never,
          rest: port('rest') as never,
          evaluate: port('evaluate') as never,
          checkpoint: port('checkpoint') as never,
        },
      }),
      { input: { ...input, ...changes } },
    );
    actor.subscribe({ error: () => undefined });
    actor.start();
    return { actor, log };
  }

  test('draws, rolls, updates and publishes step after step, measures before and after, and is done', async () => {
    const { actor, log } = run();
    await settle();
    expect(log).toEqual(
      'prepare 1,evaluate 1 before,draw 1,roll 1,update 1,publish 1,draw 2,roll 2,update 2,publish 2,evaluate 3 after,checkpoint 3 done'.split(
        ',',
      ),
    );
    expect(actor.getSnapshot()).toMatchObject({ value: 'done', output: { ending: 'done', version: 2, difficulty: 7, fault: null } });
  });

  test('a step that trained nothing keeps its version and publishes nothing', async () => {
    const { actor, log } = run({ lastStep: 1 }, { update: () => Promise.resolve({ trained: 0, version: 0, difficulty: 4 }) });
    await settle();
    expect(log).not.toContain('publish 1');
    expect(actor.getSnapshot().output).toMatchObject({ version: 0, difficulty: 4 });
  });

  test('measures every n-th step when asked to', async () => {
    const { log } = run({ lastStep: 4, evaluateEvery: 2, evaluateBefore: false, evaluateAfter: false });
    await settle();
    expect(log.filter((line) => line.startsWith('evaluate'))).toEqual(['evaluate 3 during']);
  });

  test('a spent budget ends the run after the step under way', async () => {
    const { actor, log } = run(
      { lastStep: null },
      { roll: ({ step }) => Promise.resolve(step === 2 ? actor.send({ type: 'budget.spent', budget: 'tokens' }) : undefined) },
    );
    await settle();
    expect(log.at(-3)).toBe('publish 2');
    expect(actor.getSnapshot().output).toMatchObject({ ending: 'budget' });
  });

  test('an interrupt while rolling cancels the step and checkpoints at once', async () => {
    let aborted = false;
    const { actor, log } = run({}, { roll: () => new Promise(() => undefined) });
    await settle();
    expect(actor.getSnapshot().value).toBe('rolling');
    const child = Object.values(actor.getSnapshot().children)[0];
    child?.subscribe({ complete: () => (aborted = true) });
    actor.send({ type: 'run.interrupt' });
    await settle();
    expect(aborted).toBe(true);
    expect(log.at(-1)).toBe('checkpoint 1 interrupted');
    expect(actor.getSnapshot()).toMatchObject({ value: 'interrupted', output: { ending: 'interrupted' } });
  });

  test('an interrupt while a step is being committed waits until it is', async () => {
    let commit: (updated: Updated) => void = () => undefined;
    const { actor, log } = run({}, { update: () => new Promise((resolve) => (commit = resolve as never)) });
    await settle();
    actor.send({ type: 'run.interrupt' });
    expect(actor.getSnapshot().value).toBe('updating');
    commit({ trained: 8, version: 1 as PolicyVersion, difficulty: 4 });
    await settle();
    expect(log.slice(-2)).toEqual(['publish 1', 'checkpoint 2 interrupted']);
  });

  test('a pause holds the run between two steps until it is resumed', async () => {
    const { actor, log } = run(
      {},
      { roll: ({ step }) => Promise.resolve(step === 1 ? actor.send({ type: 'run.pause', reason: 'too many faults' }) : undefined) },
    );
    await settle();
    expect(actor.getSnapshot().value).toBe('pausing');
    actor.send({ type: 'run.resume' });
    await settle();
    expect(log.at(-1)).toBe('checkpoint 3 done');
  });

  test.each(['prepare', 'draw', 'roll', 'update', 'publish', 'evaluate'])(
    'a failure of "%s" is checkpointed and ends the run with its fault',
    async (name) => {
      const { actor, log } = run({}, { [name]: () => Promise.reject(new Error('broken')) });
      await settle();
      expect(log.at(-1)).toMatch(/^checkpoint \d fault$/);
      expect(actor.getSnapshot()).toMatchObject({ value: 'failed', output: { ending: 'fault', fault: { message: 'broken' } } });
    },
  );

  test.each(['prepare', 'draw', 'roll', 'update', 'publish', 'evaluate', 'checkpoint'])(
    'silence of "%s" is ended by its deadline',
    async (name) => {
      const { actor } = run({ lastStep: 1 }, { [name]: () => new Promise(() => undefined) });
      await settle();
      actor.send({ type: 'deadline.expired', deadline: name });
      await settle();
      expect(actor.getSnapshot()).toMatchObject({ value: 'failed', output: { fault: { message: `no end before the ${name} deadline` } } });
    },
  );

  test('a chart whose port is not bound says which', async () => {
    const actor = createActor(experimentMachine, { input });
    actor.start();
    await settle();
    expect(actor.getSnapshot()).toMatchObject({ value: 'failed', output: { fault: { message: 'actor "checkpoint" is not bound' } } });
  });
});
