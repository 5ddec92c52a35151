/**
 * The task writer that is a language model: code draws the branch, the model writes, code checks all that can be checked without making a call, and completes the task.
 * It proves nothing about results: rehearsing does. Source: TRUSTEE (arXiv 2604.17739), the task simulator; the paper checks none of this.
 */
import { CriterionName, type Task } from '../../protocol/task.ts';
import { levelOfPersona, personaLevels } from '../aspects.ts';
import type { TaskView, TaskWriter } from '../contract.ts';
import { branchOf } from './brief.ts';
import type { Script, TaskBrief, TaskDraft } from './dialect.ts';
import type { LmSettings } from './settings.ts';
import { flawsOfCalls } from './solution.ts';
import { needsOf } from './rehearsal.ts';
import { flawsOfWords } from './wording.ts';

/** Agent turns beyond the shortest solution before the episode is cut; as in the procedural world. */
const spareTurns = 3;
/** Complaints told at once: a small model that is told ten things mends none. */
const complaintsTold = 3;

export function lmTaskWriter(
  script: Script<TaskBrief, TaskDraft>,
  { branches, temperature, maxTokens, structured }: LmSettings,
): TaskWriter {
  const briefOf = (view: TaskView): TaskBrief => ({ view, branch: branchOf(view, branches) });
  return {
    role: 'task',
    pose: (view, complaints) => {
      const brief = briefOf(view);
      const schema = structured ? script.schema(brief) : undefined;
      return {
        kind: 'chat',
        messages: script.prompt(brief, complaints),
        ...(schema === undefined ? {} : { schema }),
        maxTokens: maxTokens.task,
        temperature: temperature.task,
      };
    },
    read: (reply, view) => {
      if (typeof reply !== 'string') return { ok: false, complaint: 'no text' };
      const brief = briefOf(view);
      const reading = script.read(reply, brief);
      if (!reading.ok) return reading;
      const draft = reading.answer;
      const flaws = [...flawsOfWords(draft, brief), ...flawsOfCalls(draft, brief)];
      const [worst] = flaws;
      if (worst === undefined) return { ok: true, answer: taskOf(draft, brief) };
      const complaint = flaws
        .slice(0, complaintsTold)
        .map((each) => each.complaint)
        .join('; ');
      return { ok: false, complaint, defect: worst.defect };
    },
  };
}

/** The task that a flawless draft makes. */
function taskOf(draft: TaskDraft, { view, branch }: TaskBrief): Task {
  const { system, persona, intent, calls, answer, entities } = draft;
  const { id, split, difficulty, aspects, tools, seed } = view;
  const { summary, requests, facts } = intent;
  const asks = branch === 'ask' ? 1 : 0;
  return {
    id,
    split,
    difficulty,
    aspects,
    branch,
    tools: [...tools],
    system,
    // Whoever plays the user is told its level in any case.
    persona: levelOfPersona(persona) === undefined ? `${personaLevels[aspects.persona.value] ?? ''}. ${persona}` : persona,
    intent: { summary, requests: [...requests], facts: { ...facts } },
    query: requests[0] as string,
    expectedCalls: calls.map(({ name, arguments: args, turn }, index) => ({
      name,
      arguments: args,
      needs: needsOf(draft, index),
      turn,
    })),
    ...(answer === undefined ? {} : { expectedAnswer: answer }),
    world: { entities, occurrences: {} },
    criteria: CriterionName.options.slice(0, aspects.criteria.value + 1),
    maxTurns: calls.length + requests.length + asks + spareTurns,
    seed,
  };
}
