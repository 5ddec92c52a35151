/** The task writer's prompt: the seven aspects and the branch in words, the tools as data; and its reply, a whole task as one object. Knows the form; whether the task is sound is decided elsewhere. */
import type { JsonObject } from '../../../protocol/json.ts';
import { type Branch, CriterionName } from '../../../protocol/task.ts';
import type { ToolSpec } from '../../../protocol/tool.ts';
import { isHostileKey } from '../../../tools/schema.ts';
import type { Reading } from '../../contract.ts';
import { wantedOf } from '../brief.ts';
import type { Script, TaskBrief, TaskDraft } from '../dialect.ts';
import { anyRecord, decodable, fitsGrammar, list, record, replyIn, text } from './form.ts';
import { dataRule, pageOf } from './page.ts';

export const taskSystem = `You write tasks that train an assistant to serve a user by calling tools. The tools, the records behind them and the user are all simulated: you make them up.
You are told the properties the task must have, and the tools. ${dataRule}

What you write:
- system: the system prompt of the assistant. The tools are added to it by themselves; do not describe them.
- persona: who the user is and how they talk, in one or two sentences.
- summary: what the user wants to reach, in one sentence, so exact that somebody else can tell whether it was reached.
- records: the world before the conversation, a list of {collection, id, record}.
- calls: the calls that reach it, in order, a list of {tool, arguments, turn}; turn is the number of the request that asks for the call, from 0.
- requests: what the user says, one text for each turn; the first one opens the conversation.
- facts: what the user can tell when asked, a list of {slot, answer}; slot is the word a question names it by. All that the requests say may be asked again.

Rules:
1. Every value in the arguments of a call stands, letter for letter, in the request of its turn or an earlier one, in the system prompt, or in the record that an earlier call returns. The user cannot know identifiers that only the system has.
2. The records hold all that the calls look up, change or remove, with the very same values, and a few similar ones that would be wrong. What a call is to create is not there yet.
3. A call gives every required argument, and an optional one only where the user asks for it. Each call is needed, and none is made twice.
4. The user talks like a person: of what they want, never of tools, parameters, calls, JSON or records.
5. Invent fresh names, places, numbers and dates. Write no placeholders.

Reply with one JSON object and nothing else:
{"system": "...", "persona": "...", "summary": "...", "records": [{"collection": "...", "id": "...", "record": {...}}], "calls": [{"tool": "...", "arguments": {...}, "turn": 0}], "requests": ["..."], "facts": [{"slot": "...", "answer": "..."}]}`;

const branches: Readonly<Record<Branch, string>> = {
  call: 'It calls a tool: the requests say all that the calls need.',
  ask: 'It asks: the first request leaves out one required argument of the first call, which cannot be guessed; a fact holds it, its slot named like the parameter.',
  answer:
    'It answers at once: the system prompt itself says what the user asks for, and no tool is needed. Give "answer" too: the few words of the system prompt that a right answer must contain.',
  none: 'It says that it cannot help: the user wants something definite that none of the tools does.',
};
const systems = [
  'detailed: several sentences on whom the assistant serves, what it may do, and how it should go about it',
  'short: one or two sentences on whom the assistant serves, at most 30 words',
  'generic: one sentence of at most 15 words that would fit any assistant',
];
const personas = [
  'an expert (say so), who uses exact words and wastes none',
  'a beginner (say so), who is friendly and sometimes uses the wrong word',
  'a novice (say so), who does not know how things are called and talks around them',
];
const queries = [
  'clear: it says plainly what is wanted, with every value named for what it is',
  'somewhat ambiguous: what is wanted must be inferred from everyday words, though all values are there',
  'highly ambiguous: it describes a situation rather than a wish, and what is meant follows only from the tools and the records; the values are there all the same',
];
const judged: Readonly<Record<CriterionName, string>> = {
  intent: 'the user got what they wanted',
  tools: 'only the right tools were called',
  grounded: 'nothing was made up',
  concise: 'nothing was called or asked twice or needlessly',
  efficient: 'it took no more turns than it must',
};

const counted = (count: number, noun: string): string => (count === 0 ? `no ${noun}s` : `${count} ${noun}${count === 1 ? '' : 's'}`);

function requestOf(brief: TaskBrief): string {
  const { aspects, difficulty, tools } = brief.view;
  const { calls, requests } = wantedOf(brief);
  return `Write one task with these properties:
- Difficulty: ${difficulty} of 100.
- What a good assistant does first: ${branches[brief.branch]}
- Tools the assistant has: ${counted(tools.length, 'tool')}, all in the data.
- Calls: exactly ${counted(calls, 'call')}${calls > 1 ? '; where it makes sense, a later one uses what an earlier one returned' : ''}.
- Requests: exactly ${counted(requests, 'request')}${requests > 1 ? '; each is said when the one before it is served, and asks for at least one of the calls or, where there is but one call, about its result' : ''}.
- System prompt: ${systems[aspects.system.value] ?? ''}.
- Persona: ${personas[aspects.persona.value] ?? ''}.
- Requests in words: ${queries[aspects.query.value] ?? ''}.
- The assistant will be judged by whether ${CriterionName.options
    .slice(0, aspects.criteria.value + 1)
    .map((name) => judged[name])
    .join('; ')}.`;
}

