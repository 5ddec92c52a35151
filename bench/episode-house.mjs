// What the episode benches play: groups over the procedural world, on real workers, with the scripted teacher as engine and the journal on.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../dist/actors/clock.js';
import { createRolloutPool } from '../dist/actors/rollout-pool.js';
import { createBroker } from '../dist/gpu/broker.js';
import { createScriptedEngine } from '../dist/gpu/engines/scripted.js';
import { teacher } from '../dist/gpu/engines/scripted-teacher.js';
import { tinyRenderer } from '../dist/gpu/tokens/tiny.js';
import { vocabularyOf } from '../dist/gpu/tokens/vocabulary.js';
import { aspectsAt } from '../dist/learning/curriculum.js';
import { groupId, stepId, taskId } from '../dist/protocol/ids.js';
import { Journal } from '../dist/record/journal.js';
import { seedOf, stream } from '../dist/random.js';
import { builtinTools, heldOutDomains } from '../dist/simulation/procedural/families.js';
import { lexicon } from '../dist/simulation/procedural/lexicon.js';
import { oracle, play } from '../dist/simulation/procedural/oracle.js';
import { writeTask } from '../dist/simulation/procedural/task.js';
import { repositoryOf, subset } from '../dist/tools/repository.js';

/** Episodes of a group, as in the quickstart. */
export const members = 8;
export const workers = 2;
export const renderer = tinyRenderer(vocabularyOf(lexicon));
const repository = repositoryOf(builtinTools, { categories: heldOutDomains });

export const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** What the teacher would say and hear, from the first turn to the last. */
export const turnsOf = (task) => play(task, oracle).turns;

/** The `index`-th group of a step. No deadline comes into play. */
export function jobAt(step, index, difficulty) {
  const seed = seedOf('bench', step, index);
  const draws = stream(seed);
  const aspects = aspectsAt(difficulty, draws, 0.5);
  const tools = subset(repository, aspects.tools.value, draws, 'train');
  const task = writeTask({ id: taskId(stepId(step), index), split: 'train', difficulty, aspects, tools, seed });
  return {
    run: 'bench',
    step: stepId(step),
    group: groupId(task.id),
    task,
    members,
    minimumScored: 2,
    seed: 1,
    version: 0,
    sampling: { temperature: 1, maxTokens: 48, contextLength: 1024 },
    deadlines: { turnMs: 600_000, episodeMs: 600_000, groupMs: 600_000 },
    attempts: 3,
    askAttempts: 3,
  };
}

/** `window`: groups open on a worker. `park`: requests that are never answered. `file`: the workers' entry, where it is not the run's own. */
export function house({ window, file, skill = 0.9, park = () => false }) {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-bench-'));
  const journal = Journal.open(dir, { run: 'bench' });
  const taught = teacher({ renderer, turnsOf, skill: () => skill });
  const scripted = createScriptedEngine({ policy: taught.policy, clock: systemClock, concurrency: 65_536 });
  const generate = (request, signal) => (park(request) ? new Promise(() => {}) : scripted.generate(request, signal));
  const record = (frame) => {
    journal.append(frame);
    if (frame.kind === 'group.sealed') void journal.flush({ sync: true });
  };
  const broker = createBroker({ engines: [{ ...scripted, generate }], clock: systemClock, record, seed: 1, stallMs: 600_000 });
  const pool = createRolloutPool({
    broker,
    clock: systemClock,
    cast: { world: {}, policy: { kind: 'tiny', words: [...lexicon] } },
    record,
    recordPacked: (bytes) => journal.appendPacked(bytes),
    workers,
    window,
    ...(file && { file }),
  });
  const opening = { ids: new Int32Array(0) };
  return {
    broker,
    pool,
    journal,
    /** The teacher's answers are worked out now: its thinking is no part of the runtime. */
    learn: (jobs) => {
      for (const { group, task } of jobs) {
        taught.learn(group, task);
        taught.policy({ ...opening, group }, 0, 0);
      }
    },
    close: async () => {
      await pool.close();
      await journal.close();
      rmSync(dir, { recursive: true });
    },
  };
}
