/** A small recorded run, made through the real record: two steps of two groups of two episodes. Rewards and texts are fixed, so that tests can say what they expect. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { configOf } from '../../src/config.ts';
import { addHealth } from '../../src/learning/health.ts';
import { pack } from '../../src/protocol/codec.ts';
import type { Episode } from '../../src/protocol/episode.ts';
import type { Frame } from '../../src/protocol/frame.ts';
import type { RolloutGroup } from '../../src/protocol/group.ts';
import type { SimulatorHealth } from '../../src/protocol/health.ts';
import { type CallId, episodeId, groupId, type PolicyVersion, type RunId, stepId, taskId } from '../../src/protocol/ids.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { StepCommitted } from '../../src/protocol/policy.ts';
import type { Task } from '../../src/protocol/task.ts';
import { appendPrompt, appendSampled } from '../../src/protocol/trace.ts';
import type { Turn } from '../../src/protocol/turn.ts';
import { createFolder, type RunFolder } from '../../src/record/folder.ts';
import { type RunRecord, startRecord } from '../../src/record/record.ts';

const runOf = (folder: RunFolder): RunId => folder.name as RunId;

function sampleTask(step: number, index: number): Task {
  const aspect = { bound: 1, value: 1 };
  const none = { bound: 0, value: 0 };
  return {
    id: taskId(stepId(step), index),
    split: 'train',
    difficulty: 10,
    aspects: { tools: aspect, calls: aspect, turns: aspect, system: none, persona: none, query: none, criteria: none },
    branch: 'call',
    tools: [
      {
        name: 'find_book',
        description: 'finds a book',
        parameters: { type: 'object', properties: { title: { type: 'string' }, year: { type: 'integer' } }, required: ['title'] },
        effects: 'read',
        category: 'library',
        source: 'builtin:library',
      },
    ],
    system: 'you are a librarian',
    persona: 'expert',
    intent: { summary: 'find the book emma', requests: ['find emma'], facts: {} },
    query: 'find emma',
    expectedCalls: [{ name: 'find_book', arguments: { title: 'emma' }, needs: [], turn: 0 }],
    world: { entities: {}, occurrences: {} },
    criteria: ['intent'],
    maxTurns: 4,
    seed: 1,
  };
}

const call = { name: 'find_book', arguments: { title: 'emma' } };
const sampleTurns: Turn[] = [
  { role: 'user', text: 'find emma' },
  { role: 'agent', thought: 'books', text: '', calls: [call] },
  { role: 'tool', call, status: 'ok', result: { shelf: 7 }, patch: [] },
  { role: 'agent', thought: '', text: 'shelf 7', calls: [] },
];

export function sampleGroup(step: number, index: number, turns: Turn[] = sampleTurns, health?: SimulatorHealth): RolloutGroup {
  const task = sampleTask(step, index);
  const id = groupId(task.id);
  const trace = appendSampled(
    appendPrompt(new Int32Array(0), Int32Array.of(1, 2, 3), 0),
    Int32Array.of(4, 5),
    Float32Array.of(-0.5, -0.25),
    true,
    0,
  );
  const episode = (member: number, reward: -1 | 1): Episode => ({
    id: episodeId(id, member),
    group: id,
    task: task.id,
    member,
    attempt: 1,
    turns,
    traces: [trace as Int32Array<ArrayBuffer>],
    outcome: {
      kind: 'scored',
      verdict: { reward, gates: [{ name: 'known tool', passed: true }], criteria: [{ name: 'intent', required: true, met: reward === 1 }] },
    },
    reward,
    policy: { start: 0 as PolicyVersion, end: 0 as PolicyVersion },
    seed: 5,
  });
  return {
    id,
    step: stepId(step),
    task,
    episodes: [episode(0, 1), episode(1, -1)],
    missing: [{ member: 2, fault: { kind: 'EngineFault', message: 'no answer' } }],
    status: 'sealed',
    ...(health === undefined ? {} : { health }),
    sealedBy: 'complete',
  };
}

export function sealed(group: RolloutGroup): Frame {
  const bytes = pack(group, { checked: true });
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { kind: 'group.sealed', envelope: { step: group.step, group: group.id, scored: 2, status: group.status, hash }, bytes };
}

export const reply = (step: number, index: number, n: number): Frame => ({
  kind: 'call.reply',
  id: `call.${step}.${index}.${n}` as CallId,
  group: groupId(taskId(stepId(step), index)),
  bytes: new Uint8Array([n]),
});

export const commitOf = (step: number): StepCommitted => ({
  step: stepId(step),
  groups: [0, 1].map((index) => groupId(taskId(stepId(step), index))),
  version: step as PolicyVersion,
  trained: 4,
  checkpoint: `checkpoint${step}`,
  chain: `chain${step}`,
});

const metricsOf = (step: number, health?: SimulatorHealth): JsonObject => ({
  // Two groups.
  ...(health === undefined ? {} : { simulators: addHealth([health, health]) as unknown as JsonObject }),
  difficulty: 3 * step - 2,
  nextDifficulty: 3 * step + 1,
  meanReward: 0.5,
  success: 0.5,
});

/** One step's frames as a coordinator appends them; `order` is the order in which its groups were sealed. */
export function stepFrames(
  step: number,
  {
    order = [0, 1],
    commit = true,
    turns = sampleTurns,
    health,
  }: { order?: number[]; commit?: boolean; turns?: Turn[]; health?: SimulatorHealth | undefined } = {},
): Frame[] {
  return [
    ...[0, 1].map((index): Frame => ({ kind: 'task.issued', step: stepId(step), task: sampleTask(step, index) })),
    ...order.flatMap((index) => [reply(step, index, 1), sealed(sampleGroup(step, index, turns, health))]),
    ...(commit
      ? ([
          { kind: 'step.intent', intent: { step: stepId(step), groups: commitOf(step).groups, parent: (step - 1) as PolicyVersion } },
          { kind: 'step.committed', committed: commitOf(step), metrics: metricsOf(step, health) },
        ] satisfies Frame[])
      : []),
  ];
}

export const recording = { segmentBytes: 1 << 20, transcripts: true };

/** A run folder under `root` with an open record. */
export async function openSample(root: string, name = 'sample'): Promise<{ folder: RunFolder; record: RunRecord }> {
  const folder = createFolder(join(root, 'runs'), name);
  const config = configOf({ name, record: { dir: join(root, 'runs') } }) as unknown as JsonObject;
  const record = await startRecord(folder, { run: runOf(folder), ...recording }, { version: '0', config });
  return { folder, record };
}

/** A closed run of two committed steps. */
export async function sampleRun(
  root: string,
  { name = 'sample', turns = sampleTurns, health }: { name?: string; turns?: Turn[]; health?: SimulatorHealth } = {},
): Promise<RunFolder> {
  const { folder, record } = await openSample(root, name);
  for (const step of [1, 2]) for (const frame of stepFrames(step, { turns, health })) record.append(frame);
  await record.close();
  return folder;
}
