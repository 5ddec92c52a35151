/** Draws the tasks of steps and examinations: aspects come in, each task from whoever writes. Knows which split it draws from and keeps the other out (rule L12). */
import type { Config } from '../config.ts';
import { aspectsAt, type Drawn } from '../learning/curriculum.ts';
import { taskFingerprint } from '../learning/evaluation.ts';
import { ConfigFault, TaskFault } from '../errors.ts';
import { type PolicyVersion, type StepId, type TaskId, taskId } from '../protocol/ids.ts';
import { canonical, type JsonValue } from '../protocol/json.ts';
import type { Task } from '../protocol/task.ts';
import { seedOf, stream } from '../random.ts';
import { builtinRepository, importedRepository } from '../simulation/procedural/repository.ts';
import { loadTools, reasonTable } from '../tools/load.ts';
import { type Rejection, type Repository, repositoryOf } from '../tools/repository.ts';
import { tryWish, unlike, type Wish, writeWish, type Written, type WritingPorts } from './writing.ts';

/** Who writes, about which tools. */
export type DrawingPorts = WritingPorts;

/** The tools of a run, those its examination is about, and what of the user's list could not be used, each with its reason. */
export function repositoryFor(config: Config): {
  readonly repository: Repository;
  readonly examined: Repository;
  readonly rejected: readonly Rejection[];
} {
  if (config.tools === 'builtin') return { repository: builtinRepository, examined: builtinRepository, rejected: [] };
  const { usable, rejected } = loadTools(config.tools);
  const { repository: expressed, rejected: unexpressed } = importedRepository(usable, config.world.heldOut);
  const written = config.roles.task === 'lm';
  const repository = written ? repositoryOf(usable, { share: config.world.heldOut }) : expressed;
  if (repository.tools.length === 0) throw new TaskFault(`none of the tools in ${config.tools} can be used`);
  return {
    repository,
    // A language model can write about any tool; the world whose truth is known has its limits.
    examined: expressed.tools.length === 0 ? builtinRepository : expressed,
    rejected: written ? rejected : [...rejected, ...unexpressed],
  };
}

/** Reasons that are told one by one. */
const reasonsShown = 8;

/** For people: how many of the list are used, and why the others are not. */
export function toolNotes(list: string, used: number, rejected: readonly Rejection[]): string[] {
  if (list === 'builtin') return [];
  const reasons = reasonTable(rejected);
  const more = reasons.length - reasonsShown;
  return [
    `${used} tools of ${list} are used, ${rejected.length} are not${rejected.length === 0 ? '' : ':'}`,
    ...reasons.slice(0, reasonsShown).map(({ reason, tools }) => `- ${tools} × ${reason}`),
    ...(more > 0 ? [`- and ${more} more reasons: tools check ${list}`] : []),
  ];
}

/**
 * The training tasks of a step, one per draw of the curriculum, but for those that `taken` has already. They are written at the same time; which of two that are nearly the same is
 * written anew is decided afterwards, in their order, so that it does not depend on who was first. A few that a language model cannot write are left out: in a run of thousands there are
 * some, and what the record answers it would answer again after a resume. Throws TaskFault where they are the most.
 */
export async function drawTasks(
  config: Config,
  ports: DrawingPorts,
  step: StepId,
  drawn: readonly Drawn[],
  taken: ReadonlyMap<TaskId, Task>,
  version: PolicyVersion,
  signal: AbortSignal,
): Promise<Task[]> {
  const wishes = drawn.map(({ difficulty, aspects }, index): Wish => {
    return { id: taskId(step, index), split: 'train', difficulty, aspects, seed: config.seed, version };
  });
  const first = await Promise.all(wishes.map(async (wish) => taken.get(wish.id) ?? (await tryWish(config, ports, wish, signal))));
  refuseMostly(first);
  const tasks: Task[] = [];
  for (const [index, wish] of wishes.entries()) {
    const written = first[index] as (typeof first)[number];
    if (written instanceof TaskFault) continue;
    const task = 'redraw' in written ? await unlike(config, ports, wish, written, signal) : written;
    tasks.push(task);
    ports.said?.add(task.query);
  }
  return tasks;
}

