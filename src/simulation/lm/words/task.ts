/**
 * The task writer, asked in words: the branch, the seven aspects, then the tools; it answers with the system prompt, the calls with what they give, and the requests.
 * A call's record is made of what the writer says it gives, so that the world holds what the solution needs. Values and words are the model's own.
 *
 *   system  plan BRANCH CALLS TURNS SYSTEM PERSONA QUERY            levels count from 1
 *   user    {lookup} TOPIC {NAME} {maybe NAME} answer GIVES                  one message a tool
 *   reply   WORDS {, TOPIC ( NAME = VALUE , … ) DEED VALUE} ? REQUEST [= ANSWER] {, … ? REQUEST [= ANSWER]}
 *
 * A value `it` is the last call's result, `first` the first one's.
 */
import type { JsonObject, JsonValue } from '../../../protocol/json.ts';
import type { World } from '../../../protocol/world.ts';
import type { Reading } from '../../contract.ts';
import type { Script, TaskBrief, TaskDraft } from '../dialect.ts';
import { deedFor, recordFor } from './records.ts';
import { deedOf, deeds, givesOf, parametersOf, part, plain, said, sign, spoken, topicOf, valueOf, wordsOf } from './speech.ts';

/** How somebody talks, by the aspect `persona`. */
const personas = ['expert', 'beginner', 'novice'] as const;
/** Words of a whole reply, calls, and requests at most. */
const mostWords = 200;
const mostCalls = 6;
const mostRequests = 3;

export const taskScript: Script<TaskBrief, TaskDraft> = {
  role: 'task',
  version: 1,
  prompt: ({ view: { aspects, tools }, branch }, complaints) => [
    {
      role: 'system',
      content: [
        part.task,
        branch,
        aspects.calls.value,
        aspects.turns.value,
        ...[aspects.system, aspects.persona, aspects.query].map(({ value }) => value + 1),
        ...complaints.map(() => sign.again),
      ].join(' '),
    },
    ...tools.map((tool) => ({
      role: 'user' as const,
      content: [
        ...topicOf(tool),
        ...parametersOf(tool).flatMap(({ name, required }) => [...(required ? [] : [sign.maybe]), name]),
        said.answer,
        givesOf(tool),
      ].join(' '),
    })),
  ],
  schema: () => undefined,
  read: (text, brief) => {
    const words = plain(text, { most: mostWords, signs: true });
    return words === undefined ? refused('words of the dialect only') : draftOf(partsOf(words), brief);
  },
  write: (draft, { view: { tools } }) => {
    let said = draft.system;
    draft.intent.requests.forEach((request, turn) => {
      draft.calls.forEach((call, index) => {
        if (call.turn !== turn) return;
        const tool = tools.find(({ name }) => name === call.name);
        if (tool === undefined) throw new RangeError(`no tool ${call.name}`);
        const record = draft.entities[tool.category]?.[idOf(index)] ?? {};
        const args = argumentsIn(draft, index).map(([name, value]) => `${name} = ${value}`);
        said += ` , ${tool.description} ( ${args.join(' , ')} ) ${deeds[deedFor(tool, call.arguments, record)]} ${spoken(record[givesOf(tool)])}`;
      });
      const answered = draft.answer !== undefined && turn === draft.intent.requests.length - 1 ? ` = ${draft.answer}` : '';
      said += `${turn > 0 && draft.calls.every((call) => call.turn !== turn) ? ' ,' : ''} ? ${request}${answered}`;
    });
    return wordsOf(said).join(' ');
  },
};

const refused = (complaint: string): { ok: false; complaint: string } => ({ ok: false, complaint });
const idOf = (call: number): string => `r${call + 1}`;

/** A reply cut at its marks: `,` and `?` outside brackets. */
interface Part {
  readonly mark: '' | ',' | '?';
  readonly words: readonly string[];
}

function partsOf(words: readonly string[]): Part[] {
  const parts: { mark: Part['mark']; words: string[] }[] = [{ mark: '', words: [] }];
  let inside = false;
  for (const word of words) {
    if (!inside && (word === ',' || word === '?')) parts.push({ mark: word, words: [] });
    else parts.at(-1)?.words.push(word);
    if (word === '(') inside = true;
    if (word === ')') inside = false;
  }
  return parts;
}

interface Written {
  readonly calls: { name: string; arguments: JsonObject; turn: number; result: JsonValue }[];
  readonly requests: string[];
  readonly facts: Record<string, string>;
  readonly topics: string[];
  readonly entities: World['entities'];
  answer?: string;
}

