/** Whether the calls a writer expects can be made, by an agent that hears what the user says: tools, schemas, counts, turns, and where each argument comes from. Runs nothing: rehearsing does. */
import type { Defect } from '../../protocol/health.ts';
import type { JsonValue } from '../../protocol/json.ts';
import { validateCall } from '../validate.ts';
import { requiredOf, wantedOf } from './brief.ts';
import type { TaskBrief, TaskDraft } from './dialect.ts';
import { type Heard, heardIn, isImplied, isSaid, nameWords, wordsOf } from '../hearing.ts';
import { isPlaceholder } from './hygiene.ts';

/** What is wrong, in words a writer can act on. */
export interface Flaw {
  readonly complaint: string;
  readonly defect: Defect;
}
const flaw = (defect: Defect, complaint: string): Flaw => ({ complaint, defect });
const quoted = (value: JsonValue): string => JSON.stringify(value);

/** What is wrong with the calls, in their order; those that cannot be made at all come first. */
export function flawsOfCalls(draft: TaskDraft, brief: TaskBrief): Flaw[] {
  const structural = flawsOfShape(draft, brief);
  if (structural.length > 0) return structural;
  switch (brief.branch) {
    case 'call':
      return flawsOfGrounds(draft, brief);
    case 'ask':
      return [...flawsOfQuestion(draft, brief), ...flawsOfGrounds(draft, brief)];
    case 'answer':
      return flawsOfAnswer(draft);
    case 'none':
      return flawsOfNothing(draft, brief);
    default:
      return brief.branch satisfies never;
  }
}

function flawsOfShape({ calls, intent }: TaskDraft, { view, branch }: TaskBrief): Flaw[] {
  const wanted = wantedOf({ view, branch });
  const flaws = calls.flatMap((call, index): Flaw[] => {
    const checked = validateCall(view.tools, call);
    return checked.ok ? [] : [flaw('malformed', `call ${index + 1} (${call.name.slice(0, 64)}) cannot be made: ${checked.complaint}`)];
  });
  if (calls.length !== wanted.calls)
    flaws.push(flaw('unsolvable', `${calls.length} calls are written; this task needs exactly ${wanted.calls}`));
  const { length } = intent.requests;
  if (length !== wanted.requests)
    flaws.push(flaw('unsolvable', `the user makes ${length} requests; this task needs exactly ${wanted.requests}`));
  const turns = calls.map(({ turn }) => turn);
  if (turns.some((turn, index) => !Number.isInteger(turn) || turn < (turns[index - 1] ?? 0) || turn >= length))
    flaws.push(flaw('unsolvable', `the calls' turns must rise from 0 and stay below the number of requests (${length})`));
  const served = new Set(turns).size;
  if (calls.length > 0 && served < Math.min(length, calls.length))
    flaws.push(flaw('unsolvable', 'each request must be served by at least one call, beginning with the first (turn 0)'));
  return flaws;
}

/** What an agent may take values from when it makes this call, the user's answers to its questions aside. */
export const saidBefore = ({ system, intent }: Pick<TaskDraft, 'system' | 'intent'>, turn: number): Heard =>
  heardIn(system, ...intent.requests.slice(0, turn + 1));
export const toldWhenAsked = ({ intent, persona }: Pick<TaskDraft, 'persona' | 'intent'>): Heard =>
  heardIn(...Object.values(intent.facts), persona);

export const isGrounded = (heard: Heard, name: string, value: JsonValue): boolean => isSaid(heard, value) || isImplied(heard, name, value);

/**
 * Every argument is said by the query, by a request of this turn or an earlier one, by the system prompt, or by what the user tells when asked. One of a later call may come from
 * an earlier result instead, which rehearsing shows. What is required of the first call of a plain task must be said unasked, and so must all of a clear one.
 */
