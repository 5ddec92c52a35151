/**
 * The held-out examination of a run: the same tasks each time, played through the same pool as training, its outcome in the record.
 * An examination that an earlier process of the run finished is recalled, not held again. Trains nothing.
 */
import type { Config } from '../config.ts';
import type { When } from '../machines/experiment.ts';
import type { FrameOf } from '../protocol/frame.ts';
import { groupId, type PolicyVersion, type RunId, type StepId, stepId, type TaskId } from '../protocol/ids.ts';
import type { JsonValue } from '../protocol/json.ts';
import type { Gain, LevelResult } from '../protocol/summary.ts';
import type { Task } from '../protocol/task.ts';
import { type DrawingPorts, heldOutTasks, leakGuard } from './drawing.ts';
import { attemptsOf, gainsOf, type LevelOutcome, levelResult } from './evaluating.ts';
import { jobOf } from './job.ts';
import type { Roll } from './rolling.ts';

export interface ExaminationPorts {
  readonly run: RunId;
  readonly drawing: DrawingPorts;
  readonly roll: Roll;
  /** On disk when it resolves. */
  record(frame: FrameOf<'evaluation'>): Promise<void>;
  /** Of earlier processes of this run. */
  readonly held: readonly FrameOf<'evaluation'>[];
}

export interface Examination {
  /** Writes the tasks. */
  prepare(signal: AbortSignal): Promise<void>;
  /** Refuses training tasks that hold what is held out (rule L12). */
  guard(training: readonly Task[]): void;
  /** `after` the step with that number, 0 = before the first. Null where it was held already. */
  hold(
    when: When,
    after: number,
    version: PolicyVersion,
    signal: AbortSignal,
    onSealed: (sealed: number, of: number) => void,
  ): Promise<LevelResult[] | null>;
  /** Before the first step and after the step with number `last`, where they were held. */
  results(last: number): { readonly before?: LevelResult[]; readonly after?: LevelResult[]; readonly gains?: Gain[] } | undefined;
}

/** One way of attempting every task: at temperature 0, or several times at 1. */
interface Sitting {
  readonly name: 'greedy' | 'sampled';
  readonly members: number;
  readonly temperature: number;
}

const nameOf = (when: When, step: StepId): string => `${when} ${step}`;

export function createExamination(config: Config, { run, drawing, roll, record, held }: ExaminationPorts): Examination {
  const { greedy, samples, levels, at, every } = config.eval;
  const outcomes = new Map(held.map(({ when, step, result }) => [nameOf(when, step), result as unknown as readonly LevelOutcome[]]));
  const sittings: Sitting[] = [
    ...(greedy ? [{ name: 'greedy', members: 1, temperature: 0 } as const] : []),
    ...(samples > 0 ? [{ name: 'sampled', members: samples, temperature: 1 } as const] : []),
  ];
  let papers: { readonly D: number; readonly tasks: readonly Task[] }[] = [];
  let guard = (_training: readonly Task[]): void => undefined;

  const examine = async (scope: string, version: PolicyVersion, signal: AbortSignal, onSealed: (sealed: number, of: number) => void) => {
    const jobs = papers.flatMap(({ tasks }) =>
      tasks.flatMap((task) =>
        sittings.map(({ name, ...how }) => {
          const group = groupId(`${scope}.${name}.${task.id}` as TaskId);
          return jobOf(config, run, scope as StepId, task, version, {
            ...how,
            group,
            minimumScored: 1,
            examined: config.eval.roles === 'procedural',
          });
        }),
      ),
    );
    const groups = new Map(
      (await roll(jobs, { signal, onSealed: (sealed) => onSealed(sealed, jobs.length) })).map((group) => [group.id as string, group]),
    );
    const attempts = (name: Sitting['name'], task: Task, members: number) => {
      const group = groups.get(`${scope}.${name}.${task.id}`);
      return group === undefined ? [] : attemptsOf(group, members);
    };
    return papers.map(({ D, tasks }): LevelOutcome => ({
      D,
      greedy: greedy ? tasks.map((task) => attempts('greedy', task, 1)[0] ?? null) : null,
      sampled: samples > 0 ? tasks.map((task) => attempts('sampled', task, samples)) : null,
    }));
  };

  return {
    prepare: async (signal) => {
      if (at.length === 0 && every === 0) return;
      papers = await Promise.all(levels.map(async (D) => ({ D, tasks: await heldOutTasks(config, drawing, D, signal) })));
      guard = leakGuard(papers.flatMap(({ tasks }) => tasks));
    },
    guard: (training) => guard(training),
    hold: async (when, after, version, signal, onSealed) => {
      const step = stepId(after);
      if (outcomes.has(nameOf(when, step))) return null;
      const outcome = await examine(`e${step.slice(1)}.${when}`, version, signal, onSealed);
      await record({ kind: 'evaluation', when, step, result: outcome as unknown as JsonValue });
      outcomes.set(nameOf(when, step), outcome);
      return outcome.map(levelResult);
    },
    results: (last) => {
      const [before, after] = [outcomes.get(nameOf('before', stepId(0))), outcomes.get(nameOf('after', stepId(last)))];
      if (before === undefined && after === undefined) return undefined;
      const gains = gainsOf(before ?? [], after ?? []);
      return {
        ...(before === undefined ? {} : { before: before.map(levelResult) }),
        ...(after === undefined ? {} : { after: after.map(levelResult) }),
        ...(gains.length === 0 ? {} : { gains }),
      };
    },
  };
}
