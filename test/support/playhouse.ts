/** The real thing in the small: procedural tasks, the scripted teacher as engine, the built worker, and a coordinator around them. */
import type { CastSpec } from '../../src/actors/cast.ts';
import type { GroupJob } from '../../src/actors/group.ts';
import type { RolloutPoolOptions } from '../../src/actors/rollout-pool.ts';
import type { BrokerOptions } from '../../src/gpu/broker.ts';
import type { ScriptedOptions } from '../../src/gpu/engines/scripted.ts';
import { teacher } from '../../src/gpu/engines/scripted-teacher.ts';
import { tinyRenderer } from '../../src/gpu/tokens/tiny.ts';
import { vocabularyOf } from '../../src/gpu/tokens/vocabulary.ts';
import { aspectsAt } from '../../src/learning/curriculum.ts';
import { groupId, taskId, type PolicyVersion, type RunId, type StepId } from '../../src/protocol/ids.ts';
import type { Task } from '../../src/protocol/task.ts';
import { seedOf, stream } from '../../src/random.ts';
import { builtinTools, heldOutDomains } from '../../src/simulation/procedural/families.ts';
import { lexicon } from '../../src/simulation/procedural/lexicon.ts';
import { oracle, play } from '../../src/simulation/procedural/oracle.ts';
import { writeTask } from '../../src/simulation/procedural/task.ts';
import { repositoryOf, subset } from '../../src/tools/repository.ts';
import { step as firstStep } from './calls.ts';
import { theatre, type Theatre } from './jobs.ts';

const repository = repositoryOf(builtinTools, { categories: heldOutDomains });
const cast: CastSpec = { world: {}, policy: { kind: 'tiny', words: [...lexicon] } };
export const renderer = tinyRenderer(vocabularyOf(lexicon));

export function realTask(index: number, difficulty: number, step: StepId = firstStep): Task {
  const seed = seedOf('playhouse', index, difficulty);
  const draws = stream(seed);
  const aspects = aspectsAt(difficulty, draws, 0.5);
  const tools = subset(repository, aspects.tools.value, draws, 'train');
  return writeTask({ id: taskId(step, index), split: 'train', difficulty, aspects, tools, seed });
}

export function realJob(index: number, difficulty: number, change: Partial<GroupJob> = {}): GroupJob {
  const task = realTask(index, difficulty, change.step);
  return {
    run: 'playhouse' as RunId,
    step: change.step ?? firstStep,
    group: groupId(task.id),
    task,
    members: 8,
    minimumScored: 2,
    seed: 1,
    version: 0 as PolicyVersion,
    sampling: { temperature: 1, maxTokens: 48, contextLength: 1024 },
    deadlines: { turnMs: 20_000, episodeMs: 60_000, groupMs: 60_000 },
    attempts: 3,
    askAttempts: 3,
    ...change,
  };
}

export interface Playhouse extends Theatre {
  /** The engine must be told of every group it is asked about. */
  learn(jobs: readonly GroupJob[]): void;
}

/** `skill`: share of right turns. */
export function playhouse(
  skill: number,
  options: { pool?: Partial<RolloutPoolOptions>; broker?: Partial<BrokerOptions>; engine?: Partial<ScriptedOptions> } = {},
): Playhouse {
  const taught = teacher({ renderer, turnsOf: (task) => play(task, oracle).turns, skill: () => skill });
  const house = theatre({
    ...options,
    engine: { policy: taught.policy, ...options.engine },
    pool: { cast, file: new URL('../../dist/actors/worker.js', import.meta.url), ...options.pool },
  });
  return { ...house, learn: (jobs) => jobs.forEach((job) => taught.learn(job.group, job.task)) };
}
