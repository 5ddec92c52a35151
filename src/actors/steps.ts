/** What the experiment's states do, each bound to the actors that do it; between them they keep the groups of the step that is trained. Knows no chart and makes no actor. */
import type { Config } from '../config.ts';
import type { PolicyUpdate } from '../gpu/policy-update.ts';
import type { StepInput, Updated, When } from '../machines/experiment.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import { type PolicyVersion, type RunId, stepId, type TaskId } from '../protocol/ids.ts';
import type { RunMessage } from '../protocol/messages.ts';
import type { Phase, Progress } from '../protocol/progress.ts';
import type { Task } from '../protocol/task.ts';
import type { RunRecord } from '../record/record.ts';
import type { Account } from './account.ts';
import { type DrawnStep, rollAhead } from './ahead.ts';
import type { Calibration } from './calibration.ts';
import type { Curriculum } from './curriculum.ts';
import { drawTasks, type DrawingPorts, unissued } from './drawing.ts';
import type { Examination } from './examination.ts';
import { HealthCount } from './health.ts';
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
  /** Where a language model judges. */
  readonly calibration?: Calibration;
  readonly policyUpdate: Pick<PolicyUpdate, 'prove' | 'step' | 'canaryGap'>;
  readonly account: Account;
  progress(progress: Progress): void;
  /** To the experiment. */
  tell(message: RunMessage): void;
}

export interface Steps {
  prepare(input: StepInput, signal: AbortSignal): Promise<void>;
  draw(input: StepInput, signal: AbortSignal): Promise<void>;
  roll(input: StepInput): Promise<void>;
  update(input: StepInput): Promise<Updated>;
  publish(input: StepInput): Promise<void>;
  evaluate(input: StepInput & { readonly when: When }, signal: AbortSignal): Promise<void>;
  checkpoint(input: StepInput): Promise<void>;
  /** Nothing is rolled while the run pauses. */
  rest(): Promise<void>;
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
  let groups: readonly RolloutGroup[] = [];
  /** Steps under way → how their tasks were written. */
  const writing = new Map<number, HealthCount>();
  let paused: string | null = null;
  /** Published and proved: what groups that begin now are pinned to. */
  let newest: PolicyVersion = 0 as PolicyVersion;

  /**
   * With steps rolled ahead, tasks that an earlier process issued are taken as they are: D was another when it drew them, so they cannot be drawn again.
   * The curriculum draws all the same, which moves its cursor. A language model may not write twice the same either. Without, they are drawn again and must be equal.
   */
  const taken: ReadonlyMap<TaskId, Task> =
    config.rollout.staleness > 0 || config.roles.task === 'lm' ? parts.issued : new Map<TaskId, Task>();
  const draw = async (step: number, version: PolicyVersion, signal: AbortSignal): Promise<DrawnStep> => {
    phase('drawing', step, 0, config.rollout.tasks);
    const drawn = curriculum.draw(config.rollout.tasks);
    const cursor = curriculum.state.drawn;
    const health = config.roles.task === 'lm' ? new HealthCount(['task', 'tool']) : undefined;
    if (health !== undefined) writing.set(step, health);
    const writers = { ...drawing, ...(health === undefined ? {} : { health }) };
    const tasks = await drawTasks(config, writers, stepId(step), drawn, taken, version, signal);
    examination.guard(tasks);
    for (const task of unissued(tasks, parts.issued)) record.append({ kind: 'task.issued', step: stepId(step), task });
    return { tasks, cursor };
  };
  const ahead = rollAhead({
    staleness: config.rollout.staleness,
    lastStep: config.steps,
    draw,
    roll: (step, tasks, version, signal, onSealed) =>
      parts.roll(
        tasks.map((task) => jobOf(config, run, stepId(step), task, version)),
        { signal, onSealed, behind: config.rollout.staleness, begin: (job) => ({ ...job, version: newest }) },
      ),
  });

  return {
    prepare: async ({ step, version }, signal) => {
      phase('preparing', step, 0, 1);
      newest = version;
      spendTokens();
      await parts.loadTrainer();
      await parts.policyUpdate.prove();
      await examination.prepare(signal);
      account.begin();
    },
    draw: ({ step, version }, signal) =>
      account.timed('draw', async () => {
        await Promise.all([ahead.begin(step, version, signal), parts.calibration?.hold(step, version, signal)]);
      }),
    roll: ({ step }) =>
      account.timed('roll', async () => {
        groups = await ahead.groups(step, (sealed) => phase('rolling', step, sealed, config.rollout.tasks));
      }),
    update: async ({ step }) => {
      phase('updating', step, 0, 1);
      const now = { difficulty: curriculum.state.difficulty, drawn: ahead.cursor(step) };
      const written = writing.get(step)?.health;
      const request = { step: stepId(step), groups, curriculum: now, ...(written === undefined ? {} : { writing: written }) };
      const result = await account.timed('update', () => parts.policyUpdate.step(request));
      curriculum.reward(groups.flatMap(({ episodes }) => episodes.flatMap(({ reward }) => (reward === null ? [] : [reward]))));
      account.close(step, result, parts.policyUpdate.canaryGap);
      ahead.release(step);
      writing.delete(step);
      groups = [];
      paused = result.pause;
      if (paused !== null) tell({ type: 'run.interrupt' });
      spendTokens();
      const { committed, weights, curriculum: after } = result.standing;
      newest = weights.version;
      return { trained: committed?.trained ?? 0, version: weights.version, difficulty: after.difficulty };
    },
    // The policy update has published the new version and proved it.
    publish: async ({ step }) => phase('publishing', step, 1, 1),
    evaluate: async ({ step, version, when }, signal) => {
      // A budget has ended the run: what was rolled ahead will not be trained.
      if (when === 'after') await ahead.stop();
      const levels = await examination.hold(when, step - 1, version, signal, (sealed, of) => phase('evaluating', step, sealed, of));
      if (levels !== null) progress({ kind: 'evaluation', when, step, levels });
      if (when === 'before') account.begin();
    },
    checkpoint: async ({ step }) => {
      phase('closing', step, 0, 1);
      await ahead.stop();
      await record.flush({ sync: true });
    },
    rest: () => ahead.stop(),
    get paused() {
      return paused;
    },
  };
}