/** A tool as roles are shown it. The licence is nobody's business here. */
export const toolData = ({ name, description, parameters, returns, effects, category, source, exampleResponse }: ToolSpec): JsonObject => ({
  name,
  description,
  parameters,
  ...(returns === undefined ? {} : { returns }),
  effects,
  category,
  source,
  ...(exampleResponse === undefined ? {} : { exampleResponse }),
});

const entry = record({ collection: text, id: text, record: anyRecord });
const fact = record({ slot: text, answer: text });
const mostRecords = 64;
const mostFacts = 24;

interface Counts {
  readonly min?: number;
  readonly max?: number;
}

/** `call`: what one of the calls looks like. Counts are for decoding: where a reply misses one, the check that follows says so in better words. */
const formOf = (
  branch: Branch,
  call: JsonObject,
  { calls = {}, requests = {} }: { readonly calls?: Counts; readonly requests?: Counts },
): JsonObject =>
  record({
    system: text,
    persona: text,
    summary: text,
    records: list(entry, { max: mostRecords }),
    calls: list(call, calls),
    requests: list(text, requests),
    facts: list(fact, { max: mostFacts }),
    ...(branch === 'answer' ? { answer: text } : {}),
  });

const anyCall = record({ tool: text, arguments: anyRecord, turn: { type: 'integer', minimum: 0 } });
const answering = formOf('answer', anyCall, {});
const acting = formOf('call', anyCall, {});

function schemaOf(brief: TaskBrief): JsonObject {
  const { calls, requests } = wantedOf(brief);
  const { tools } = brief.view;
  const turn: JsonObject = { type: 'integer', minimum: 0, maximum: requests - 1 };
  const exact: JsonObject = {
    anyOf: tools.map(({ name, parameters }) => record({ tool: { const: name }, arguments: decodable(parameters), turn })),
  };
  const named = record({ tool: { enum: tools.map(({ name }) => name) }, arguments: anyRecord, turn });
  return formOf(brief.branch, fitsGrammar(exact) ? exact : named, {
    calls: { min: calls, max: calls },
    requests: { min: requests, max: requests },
  });
}

interface Reply {
  readonly system: string;
  readonly persona: string;
  readonly summary: string;
  readonly records: readonly { readonly collection: string; readonly id: string; readonly record: JsonObject }[];
  readonly calls: readonly { readonly tool: string; readonly arguments: JsonObject; readonly turn: number }[];
  readonly requests: readonly string[];
  readonly facts: readonly { readonly slot: string; readonly answer: string }[];
  readonly answer?: string;
}

const malformed = (complaint: string): Reading<never> => ({ ok: false, complaint, defect: 'malformed' });

/** Lists become tables; a name twice, or one that reaches a prototype, is refused. */
function draftOf({ system, persona, summary, records, calls, requests, facts, answer }: Reply): Reading<TaskDraft> {
  const entities: { [collection: string]: { [id: string]: JsonObject } } = {};
  for (const { collection, id, record: fields } of records) {
    if (isHostileKey(collection) || isHostileKey(id)) return malformed(`no record can be called ${`${collection}/${id}`.slice(0, 80)}`);
    const place = Object.hasOwn(entities, collection)
      ? (entities[collection] as { [id: string]: JsonObject })
      : (entities[collection] = {});
    if (Object.hasOwn(place, id)) return malformed(`the record ${`${collection}/${id}`.slice(0, 80)} is given twice`);
    place[id] = fields;
  }
  const known: { [slot: string]: string } = {};
  for (const { slot, answer: said } of facts) {
    if (isHostileKey(slot)) return malformed(`no fact can be called ${slot.slice(0, 80)}`);
    if (Object.hasOwn(known, slot)) return malformed(`the fact ${slot.slice(0, 80)} is given twice`);
    known[slot] = said;
  }
  return {
    ok: true,
    answer: {
      system,
      persona,
      intent: { summary, requests: [...requests], facts: known },
      calls: calls.map(({ tool, arguments: args, turn }) => ({ name: tool, arguments: args, turn })),
      ...(answer === undefined ? {} : { answer }),
      entities,
    },
  };
}

export const taskScript: Script<TaskBrief, TaskDraft> = {
  role: 'task',
  version: 1,
  prompt: (brief, complaints) => {
    const { split, difficulty, aspects, tools } = brief.view;
    const data = { branch: brief.branch, split, difficulty, aspects, tools: tools.map(toolData) };
    return pageOf({ system: taskSystem, request: requestOf(brief), data, complaints });
  },
  schema: schemaOf,
  read: (said, brief) => {
    const found = replyIn(said, brief.branch === 'answer' ? answering : acting);
    return found.ok ? draftOf(found.answer as unknown as Reply) : found;
  },
  /** A collection without records says nothing, so it is not said. */
  write: ({ system, persona, intent, calls, answer, entities }) => {
    const reply: Reply = {
      system,
      persona,
      summary: intent.summary,
      records: Object.entries(entities).flatMap(([collection, records]) =>
        Object.entries(records).map(([id, fields]) => ({ collection, id, record: fields })),
      ),
      calls: calls.map(({ name, arguments: args, turn }) => ({ tool: name, arguments: args, turn })),
      requests: intent.requests,
      facts: Object.entries(intent.facts).map(([slot, said]) => ({ slot, answer: said })),
      ...(answer === undefined ? {} : { answer }),
    };
    return JSON.stringify(reply);
  },
};
