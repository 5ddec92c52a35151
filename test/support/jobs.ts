/** Jobs for the playing host (hosts/playing.mjs), and a coordinator's side around them. */
import { systemClock } from '../../src/actors/clock.ts';
import type { CastSpec } from '../../src/actors/cast.ts';
import type { GroupJob } from '../../src/actors/group.ts';
import { createRolloutPool, type RolloutPoolOptions } from '../../src/actors/rollout-pool.ts';
import { createBroker, type BrokerOptions } from '../../src/gpu/broker.ts';
import type { Engine } from '../../src/gpu/engine.ts';
import { createScriptedEngine, type ScriptedOptions } from '../../src/gpu/engines/scripted.ts';
import { unpack, type Bytes } from '../../src/protocol/codec.ts';
import type { Frame } from '../../src/protocol/frame.ts';
import type { RolloutGroup } from '../../src/protocol/group.ts';
import { groupId, taskId, type PolicyVersion, type RunId } from '../../src/protocol/ids.ts';
import type { Task } from '../../src/protocol/task.ts';
import { chatty, step } from './calls.ts';

/** A task that says `deed`, turns per member, and milliseconds before each turn to the playing host. */
function task(index: number, query: string): Task {
  const at = { bound: 1, value: 1 };
  const zero = { bound: 0, value: 0 };
  return {
    id: taskId(step, index),
    split: 'train',
    difficulty: 1,
    aspects: { tools: at, calls: at, turns: at, system: zero, persona: zero, query: zero, criteria: zero },
    branch: 'none',
    tools: [{ name: 'a', description: 'b', parameters: {}, effects: 'read', category: 'c', source: 'test' }],
    system: '',
    persona: '',
    intent: { summary: '', requests: [query], facts: {} },
    query,
    expectedCalls: [],
    world: { entities: {}, occurrences: {} },
    criteria: ['intent'],
    maxTurns: 8,
    seed: index,
  };
}

export function job(index: number, query = 'play 3', change: Partial<GroupJob> = {}): GroupJob {
  const id = taskId(step, index);
  return {
    run: 'test' as RunId,
    step,
    group: groupId(id),
    task: task(index, query),
    members: 4,
    minimumScored: 2,
    seed: 1,
    version: 0 as PolicyVersion,
    sampling: { temperature: 1, maxTokens: 8, contextLength: 256 },
    deadlines: { turnMs: 5_000, episodeMs: 10_000, groupMs: 10_000 },
    attempts: 3,
    askAttempts: 3,
    ...change,
  };
}

/** The playing host reads no cast. */
const noCast: CastSpec = { world: {}, policy: { kind: 'tiny', words: [] } };

export interface Theatre {
  readonly pool: ReturnType<typeof createRolloutPool>;
  readonly broker: ReturnType<typeof createBroker>;
  readonly engine: ReturnType<typeof createScriptedEngine>;
  /** How often each call reached the engine. */
  readonly askedById: ReadonlyMap<string, number>;
  readonly frames: Frame[];
  close(): Promise<void>;
}

export function theatre({
  pool = {},
  broker = {},
  engine = {},
}: { pool?: Partial<RolloutPoolOptions>; broker?: Partial<BrokerOptions>; engine?: Partial<ScriptedOptions> } = {}): Theatre {
  const frames: Frame[] = [];
  const askedById = new Map<string, number>();
  const scripted = createScriptedEngine({ policy: chatty, clock: systemClock, ...engine });
  const counted: Engine = {
    ...scripted,
    generate: (request, signal) => {
      askedById.set(request.id, 1 + (askedById.get(request.id) ?? 0));
      return scripted.generate(request, signal);
    },
  };
  const desk = createBroker({ engines: [counted], clock: systemClock, record: (frame) => void frames.push(frame), seed: 1, ...broker });
  const rollouts = createRolloutPool({
    broker: desk,
    clock: systemClock,
    cast: noCast,
    record: (frame) => void frames.push(frame),
    recordPacked: (bytes: Bytes) => void frames.push(unpack(bytes) as Frame),
    workers: 2,
    window: 4,
    file: new URL('./hosts/playing.mjs', import.meta.url),
    ...pool,
  });
  return {
    pool: rollouts,
    broker: desk,
    engine: scripted,
    askedById,
    frames,
    close: async () => {
      await rollouts.close();
      await desk.close();
      await scripted.close();
    },
  };
}

export const groupIn = (sealed: { readonly bytes: Bytes }): RolloutGroup => unpack(sealed.bytes) as RolloutGroup;
