/** The judge's prompt about several assistants at once, each with the events of its own; and its reply, the findings on each by its number. Which stands where is the caller's choice. */
import type { JsonObject } from '../../../protocol/json.ts';
import type { CriterionName } from '../../../protocol/task.ts';
import type { JudgeDraft, JudgeQuestion, Script } from '../dialect.ts';
import { record, replyIn } from './form.ts';
import { changed, eventOf, formOf, judgeSystem, meanings, taskData } from './judge.ts';
import { pageOf } from './page.ts';

export const panelSystem = `${judgeSystem}

Here several assistants served the same user, each by itself. The data holds their conversations side by side; in which order they stand means nothing. Compare them: what one of them did shows what could be done. But decide on each by its own events, and take evidence for it from its own events only. There is no best or worst to be found: all may meet a criterion, or none.

Reply with one JSON object and nothing else, one entry for each conversation by its number, and in it one for each criterion asked about it: {"1": {"<criterion>": {"evidence": "...", "met": true}}}`;

const numbered = (index: number): string => String(index + 1);

function formOfAll(questions: readonly JudgeQuestion[]): JsonObject {
  return record(Object.fromEntries(questions.map((question, index) => [numbered(index), formOf(question)])));
}

const requestOf = (criteria: readonly CriterionName[], count: number): string =>
  `Decide on each of the ${count} conversations what is asked about it:\n${criteria.map((name) => `- ${name}: ${meanings[name]}.`).join('\n')}`;

export const panelScript: Script<readonly JudgeQuestion[], readonly JudgeDraft[]> = {
  role: 'judge',
  version: 1,
  prompt: (questions, complaints) => {
    const task = questions[0]?.view.task;
    return pageOf({
      system: panelSystem,
      request: requestOf([...new Set(questions.flatMap(({ criteria }) => criteria))], questions.length),
      data: {
        ...(task === undefined ? {} : { task: taskData(task), worldBefore: task.world }),
        conversations: questions.map(({ view, criteria }, index) => ({
          conversation: numbered(index),
          asked: [...criteria],
          events: view.turns.map(eventOf),
          worldAfter: { entities: changed(view.task.world.entities, view.world.entities), occurrences: view.world.occurrences },
        })),
      },
      complaints,
    });
  },
  schema: formOfAll,
  read: (said, questions) => {
    const found = replyIn(said, formOfAll(questions));
    if (!found.ok) return found;
    return { ok: true, answer: questions.map((_, index) => found.answer[numbered(index)] as unknown as JudgeDraft) };
  },
  write: (drafts) => JSON.stringify(Object.fromEntries(drafts.map((draft, index) => [numbered(index), draft]))),
};