function draftOf([head, ...parts]: readonly Part[], brief: TaskBrief): Reading<TaskDraft> {
  const system = head?.words ?? [];
  if (system.length === 0 || system.some(isSign)) return refused('begin with the system prompt');
  const written: Written = { calls: [], requests: [], facts: {}, topics: [], entities: {} };
  for (const [index, { mark, words }] of parts.entries()) {
    // A comma before a question mark separates requests.
    if (mark === ',' && words.length === 0 && parts[index + 1]?.mark === '?') continue;
    const complaint = mark === '?' ? addRequest(written, words) : addCall(written, words, brief);
    if (complaint !== undefined) return refused(complaint);
  }
  const { calls, requests, facts, topics, entities, answer } = written;
  if (requests.length === 0) return refused('the user asks for nothing');
  if (calls.some(({ turn }) => turn >= requests.length)) return refused('a call that nobody asks for');
  const summary = topics.length > 0 ? topics.join(` ${sign.next} `) : answer === undefined ? said.none : said.answer;
  return {
    ok: true,
    answer: {
      system: system.join(' '),
      persona: personas[brief.view.aspects.persona.value] ?? personas[0],
      intent: { summary, requests, facts },
      calls: calls.map(({ name, arguments: args, turn }) => ({ name, arguments: args, turn })),
      ...(answer === undefined ? {} : { answer }),
      entities,
    },
  };
}

const isSign = (word: string): boolean => /^[(),=?]$/u.test(word);

function addRequest(written: Written, words: readonly string[]): string | undefined {
  const cut = words.indexOf('=');
  const request = cut < 0 ? words : words.slice(0, cut);
  const answer = cut < 0 ? [] : words.slice(cut + 1);
  if (request.length === 0 || [...request, ...answer].some(isSign)) return 'a request is words, and = before its answer';
  if (cut >= 0 && answer.length === 0) return 'no answer after =';
  if (written.requests.length >= mostRequests) return `more than ${mostRequests} requests`;
  if (cut >= 0) written.answer = answer.join(' ');
  written.requests.push(request.join(' '));
  return undefined;
}

/** `TOPIC ( NAME = VALUE , … ) DEED VALUE` */
function addCall(written: Written, words: readonly string[], { view }: TaskBrief): string | undefined {
  const open = words.indexOf('(');
  const close = words.indexOf(')');
  const [word = '', ...given] = words.slice(close + 1);
  const deed = deedOf(word);
  if (open < 1 || close < open || deed === undefined) return 'a call is TOPIC ( NAME = VALUE ) DEED VALUE';
  const topic = words.slice(0, open).join(' ');
  const tool = view.tools.find(({ description }) => description === topic);
  if (tool === undefined) return `there is no tool ${topic}`;
  if (written.calls.length >= mostCalls) return `more than ${mostCalls} calls`;
  if ((deed === 'find') !== (tool.effects === 'read') && tool.effects !== 'unknown')
    return `${topic} ${tool.effects === 'read' ? 'only reads' : 'does not only read'}`;
  const args = readArguments(written, words.slice(open + 1, close), parametersOf(tool));
  if (typeof args === 'string') return args;
  const result = valueOf(given, tool.returns);
  if (result === undefined || given.some(isSign)) return `${topic} gives no ${givesOf(tool)}`;
  const collection = Object.hasOwn(written.entities, tool.category) ? (written.entities[tool.category] ?? {}) : {};
  written.entities[tool.category] = { ...collection, [idOf(written.calls.length)]: recordFor(deed, tool, args, result) };
  written.calls.push({ name: tool.name, arguments: args, turn: written.requests.length, result });
  written.topics.push(topic);
  return undefined;
}

function readArguments(
  { calls, facts }: Written,
  words: readonly string[],
  parameters: ReturnType<typeof parametersOf>,
): JsonObject | string {
  const args: JsonObject = {};
  for (const [name = '', equals, ...value] of words.length === 0 ? [] : splitAt(words, ',')) {
    const parameter = parameters.find((known) => known.name === name);
    if (parameter === undefined || equals !== '=' || Object.hasOwn(args, name)) return `no such parameter: ${name}`;
    const pointed = value.length > 1 ? undefined : value[0] === sign.it ? calls.at(-1) : value[0] === sign.first ? calls[0] : undefined;
    const meant = pointed?.result ?? valueOf(value, parameter.schema);
    if (meant === undefined || value.some(isSign)) return `${name} has no value it may have`;
    args[name] = meant;
    if (pointed === undefined && !Object.hasOwn(facts, name)) facts[name] = spoken(meant);
  }
  return args;
}

function splitAt(words: readonly string[], separator: string): string[][] {
  const lists: string[][] = [[]];
  for (const word of words) {
    if (word === separator) lists.push([]);
    else lists.at(-1)?.push(word);
  }
  return lists;
}

/** The arguments of a call as a reply writes them: one that is an earlier result, and was never told, points to it. */
function argumentsIn({ calls, entities, intent }: TaskDraft, index: number): [string, string][] {
  const results = calls.slice(0, index).map((_, earlier) => resultOf(entities, earlier));
  return Object.entries(calls[index]?.arguments ?? {}).map(([name, value]) => {
    const text = spoken(value);
    if (intent.facts[name] === text) return [name, text];
    if (results.length > 0 && results.at(-1)?.includes(text) === true) return [name, sign.it];
    return [name, results[0]?.includes(text) === true ? sign.first : text];
  });
}

/** What the record of a call holds beside what it was found by. */
function resultOf(entities: TaskDraft['entities'], index: number): string[] {
  return Object.values(entities).flatMap((records) => {
    const record = Object.hasOwn(records, idOf(index)) ? records[idOf(index)] : undefined;
    return record === undefined ? [] : Object.values(record).slice(-1).map(spoken);
  });
}
