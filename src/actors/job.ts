/** A task as the pool plays it: the config's sampling, deadlines and attempts around it. */
import type { Config } from '../config.ts';
import { type GroupId, groupId, type PolicyVersion, type RunId, type StepId } from '../protocol/ids.ts';
import { SimulatorRole } from '../protocol/outcome.ts';
import type { Task } from '../protocol/task.ts';
import type { GroupJob, GroupSimulation } from './ports.ts';

/** What evaluation changes. */
export interface JobChanges {
  readonly group?: GroupId;
  readonly members?: number;
  readonly minimumScored?: number;
  readonly temperature?: number;
  /** Code plays all roles, whatever the config says. */
  readonly examined?: boolean;
}

export function jobOf(
  { seed, rollout, roles, simulation, world }: Config,
  run: RunId,
  step: StepId,
  task: Task,
  version: PolicyVersion,
  changes: JobChanges = {},
): GroupJob {
  const { turnMs, episodeMs, groupMs } = rollout.deadlines;
  const played = SimulatorRole.options.filter((role) => roles[role] === 'lm');
  return {
    run,
    step,
    group: changes.group ?? groupId(task.id),
    task,
    members: changes.members ?? rollout.group,
    minimumScored: changes.minimumScored ?? rollout.minimumScored,
    seed,
    version,
    sampling: {
      temperature: changes.temperature ?? rollout.temperature,
      maxTokens: rollout.maxTokens,
      contextLength: rollout.contextLength,
    },
    deadlines: { turnMs, episodeMs, groupMs },
    attempts: rollout.attempts,
    askAttempts: rollout.askAttempts,
    ...(changes.examined === true || played.length === 0
      ? {}
      : { simulation: { roles: played, transient: world.transient, ...groupSimulationOf(simulation) } }),
  };
}

const groupSimulationOf = ({ shared, cache, toolSeesIntent, fidelity, judge }: Config['simulation']): GroupSimulation => ({
  shared,
  cache,
  toolSeesIntent,
  fidelity,
  votes: judge.votes,
  scope: judge.scope,
});
