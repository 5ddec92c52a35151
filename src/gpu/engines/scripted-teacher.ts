/**
 * A policy for the scripted engine that knows the answers: it is told each group's task and the turns a teacher would take, finds its place in the
 * conversation by counting the agent's headers in the prompt, and says the teacher's turn, or, by chance, a wrong one. It lets a whole run go in seconds
 * without a model; it is no model, and says so by name.
 */
import { EngineFault } from '../../errors.ts';
import type { GroupId, PolicyVersion } from '../../protocol/ids.ts';
import type { Task } from '../../protocol/task.ts';
import type { AgentTurn, Turn } from '../../protocol/turn.ts';
import { seedOf, uniform } from '../../random.ts';
import { probeGroup } from '../lane-probe.ts';
import type { Renderer } from '../tokens/renderer.ts';
import type { ScriptedPolicy } from './scripted.ts';

export interface TeacherOptions {
  readonly renderer: Renderer;
  /** The whole conversation of a teacher on this task. */
  turnsOf(task: Task): readonly Turn[];
  /** Share of turns said right, in [0, 1]; may rise with the version, as a trained policy's would. Default 1. */
  skill?(version: PolicyVersion, task: Task): number;
}

export interface Teacher {
  readonly policy: ScriptedPolicy;
  /** Must come before the group's first call. `turnsOf`: where this group's conversation is not the one that the task alone tells. */
  learn(group: GroupId, task: Task, turnsOf?: TeacherOptions['turnsOf']): void;
  forget(group: GroupId): void;
}

interface Lesson {
  readonly task: Task;
  readonly turnsOf: TeacherOptions['turnsOf'];
  /** The ids of each agent turn, in order. Written when first asked. */
  script?: readonly Int32Array[];
}

export function teacher({ renderer, ...ports }: TeacherOptions): Teacher {
  const lessons = new Map<GroupId, Lesson>();
  const header = renderer.extend([], true);
  if (header === null) throw new EngineFault(`the template ${renderer.name} does not append: a teacher cannot find its place in it`);

  const scriptOf = (lesson: Lesson): readonly Int32Array[] =>
    (lesson.script ??= lesson
      .turnsOf(lesson.task)
      .filter((turn): turn is AgentTurn => turn.role === 'agent')
      .map((turn) => renderer.write(turn, lesson.task)));

  return {
    learn: (group, task, turnsOf = ports.turnsOf) => void lessons.set(group, { task, turnsOf }),
    forget: (group) => void lessons.delete(group),
    policy: (request, seed, version) => {
      // A probe wants any token at all, on a piece of a prompt.
      if (request.group === probeGroup) return request.ids.slice(-1);
      const lesson = lessons.get(request.group);
      if (lesson === undefined) throw new EngineFault(`the teacher was never told of group ${request.group}`);
      const script = scriptOf(lesson);
      const last = script.length - 1;
      const place = Math.min(last, Math.max(0, occurrences(request.ids, header) - 1));
      const right = uniform(seedOf(seed, 'skill'), 0) < (ports.skill?.(version, lesson.task) ?? 1);
      // The wrong turn is one the teacher says elsewhere: readable, and out of place.
      const said = right ? place : place === last ? 0 : last;
      return script[said] as Int32Array;
    },
  };
}

function occurrences(ids: Int32Array, pattern: Int32Array): number {
  let count = 0;
  for (let at = 0; at + pattern.length <= ids.length; at++) if (pattern.every((id, i) => ids[at + i] === id)) count++;
  return count;
}
