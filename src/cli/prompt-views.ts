/** What each role would see of a task, and of what happened, that lie in a file or in a run's journal. Files come from anywhere: what has not the right shape is refused by its path. */
import { readFileSync, statSync } from 'node:fs';
import { repositoryFor } from '../actors/drawing.ts';
import type { Config } from '../config.ts';
import { boundarySync, ConfigFault } from '../errors.ts';
import { aspectsAt } from '../learning/curriculum.ts';
import type { TaskId } from '../protocol/ids.ts';
import type { JsonValue } from '../protocol/json.ts';
import { Task } from '../protocol/task.ts';
import { ToolCall } from '../protocol/tool.ts';
import { Turn } from '../protocol/turn.ts';
import type { World } from '../protocol/world.ts';
import { seedOf, stream } from '../random.ts';
import { findFolder } from '../record/folder.ts';
import { conversationOf, type JudgeView, type TaskView, type ToolView, type UserView } from '../simulation/contract.ts';
import { disguise } from '../simulation/procedural/disguise.ts';
import { applyPatch } from '../simulation/state.ts';
import { validateCall } from '../simulation/validate.ts';
import { taskView } from '../simulation/view.ts';
import { isRecord } from '../tools/schema.ts';
import { checkShape } from '../tools/shape.ts';
import { printableLine } from './printable.ts';
import { memberOf, sealedGroups } from './show.ts';

/** Where the question comes from. */
export interface Material {
  readonly task?: string;
  readonly turns?: string;
  readonly episode?: string;
  readonly run: string;
  readonly dir: string;
  readonly call?: string;
  readonly difficulty: number;
  readonly tools?: string;
  readonly seed: number;
}

/** A view such as a run would draw at this difficulty. */
export function taskViewOf(config: Config, { difficulty, tools, seed }: Material): TaskView {
  const list = tools ?? config.tools;
  const { repository } = repositoryFor({ ...config, tools: list, roles: { ...config.roles, task: 'lm' } });
  const id = 's00001.t000' as TaskId;
  const aspects = aspectsAt(difficulty, stream(seedOf(seed, 'aspects')), config.curriculum.soft);
  const view = taskView(repository, { id, split: 'train', difficulty, aspects, seed: seedOf(seed, id) });
  return list === 'builtin' ? { ...view, tools: disguise(view.tools, view.split, view.seed) } : view;
}

export function userViewOf(material: Material): UserView {
  const { task, turns } = sceneOf(material);
  return { persona: task.persona, intent: task.intent, conversation: conversationOf([{ role: 'user', text: task.query }, ...turns]) };
}

export function toolViewOf({ simulation }: Config, material: Material): ToolView {
  const { task, turns } = sceneOf(material);
  const call = material.call === undefined ? task.expectedCalls[0] : parsed(ToolCall, json(material.call, '--call'), '--call');
  if (call === undefined) throw new ConfigFault('the task expects no call: say which with --call \'{"name": …, "arguments": {…}}\'');
  const checked = validateCall(task.tools, call);
  if (!checked.ok)
    throw new ConfigFault(`the tool is not asked: code refuses this call (${checked.status}: ${printableLine(checked.complaint)})`);
  const { intent, expectedCalls } = task;
  return {
    tool: checked.tool,
    call: { name: call.name, arguments: call.arguments },
    world: worldAfter(task.world, turns),
    ...(simulation.toolSeesIntent ? { peek: { intent, expectedCalls } } : {}),
  };
}

export function judgeViewOf(material: Material): JudgeView {
  const { task, turns } = sceneOf(material);
  return {
    task,
    turns: turns.map((turn) => (turn.role === 'agent' ? { ...turn, thought: '' } : turn)),
    world: worldAfter(task.world, turns),
  };
}

const worldAfter = (world: World, turns: readonly Turn[]): World =>
  turns.reduce((after, turn) => (turn.role === 'tool' ? applyPatch(after, turn.patch) : after), world);

interface Scene {
  readonly task: Task;
  readonly turns: readonly Turn[];
}

function sceneOf({ task, turns, episode, run, dir }: Material): Scene {
  if (episode !== undefined) return recorded(episode, run, dir);
  if (task === undefined) throw new ConfigFault('which task? --task <file> or --episode <id>');
  const held = fileOf(task);
  return {
    task: parsed(Task, isRecord(held) && isRecord(held['task']) ? held['task'] : held, task),
    turns: turns === undefined ? [] : parsed(Turn.array(), fileOf(turns), turns),
  };
}

function recorded(id: string, run: string, dir: string): Scene {
  const folder = findFolder(dir, run);
  const [group] = sealedGroups(folder, id);
  const member = group === undefined ? undefined : memberOf(group, id);
  const episode = group?.episodes.find((one) => one.member === member);
  if (group === undefined || episode === undefined) throw new ConfigFault(`no episode ${printableLine(id)} in ${folder.name}`);
  return { task: group.task, turns: episode.turns };
}

const largest = 64 * 1024 * 1024;

function fileOf(path: string): JsonValue {
  const text = boundarySync(ConfigFault, printableLine(path), () => {
    const file = statSync(path);
    if (!file.isFile()) throw new ConfigFault(`${printableLine(path)}: no file`);
    if (file.size > largest) throw new ConfigFault(`${printableLine(path)}: larger than ${largest / 1024 / 1024} MiB`);
    return readFileSync(path, 'utf8');
  });
  return json(text, path);
}

function json(text: string, place: string): JsonValue {
  const value = boundarySync(ConfigFault, `${printableLine(place)} is no JSON`, () => JSON.parse(text) as JsonValue);
  checkShape(value, printableLine(place), 'refused');
  return value;
}

interface Schema<T> {
  safeParse(
    value: unknown,
  ): { success: true; data: T } | { success: false; error: { issues: readonly { path: PropertyKey[]; message: string }[] } };
}

function parsed<T>(schema: Schema<T>, value: JsonValue, place: string): T {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const lines = read.error.issues
    .slice(0, 5)
    .map(({ path, message }) => printableLine(`${place}: ${path.map(String).join('.')}: ${message}`));
  throw new ConfigFault(lines.join('\n'));
}
