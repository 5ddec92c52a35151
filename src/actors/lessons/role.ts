/**
 * What the tiny model is shown of the roles it plays: prompts in the dialect of words, with right answers that follow from procedural tasks. Trains nothing.
 * It stands here because those who know the words and those who know the answers must not know each other (layers: simulation/lm and simulation/procedural).
 */
import type { SimulatorRole } from '../../protocol/outcome.ts';
import type { Branch } from '../../protocol/task.ts';
import { type Seed, seedOf, type Stream, stream } from '../../random.ts';
import type { TaskView, TaskWriter } from '../../simulation/contract.ts';
import { lmTaskWriter } from '../../simulation/lm/task.ts';
import { words } from '../../simulation/lm/words/words.ts';
import type { WorldMix } from '../../simulation/procedural/plan.ts';
import { writeTask } from '../../simulation/procedural/task.ts';
import { judgeLesson } from './judge.ts';
import { type Lesson, readers } from './lesson.ts';
import { toolLesson } from './tool.ts';
import { userLesson } from './user.ts';
import { writtenTask } from './written.ts';

/** Shares of the lessons. A task has many words and much to decide; a verdict is one word, and hard to learn from. */
const shares: readonly (readonly [SimulatorRole, number])[] = [
  ['task', 0.3],
  ['user', 0.18],
  ['tool', 0.3],
  ['judge', 0.22],
];
/** Share of lessons in which an earlier answer was refused. */
const repairs = 0.1;
const refusal = 'refused';
/** Tasks tried for one lesson: some cannot be said in a role's words, or are decided by code alone. */
const mostAttempts = 64;

/** Draws a lesson: a pure function of its arguments. `view` draws what a task of this seed is to be about, with the tools' own names. */
export function roleLesson(
  view: (seed: Seed) => TaskView,
  mix: WorldMix,
  seed: Seed,
  wanted?: SimulatorRole,
): Lesson & { readonly role: SimulatorRole } {
  const draws = stream(seedOf(seed, 'role'));
  let at = draws.next();
  const role = wanted ?? shares.find(([, share]) => (at -= share) < 0)?.[0] ?? 'task';
  const complaints = draws.chance(repairs) ? Array.from({ length: 1 + draws.int(2) }, () => refusal) : [];
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const lesson = lessonOf(role, view(seedOf(seed, 'attempt', attempt)), mix, complaints, draws);
    if (lesson !== undefined) return { role, ...lesson };
  }
  throw new RangeError(`no lesson of the role ${role} in ${mostAttempts} tasks`);
}

function lessonOf(role: SimulatorRole, view: TaskView, mix: WorldMix, complaints: readonly string[], draws: Stream): Lesson | undefined {
  if (role === 'judge') return judgeLesson(writeTask(view, { ...mix, scramble: 0 }), complaints, draws);
  const written = writtenTask(view, mix);
  if (written === undefined) return undefined;
  switch (role) {
    case 'task':
      return {
        messages: words.task.prompt(written.brief, complaints),
        reply: words.task.write(written.draft, written.brief),
        read: (text) => writerOf(written.brief.branch).read(text, written.brief.view),
      };
    case 'user':
      return userLesson(written.source, complaints, draws);
    case 'tool':
      return toolLesson(written, complaints, draws);
    default:
      return role satisfies never;
  }
}

/** The writer that is asked for this branch alone. */
const writerOf = (branch: Branch): TaskWriter =>
  lmTaskWriter(words.task, { ...readers, branches: { call: 0, ask: 0, answer: 0, none: 0, [branch]: 1 } });
