/** Scripted players of every role, and the job and ports that put them on a stage. A script is a function of what is asked, so that it says the same when asked again. */
import { simulatedClock } from '../../src/actors/clock.ts';
import type { SimulatedClock } from '../../src/actors/clock.ts';
import type { GroupJob, GroupPorts } from '../../src/actors/group.ts';
import { EngineFault } from '../../src/errors.ts';
import { groupId, stepId, taskId } from '../../src/protocol/ids.ts';
import type { PolicyVersion, RunId } from '../../src/protocol/ids.ts';
import type { TokenReply, TokenRequest } from '../../src/protocol/inference.ts';
import type { RecordedEvent } from '../../src/protocol/frame.ts';
import type { JsonValue } from '../../src/protocol/json.ts';
import type { Verdict } from '../../src/protocol/outcome.ts';
import type { Task } from '../../src/protocol/task.ts';
import type { AgentTurn } from '../../src/protocol/turn.ts';
import type { Posed, Reading, Simulator, Simulators, ToolAnswer, UserAnswer } from '../../src/simulation/contract.ts';
import { letters, lettersRenderer, STOP } from './letters.ts';

const aspect = (value: number) => ({ bound: value, value });

export function scriptedTask(changes: Partial<Task> = {}): Task {
  return {
    id: taskId(stepId(1), 0),
    split: 'train',
    difficulty: 10,
    aspects: {
      tools: aspect(1),
      calls: aspect(1),
      turns: aspect(1),
      system: aspect(0),
      persona: aspect(0),
      query: aspect(0),
      criteria: aspect(0),
    },
    branch: 'call',
    tools: [
      {
        name: 'book_room',
        description: 'books a room',
        parameters: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: false },
        returns: { type: 'object', properties: { room: { type: 'string' } }, required: ['room'] },
        effects: 'write',
        category: 'rooms',
        source: 'test',
      },
    ],
    system: 'help',
    persona: 'plain',
    intent: { summary: 'wants a room', requests: ['a room for ada'], facts: { name: 'ada' } },
    query: 'a room for ada',
    expectedCalls: [{ name: 'book_room', arguments: { name: 'ada' }, needs: [], turn: 0 }],
    world: { entities: { rooms: {} }, occurrences: {} },
    criteria: ['intent'],
    maxTurns: 4,
    seed: 7,
    ...changes,
  };
}

export const says = (text: string): AgentTurn => ({ role: 'agent', thought: '', text, calls: [] });
export const calls = (...names: string[]): AgentTurn => ({
  role: 'agent',
  thought: 'book',
  text: '',
  calls: names.map((name) => ({ name: 'book_room', arguments: { name } })),
});

/** What the policy says in its n-th turn (from 0). A string is sampled as it stands; null never answers. */
export type PolicyScript = (turn: number, request: TokenRequest) => AgentTurn | string | null | Error;

/** How many agent turns the prompt already holds: every one of them ended with its stop token. */
const turnsIn = (ids: Int32Array): number => ids.reduce((count, id) => count + (id === STOP ? 1 : 0), 0);

function scriptedPolicy(script: PolicyScript): (request: TokenRequest) => Promise<TokenReply> {
  return (request) => {
    const said = script(turnsIn(request.ids), request);
    if (said === null) return new Promise(() => undefined);
    if (said instanceof Error) return Promise.reject(said);
    const ids =
      typeof said === 'string'
        ? Int32Array.from([...letters(said), STOP])
        : (lettersRenderer.write(said, scriptedTask()) as Int32Array<ArrayBuffer>);
    const logprobs = Float32Array.from(ids, (_, i) => -1 / (1 + i));
    return Promise.resolve({ id: request.id, version: request.version as PolicyVersion, samples: [{ ids, logprobs, finish: 'stop' }] });
  };
}

/** A simulator that replies with `script(view, attempt)`; a string is garbage nobody can read, an Error is thrown. */
export function scriptedSimulator<View, Answer>(
  role: Simulator<View, Answer>['role'],
  script: (view: View, attempt: number) => NoInfer<Answer> | string | Error,
): Simulator<View, Answer> {
  return {
    role,
    pose: (view, complaints): Posed => {
      const reply = script(view, complaints.length);
      if (reply instanceof Error) throw reply;
      return { kind: 'reply', reply: reply as JsonValue };
    },
    read: (reply): Reading<Answer> =>
      typeof reply === 'string' ? { ok: false, complaint: `cannot read ${reply}` } : { ok: true, answer: reply as Answer },
  };
}

/** The same, played by a language model: the prompt is chat and the reply comes from the `chat` port. */
export function chatSimulator<View, Answer>(
  role: Simulator<View, Answer>['role'],
  prompt: (view: View, complaints: readonly string[]) => string,
): Simulator<View, Answer> {
  return {
    role,
    pose: (view, complaints): Posed => ({
      kind: 'chat',
      messages: [{ role: 'user', content: prompt(view, complaints) }],
      maxTokens: 64,
      temperature: 1,
    }),
    read: (reply): Reading<Answer> => {
      try {
        return { ok: true, answer: JSON.parse(reply as string) as Answer };
      } catch {
        return { ok: false, complaint: 'not JSON' };
      }
    },
  };
}

export const verdict = (reward: Verdict['reward']): Verdict => ({
  reward,
  gates: [],
  criteria: [{ name: 'intent', required: true, met: reward === 1 }],
});
export const done: UserAnswer = { text: '', done: true };
export const booked = (name: JsonValue): ToolAnswer => ({
  status: 'ok',
  observation: { room: 'r1' },
  patch: [{ op: 'put', collection: 'rooms', id: 'r1', record: { name } }],
});

/** A world in which everything goes well. */
const simulators = (changes: Partial<Simulators> = {}): Simulators => ({
  task: scriptedSimulator('task', () => scriptedTask()),
  user: scriptedSimulator('user', () => done),
  tool: scriptedSimulator('tool', (view) => booked(view.call.arguments['name'] ?? null)),
  judge: scriptedSimulator('judge', (view) => verdict(view.world.entities['rooms']?.['r1'] === undefined ? -1 : 1)),
  ...changes,
});

export const goodAgent: PolicyScript = (turn) => (turn === 0 ? calls('ada') : says('done'));

export const scriptedJob = (changes: Partial<GroupJob> = {}): GroupJob => {
  const task = changes.task ?? scriptedTask();
  return {
    run: 'run-1' as RunId,
    step: stepId(1),
    group: groupId(task.id),
    task,
    members: 1,
    minimumScored: 1,
    seed: 1,
    version: 3 as PolicyVersion,
    sampling: { temperature: 1, maxTokens: 64, contextLength: 2000 },
    deadlines: { turnMs: 1000, episodeMs: 10_000, groupMs: 30_000 },
    attempts: 1,
    askAttempts: 3,
    ...changes,
  };
};

export interface RecordingPorts extends GroupPorts {
  readonly clock: SimulatedClock;
  readonly events: RecordedEvent[];
  readonly requests: TokenRequest[];
}

export function scriptedPorts(script: PolicyScript = goodAgent, cast: Partial<Simulators> = {}): RecordingPorts {
  const events: RecordedEvent[] = [];
  const requests: TokenRequest[] = [];
  const generate = scriptedPolicy(script);
  return {
    generate: (request) => {
      requests.push(request);
      return generate(request);
    },
    record: (chunk) => {
      events.push(...chunk);
    },
    simulators: simulators(cast),
    renderer: lettersRenderer,
    clock: simulatedClock(),
    events,
    requests,
  };
}

export const engineDown = new EngineFault('the engine is down');

/** Lets every settled promise run to its end, without letting time pass. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}