/** Throws the first fault where there are more of them than of tasks. */
function refuseMostly(written: readonly (Task | Written | TaskFault)[]): void {
  const faults = written.filter((each) => each instanceof TaskFault);
  const [fault] = faults;
  if (fault !== undefined && 2 * faults.length > written.length) throw fault;
}

/**
 * The tasks that are not in the record yet. Throws ConfigFault for one that an earlier process of this run drew otherwise:
 * groups played then would be trained on beside groups of another world.
 */
export function unissued(tasks: readonly Task[], issued: ReadonlyMap<TaskId, Task>): Task[] {
  return tasks.filter((task) => {
    const earlier = issued.get(task.id);
    if (earlier !== undefined && canonical(earlier as unknown as JsonValue) !== canonical(task as unknown as JsonValue))
      throw new ConfigFault(
        `task ${task.id} is not the one this run drew before: the tools or the program have changed since; start a new run`,
      );
    return earlier === undefined;
  });
}

/** The evaluation tasks of one level: every aspect at its bound, the same for every run with this `eval.seed`. Of a language model's, as many at a time as a step has. */
export async function heldOutTasks(config: Config, ports: DrawingPorts, level: number, signal: AbortSignal): Promise<Task[]> {
  const wishes = Array.from({ length: config.eval.tasks }, (_, n): Wish => {
    const id = `heldOut.d${String(level).padStart(3, '0')}.t${String(n).padStart(3, '0')}` as TaskId;
    return examined(config, id, level, aspectsAt(level, stream(seedOf(config.eval.seed, id)), 0));
  });
  const written: (Written | TaskFault)[] = [];
  // Whoever writes has a deadline of its own from when it is asked: hundreds at once would wait for each other until it is over.
  const at = ports.chat === undefined ? wishes.length : config.rollout.tasks;
  for (let from = 0; from < wishes.length; from += at)
    written.push(...(await Promise.all(wishes.slice(from, from + at).map((wish) => tryWish(config, ports, wish, signal)))));
  refuseMostly(written);
  return written.flatMap((each) => (each instanceof TaskFault ? [] : [each.task]));
}

/** The task whose first prompt the canary sings: the same for every run with this `eval.seed`. */
export async function canaryTask(config: Config, ports: DrawingPorts, signal: AbortSignal): Promise<Task> {
  const id = 'canary' as TaskId;
  const aspects = aspectsAt(1, stream(seedOf(config.eval.seed, id)), 0);
  const { task } = await writeWish(config, ports, examined(config, id, 1, aspects), signal);
  return task;
}

const examined = ({ eval: { seed } }: Config, id: TaskId, difficulty: number, aspects: Task['aspects']): Wish => ({
  id,
  split: 'heldOut',
  difficulty,
  aspects,
  seed,
  version: 0 as PolicyVersion,
});

/** Refuses training tasks that hold what evaluation holds out (rule L12). */
export function leakGuard(heldOut: readonly Task[]): (training: readonly Task[]) => void {
  const tasks = new Map(heldOut.map((task) => [taskFingerprint(task), task.id]));
  const tools = new Map(heldOut.flatMap((task) => task.tools.map((tool) => [tool.name, task.id] as const)));
  return (training) => {
    for (const task of training) {
      const same = tasks.get(taskFingerprint(task));
      if (same !== undefined) throw new TaskFault(`training task ${task.id} equals evaluation task ${same}`);
      const tool = task.tools.find(({ name }) => tools.has(name));
      if (tool !== undefined)
        throw new TaskFault(`training task ${task.id} holds the tool ${tool.name} of evaluation task ${tools.get(tool.name)}`);
    }
  };
}
