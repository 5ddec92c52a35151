/** What the experiment's states do, each bound to the actors that do it; between them they keep the step's tasks and groups. Knows no chart and makes no actor. */
import type { Config } from '../config.ts';
import type { PolicyUpdate } from '../gpu/policy-update.ts';
import type { StepInput, Updated, When } from '../machines/experiment.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import { type RunId, stepId, type TaskId } from '../protocol/ids.ts';
import type { RunMessage } from '../protocol/messages.ts';
import type { Phase, Progress } from '../protocol/progress.ts';
import type { Task } from '../protocol/task.ts';
import type { RunRecord } from '../record/record.ts';
import type { Account } from './account.ts';
import type { Curriculum } from './curriculum.ts';
import { drawTasks, type DrawingPorts, unissued } from './drawing.ts';
import type { Examination } from './examination.ts';
import { jobOf } from './job.ts';
import type { Roll } from './rolling.ts';

export interface StepParts {
  readonly config: Config;
  readonly run: RunId;
  readonly record: Pick<RunRecord, 'append' | 'flush'>;
  /** Brings the trainer to where an earlier process left it. */
  loadTrainer(): Promise<void>;
  readonly curriculum: Curriculum;
  readonly drawing: DrawingPorts;
  /** Tasks that earlier processes of this run issued for steps they did not commit. */
  readonly issued: ReadonlyMap<TaskId, Task>;
  readonly roll: Roll;
  readonly examination: Examination;
  readonly policyUpdate: Pick<PolicyUpdate, 'step'>;
  readonly account: Account;
  progress(progress: Progress): void;
  /** To the experiment. */
  tell(message: RunMessage): void;
}

export interface Steps {
  prepare(input: StepInput, signal: AbortSignal): Promise<void>;
  draw(input: StepInput, signal: AbortSignal): Promise<void>;
  roll(input: StepInput, signal: AbortSignal): Promise<void>;
  update(input: StepInput): Promise<Updated>;
  publish(input: StepInput): Promise<void>;
  evaluate(input: StepInput & { readonly when: When }, signal: AbortSignal): Promise<void>;
  checkpoint(input: StepInput): Promise<void>;
  /** Why the run was stopped for its losses, or null. */
  readonly paused: string | null;
}

export function stepsOf(parts: StepParts): Steps {
  const { config, run, record, curriculum, drawing, examination, account, progress, tell } = parts;
  const phase = (name: Phase, step: number, done: number, of: number): void =>
    progress({ kind: 'phase', phase: name, step, steps: config.steps, done, of });
  const spendTokens = (): void => {
    if (account.sampledTokens >= (config.budget.tokens ?? Infinity)) tell({ type: 'budget.spent', budget: 'tokens' });
  };
  let tasks: readonly Task[] = [];
  let groups: readonly RolloutGroup[] = [];
  let paused: string | null = null;

  return {
    prepare: async ({ step }, signal) => {
      phase('preparing', step, 0, 1);
      spendTokens();
      await parts.loadTrainer();
      await examination.prepare(signal);
      account.begin();
    },
    draw: ({ step, version }, signal) =>
      account.timed('draw', async () => {
        phase('drawing', step, 0, config.rollout.tasks);
        tasks = await drawTasks(config, drawing, stepId(step), curriculum.draw(config.rollout.tasks), version, signal);
        examination.guard(tasks);
        for (const task of unissued(tasks, parts.issued)) record.append({ kind: 'task.issued', step: stepId(step), task });
      }),
    roll: ({ step, version }, signal) =>
      account.timed('roll', async () => {
        const jobs = tasks.map((task) => jobOf(config, run, stepId(step), task, version));
        groups = await parts.roll(jobs, signal, (sealed) => phase('rolling', step, sealed, jobs.length));
      }),
    update: async ({ step }) => {
      phase('updating', step, 0, 1);
      const asked = { step: stepId(step), groups, curriculum: curriculum.state };
      const result = await account.timed('update', () => parts.policyUpdate.step(asked));
      curriculum.reward(groups.flatMap(({ episodes }) => episodes.flatMap(({ reward }) => (reward === null ? [] : [reward]))));
      account.close(step, result);
      paused = result.pause;
      if (paused !== null) tell({ type: 'run.interrupt' });
      spendTokens();
      const { committed, weights, curriculum: after } = result.standing;
      return { trained: committed?.trained ?? 0, version: weights.version, difficulty: after.difficulty };
    },
    // The policy update has published the new version and proved it.
    publish: async ({ step }) => phase('publishing', step, 1, 1),
    evaluate: async ({ step, version, when }, signal) => {
      const levels = await examination.hold(when, step - 1, version, signal, (sealed, of) => phase('evaluating', step, sealed, of));
      if (levels !== null) progress({ kind: 'evaluation', when, step, levels });
      if (when === 'before') account.begin();
    },
    checkpoint: async ({ step }) => {
      phase('closing', step, 0, 1);
      await record.flush({ sync: true });
    },
    get paused() {
      return paused;
    },
  };
}
