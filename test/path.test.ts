/** Steps along one path of states are XState's own. */
import fc from 'fast-check';
import { assign, createActor, createMachine } from 'xstate';
import type { AnyActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import { expect, test } from 'vitest';
import { pathSteps } from '../src/machines/path.ts';
import { charts } from '../src/machines/replay.ts';
import { verdict } from './support/scripted.ts';

const fault = { kind: 'SimulatorFault', message: 'x' } as const;
const call = { name: 'a', arguments: {} };
const said = (changes: object) => ({ type: 'episode.said', turn: { role: 'agent', thought: '', text: '', calls: [], ...changes } });
const observed = { role: 'tool', call, status: 'ok', result: 1, patch: [] };
const late = { type: 'deadline.expired', deadline: 'turn' };
const ids = Int32Array.of(8, 9);
const numbers = [1, 2, 3];
const asks = numbers.flatMap((ask) =>
  [0, 1].flatMap((attempt) => [
    {
      type: 'ask.read',
      ask,
      attempt,
      answer: { text: 'x', done: false, status: 'ok', observation: 1, patch: [], criteria: [], gates: [], reward: 1 },
    },
    { type: 'ask.unreadable', ask, attempt, complaint: 'c', raw: 'r' },
    { type: 'ask.fault', ask, attempt, fault },
  ]),
);
const world = { entities: {}, occurrences: {} };

/** Chart → its input and what it may be told. */
const stories: Record<string, { readonly input: object; readonly events: readonly EventObject[] }> = {
  episode: {
    input: { id: 'e', member: 0, attempt: 1, query: 'q', maxTurns: 3, world, askAttempts: 2 },
    events: [
      said({ text: 'hi' }),
      said({ calls: [call, call] }),
      said({}),
      said({ malformed: { raw: 'x', reason: 'y' } }),
      { type: 'episode.overflowed', length: 9 } as EventObject,
      ...[true, false].map((done) => ({ type: 'episode.replied', turn: { role: 'user', text: 'x' }, done }) as EventObject),
      ...numbers.map(() => ({ type: 'episode.observed', turn: observed }) as EventObject),
      { type: 'episode.ruled', verdict: verdict(1) } as EventObject,
      { type: 'episode.faulted', role: 'tool', fault } as EventObject,
      { type: 'episode.cancel', reason: 'x' } as EventObject,
      { type: 'episode.unheardOf' },
      { type: 'other' },
      late,
    ],
  },
  agent: {
    input: {},
    events: [
      ...numbers.flatMap((number) => [
        { type: 'agent.prompt', turns: [{ role: 'user', text: 'x' }] },
        {
          type: 'agent.sampled',
          call: number,
          prompt: ids,
          ids,
          logprobs: new Float32Array(2),
          stopped: true,
          version: 1,
          turn: said({}).turn,
        },
      ]),
      { type: 'agent.overflow', call: 2, length: 3 } as EventObject,
      { type: 'agent.fault', call: 3, fault } as EventObject,
      late,
    ],
  },
  user: { input: { query: 'q', attempts: 2 }, events: [...numbers.map(() => ({ type: 'user.hear', said: ['x'] })), ...asks, late] },
  tool: { input: { world, attempts: 2 }, events: [...numbers.map(() => ({ type: 'tool.call', call })), ...asks, late] },
  judge: { input: { attempts: 2 }, events: [...numbers.map(() => ({ type: 'judge.review', turns: [] })), ...asks, late] },
  group: {
    input: { members: 2, minimumScored: 1, attempts: 2 },
    events: [
      ...['scored', 'infrastructure', 'simulator', 'crashed', 'cut'].flatMap((end) =>
        [0, 1].flatMap((member) => [1, 2].map((attempt) => ({ type: 'group.ended', member, attempt, end, timeAllows: true }))),
      ),
      { type: 'group.cancel' },
      late,
    ],
  },
};

/** A scope in which nothing happens, and what would have. */
function scoped(chart: AnyStateMachine): { readonly scope: AnyActorScope; readonly done: unknown[] } {
  const self = createActor(chart, { input: stories[chart.id]?.input ?? {} });
  const done: unknown[] = [];
  const scope = {
    self,
    id: '',
    sessionId: '',
    system: self.system,
    logger: () => {},
    defer: () => {},
    stopChild: () => {},
    emit: () => {},
    actionExecutor: ({ type, info, params }: { type: string; info: { context?: unknown }; params?: { event?: unknown } }) => {
      done.push([type, type.startsWith('xstate.') ? params?.event : info.context]);
    },
  };
  return { scope: scope as unknown as AnyActorScope, done };
}

const seen = ({ status, value, context, output, children, _nodes }: AnyMachineSnapshot) => ({
  status,
  value,
  context: context as unknown,
  output: output as unknown,
  children: Object.keys(children),
  // XState sorts the nodes of an ended chart the other way round.
  states: _nodes.map(({ id }) => id).sort(),
});

test.each(Object.keys(stories))(
  'the chart "%s" goes through the same states, contexts and actions, whatever comes in whatever order',
  (name) => {
    const chart = charts[name] as AnyStateMachine;
    const steps = pathSteps(chart);
    const { input, events } = stories[name] as (typeof stories)[string];
    const visited = new Set<string>();
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { minLength: 3, maxLength: 20 }), (told) => {
        const [ours, theirs] = [scoped(chart), scoped(chart)];
        let mine = steps?.initial(ours.scope, input) as AnyMachineSnapshot;
        let reference = chart.getInitialSnapshot(theirs.scope, input) as AnyMachineSnapshot;
        for (const event of told) {
          expect(seen(mine)).toEqual(seen(reference));
          visited.add(JSON.stringify(mine.value));
          if (mine.status !== 'active') break;
          mine = steps?.transition(mine, event, ours.scope) as AnyMachineSnapshot;
          reference = chart.transition(reference, event, theirs.scope) as AnyMachineSnapshot;
        }
        expect(seen(mine)).toEqual(seen(reference));
        expect(ours.done).toEqual(theirs.done);
      }),
      { numRuns: 150 },
    );
    expect(visited.size).toBeGreaterThanOrEqual(2);
  },
);

test.each([
  ['parallel states', { type: 'parallel', states: { a: {}, b: {} } }],
  ['exit actions', { initial: 'a', states: { a: { exit: assign({}) } } }],
  ['delays', { initial: 'a', states: { a: { after: { 5: 'b' } }, b: {} } }],
  ['history', { initial: 'a', states: { a: {}, b: { initial: 'c', states: { c: {}, h: { type: 'history' } } } } }],
  ['an invoked actor', { initial: 'a', states: { a: { invoke: { src: 'x' } } } }],
  ['a target that is its own source', { initial: 'a', states: { a: { on: { e: 'a' } } } }],
] as const)('a chart with %s is left to XState', (_, config) => {
  expect(pathSteps(createMachine(config as never))).toBeUndefined();
});