function flawsOfGrounds(draft: TaskDraft, { view, branch }: TaskBrief): Flaw[] {
  const facts = toldWhenAsked(draft);
  return draft.calls.flatMap(({ name, arguments: args, turn }, index) => {
    const heard = saidBefore(draft, turn);
    const tool = view.tools.find((each) => each.name === name);
    const required = tool === undefined ? [] : requiredOf(tool);
    return Object.entries(args).flatMap(([parameter, value]): Flaw[] => {
      const where = `${parameter} = ${quoted(value)} of call ${index + 1} (${name})`;
      if (typeof value === 'string' && isPlaceholder(value) && !isChoice(tool?.parameters, parameter, value))
        return [flaw('ungrounded', `${where} is a placeholder: use a real value that the user says`)];
      if (isGrounded(heard, parameter, value)) return [];
      if (!isGrounded(facts, parameter, value)) {
        if (index > 0) return [];
        return [flaw('ungrounded', `${where} is said nowhere: the request must contain it word for word`)];
      }
      const unasked = branch === 'call' && (view.aspects.query.value === 0 || (index === 0 && required.includes(parameter)));
      return unasked ? [flaw('ungrounded', `${where} stands in the facts alone: the request must contain it word for word`)] : [];
    });
  });
}

function isChoice(parameters: TaskBrief['view']['tools'][number]['parameters'] | undefined, name: string, value: JsonValue): boolean {
  const properties = parameters?.['properties'] as Record<string, { enum?: JsonValue } | undefined> | undefined;
  const values = properties !== undefined && Object.hasOwn(properties, name) ? properties[name]?.enum : undefined;
  return Array.isArray(values) && values.includes(value);
}

/** One required argument of the first call is for the user to tell, and for nobody to read. */
function flawsOfQuestion(draft: TaskDraft, { view }: TaskBrief): Flaw[] {
  const [first] = draft.calls;
  const tool = view.tools.find(({ name }) => name === first?.name);
  if (first === undefined || tool === undefined) return [];
  const heard = saidBefore(draft, 0);
  const missing = requiredOf(tool).filter(
    (name) => Object.hasOwn(first.arguments, name) && !isSaid(heard, first.arguments[name] as JsonValue),
  );
  if (missing.length !== 1)
    return [
      flaw(
        'unsolvable',
        missing.length === 0
          ? `the request says every required argument of ${tool.name}: leave exactly one of them out and put it into the facts`
          : `the request leaves out ${missing.join(', ')}: leave out exactly one required argument of ${tool.name}`,
      ),
    ];
  const [name] = missing as [string];
  const known = heardIn(...Object.values(draft.intent.facts));
  return isSaid(known, first.arguments[name] as JsonValue)
    ? []
    : [flaw('ungrounded', `the facts do not hold the value of ${name} that the request leaves out`)];
}

function flawsOfAnswer({ system, answer, intent }: TaskDraft): Flaw[] {
  if (answer === undefined || wordsOf(answer) === '') return [flaw('unsolvable', 'the right answer is missing')];
  if (!isSaid(heardIn(system), answer))
    return [flaw('ungrounded', `the system prompt does not hold the answer ${quoted(answer)} word for word`)];
  return isSaid(heardIn(intent.requests[0] ?? ''), answer) ? [flaw('leak', 'the request already says its own answer')] : [];
}

/** Words that any description may hold. */
const common = new Set('the and for with from that this get set use your you are all any its given data api'.split(' '));
/** Share of what a tool is said to do that a request may repeat while it still asks for something else. */
const likeness = 0.6;

/** No tool may be able to serve the request. What code can tell: the request does not name what one of them does. */
function flawsOfNothing({ intent }: TaskDraft, { view }: TaskBrief): Flaw[] {
  const heard = heardIn(...intent.requests);
  const share = (words: readonly string[]): number =>
    words.length === 0 ? 0 : words.filter((word) => heard.includes(` ${word} `)).length / words.length;
  const able = view.tools.find(({ name, description }) => {
    const named = nameWords(name).filter((word) => word.length > 2);
    const described = [...new Set(wordsOf(description).split(' '))].filter((word) => word.length > 2 && !common.has(word));
    return (named.length > 1 && share(named) === 1) || share(described) >= likeness;
  });
  return able === undefined
    ? []
    : [flaw('unsolvable', `the tool ${able.name} seems to serve this request; ask for something that no listed tool can do`)];
}
