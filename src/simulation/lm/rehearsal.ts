/**
 * What a rehearsal proves about a task: the expected calls were made in order on the task's own world, and each found or changed what the task says. Makes no call itself.
 * Source: execution checks of APIGen (arXiv 2406.18518) and APIGen-MT (arXiv 2504.03601), here on a simulated world.
 */
import type { JsonValue } from '../../protocol/json.ts';
import type { Task } from '../../protocol/task.ts';
import type { ToolTurn } from '../../protocol/turn.ts';
import type { Reading } from '../contract.ts';
import type { TaskDraft } from './dialect.ts';
import { heardIn, isSaid, type Heard } from '../hearing.ts';
import { isGrounded, saidBefore, toldWhenAsked, type Flaw } from './solution.ts';

/** Before it is rehearsed, an argument that nobody says is taken to come from the call before. */
export function needsOf(draft: Pick<TaskDraft, 'system' | 'persona' | 'intent' | 'calls'>, index: number): number[] {
  return index > 0 && unsaidOf(draft, index).length > 0 ? [index - 1] : [];
}

/** The arguments of a call that neither a text before it nor the user's knowledge holds. */
function unsaidOf(draft: Pick<TaskDraft, 'system' | 'persona' | 'intent' | 'calls'>, index: number): [string, JsonValue][] {
  const call = draft.calls[index];
  if (call === undefined) return [];
  const heard = saidBefore(draft, call.turn) + toldWhenAsked(draft);
  return Object.entries(call.arguments).filter(([name, value]) => !isGrounded(heard, name, value));
}

/** What is wrong with the last of these answers, one per expected call made so far; undefined when the next call can be made. */
export function flawOfAnswer(task: Task, answers: readonly ToolTurn[]): Flaw | undefined {
  const index = answers.length - 1;
  const [turn, expected] = [answers[index], task.expectedCalls[index]];
  if (turn === undefined || expected === undefined) return undefined;
  const call = `call ${index + 1} (${expected.name})`;
  const stray = needed(task, answers, index).find(({ from }) => from === undefined);
  if (stray !== undefined) {
    const returned = answers.slice(0, index).map(({ result }) => shown(result));
    return {
      defect: 'ungrounded',
      complaint: `${stray.name} = ${shown(stray.value)} of ${call} is said by nobody and returned by no earlier call; they returned ${returned.join(' and ')}`,
    };
  }
  if (turn.status === 'notFound') {
    // Only the end of a task can be that there is no such thing; and it must be known that there is not.
    const isEnd = index === task.expectedCalls.length - 1 && Object.keys(task.world.entities).length > 0;
    return isEnd ? undefined : { defect: 'unsolvable', complaint: `${call} finds nothing: the records must hold what it looks for` };
  }
  if (turn.status !== 'ok') return { defect: 'unsolvable', complaint: `${call} is answered ${turn.status}` };
  const effects = task.tools.find(({ name }) => name === expected.name)?.effects;
  const changed = turn.patch.some(({ op }) => op !== 'count');
  if (effects === 'write' && !changed) return { defect: 'unsolvable', complaint: `${call} changes nothing in the records` };
  if (effects !== 'write' && !changed && isEmpty(turn.result)) return { defect: 'unsolvable', complaint: `${call} returns nothing` };
  return undefined;
}

/** The task as its rehearsal showed it to be. `retries`: calls that were busy and had to be made again. */
export function rehearsedTask(task: Task, answers: readonly ToolTurn[], retries: number): Reading<Task> {
  const last = answers.at(-1);
  const asksAbout = task.intent.requests.length > new Set(task.expectedCalls.map(({ turn }) => turn)).size;
  const answer = task.expectedAnswer ?? (asksAbout && last !== undefined ? scalarOf(last.result) : undefined);
  if (asksAbout && (last === undefined || last.status !== 'ok'))
    return { ok: false, defect: 'unsolvable', complaint: 'the last request asks about a result, and there is none' };
  if (asksAbout && last !== undefined && answer !== undefined && !isSaid(wordsIn(last.result), answer))
    return {
      ok: false,
      defect: 'ungrounded',
      complaint: `the answer ${shown(answer)} is not in what the last call returns: ${shown(last.result)}`,
    };
  return {
    ok: true,
    answer: {
      ...task,
      expectedCalls: task.expectedCalls.map((call, index) => ({ ...call, needs: sourcesOf(task, answers, index) })),
      ...(answer === undefined ? {} : { expectedAnswer: answer }),
      rehearsal: answers.map(({ status, result, patch }) => ({ status, result, patch })),
      maxTurns: task.maxTurns + retries,
    },
  };
}

/** Each argument that only an earlier result can hold, with the latest such result; undefined where none does. */
function needed(task: Task, answers: readonly ToolTurn[], index: number): { name: string; value: JsonValue; from: number | undefined }[] {
  const draft = { system: task.system, persona: task.persona, intent: task.intent, calls: task.expectedCalls };
  return unsaidOf(draft, index).map(([name, value]) => {
    const from = answers.slice(0, index).findLastIndex(({ result }) => holds(result, value));
    return { name, value, from: from < 0 ? undefined : from };
  });
}

const sourcesOf = (task: Task, answers: readonly ToolTurn[], index: number): number[] => [
  ...new Set(needed(task, answers, index).flatMap(({ from }) => from ?? [])),
];

function holds(result: JsonValue, value: JsonValue): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).every((part: JsonValue) => holds(result, part));
  return leavesOf(result).includes(value) || isSaid(wordsIn(result), value);
}

const wordsIn = (result: JsonValue): Heard => heardIn(...leavesOf(result).map(String));

const leavesOf = (value: JsonValue): JsonValue[] =>
  typeof value === 'object' && value !== null ? Object.values(value).flatMap((part: JsonValue) => leavesOf(part)) : [value];

const isEmpty = (value: JsonValue): boolean =>
  value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);

const scalarOf = (value: JsonValue): string | undefined => (typeof value === 'object' || value === '' ? undefined : String(value));
const shown = (value: JsonValue): string => JSON.stringify(value).slice(0, 200);
