/** Names of things that travel together, branded so that one cannot be passed for another. All are path-safe and sort in time order. */
import { z } from 'zod';

export const RunId = z.string().min(1).brand<'RunId'>();
export type RunId = z.infer<typeof RunId>;

export const StepId = z.string().brand<'StepId'>();
export type StepId = z.infer<typeof StepId>;

export const TaskId = z.string().brand<'TaskId'>();
export type TaskId = z.infer<typeof TaskId>;

export const GroupId = z.string().brand<'GroupId'>();
export type GroupId = z.infer<typeof GroupId>;

export const EpisodeId = z.string().brand<'EpisodeId'>();
export type EpisodeId = z.infer<typeof EpisodeId>;

export const CallId = z.string().brand<'CallId'>();
export type CallId = z.infer<typeof CallId>;

/** Monotone number of a published policy; 0 is the base. */
export const PolicyVersion = z.int().min(0).brand<'PolicyVersion'>();
export type PolicyVersion = z.infer<typeof PolicyVersion>;

const padded = (n: number, width: number): string => String(n).padStart(width, '0');

export const stepId = (step: number): StepId => `s${padded(step, 5)}` as StepId;
export const taskId = (step: StepId, index: number): TaskId => `${step}.t${padded(index, 3)}` as TaskId;
/** One task gives one group, so they share their name. */
export const groupId = (task: TaskId): GroupId => task as string as GroupId;
export const episodeId = (group: GroupId, member: number): EpisodeId => `${group}.e${padded(member, 2)}` as EpisodeId;
