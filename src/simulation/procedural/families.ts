/** The built-in tools: twelve domains of four, as a table. It knows what each tool takes, gives and does to records; nothing of tasks or names drawn for them. */
import type { JsonObject } from '../../protocol/json.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import { choices, topics } from './lexicon.ts';

/** What a tool does to the records of its category: looks one up, adds one, changes one found by its first required parameter, removes one. */
export type Deed = 'find' | 'create' | 'change' | 'remove';

/**
 * One line per tool: `deed topic ( parameter … , optional? ) gives`. Domains marked `*` are held out: their tools occur in evaluation tasks only.
 * Parameter words keep one meaning across domains, so that what differs in a held-out domain is the tools and not the language.
 */
const table = `
calendar
  create  schedule   person day place?     code
  find    agenda     person day?           code
  change  postpone   code day              person
  remove  clear      code                  day
messages
  create  send       person text urgent?   code
  find    inbox      person tag?           text
  change  forward    code person           text
  remove  erase      code tag?             person
orders
  create  buy        item count size?      code
  find    track      code                  place
  change  amend      code count color?     item
  remove  cancel     code                  amount
flights
  create  reserve    person place class?   code
  find    fly        place day class?      code
  change  upgrade    code class            amount
  remove  refund     code                  owner
library
  create  borrow     title person          code
  find    search     title owner?          code
  change  renew      code day hour?        title
  remove  return     title                 owner
bank
  create  pay        person amount text?   code
  find    balance    code                  amount
  change  freeze     code urgent           owner
  remove  close      code owner            amount
hotel
  create  lodge      person day count?     code
  find    vacancy    place class?          code
  change  relocate   code place            hour
  remove  vacate     code                  person
music
  create  queue      title hour?           tag
  find    play       title size?           tag
  change  retune     tag title             owner
  remove  mute       tag                   title
kitchen
  find    stock      item tag?             count
  create  cook       item count hour?      code
  change  substitute item color            place
  remove  discard    item                  amount
* clinic
  create  consult    person hour text?     code
  find    diagnose   person                tag
  change  prescribe  person item count?    code
  remove  discharge  person code           day
* garage
  create  repair     item color?           code
  find    inspect    code                  owner
  change  assign     code person           place
  remove  retire     item                  amount
* school
  create  enrol      person title          code
  find    grade      person title?         count
  change  tutor      person hour           code
  remove  expel      code urgent?          person
`;

interface Parameter {
  readonly word: string;
  readonly required: boolean;
}
export interface Family {
  readonly domain: string;
  readonly heldOut: boolean;
  readonly tools: readonly {
    readonly topic: string;
    readonly deed: Deed;
    readonly parameters: readonly Parameter[];
    readonly gives: string;
  }[];
}

export const families: readonly Family[] = table
  .trim()
  .split(/\n(?=\S)/)
  .map((block) => {
    const [head, ...lines] = block.split('\n') as [string, ...string[]];
    const tools = lines.map((line) => {
      const [deed, topic, ...words] = line.trim().split(/\s+/) as [Deed, string, ...string[]];
      const gives = words.pop() as string;
      return { topic, deed, gives, parameters: words.map((word) => ({ word: word.replace('?', ''), required: !word.endsWith('?') })) };
    });
    return { domain: head.replace('* ', ''), heldOut: head.startsWith('*'), tools };
  });

/** What a parameter word may hold. A value of kind `thing` or `person` is one or two words of that pool. */
export type Kind = 'thing' | 'person' | 'number' | 'flag' | 'choice';

const kinds: Readonly<Record<string, Kind>> = {
  person: 'person',
  owner: 'person',
  count: 'number',
  amount: 'number',
  hour: 'number',
  size: 'choice',
  class: 'choice',
  color: 'choice',
  urgent: 'flag',
};
export const kindOf = (word: string): Kind => (Object.hasOwn(kinds, word) ? kinds[word] : undefined) ?? 'thing';

/** The JSON Schema of a value under this word. */
function schemaOf(word: string): JsonObject {
  const kind = kindOf(word);
  switch (kind) {
    case 'number':
      return { type: 'integer', minimum: 1, maximum: 20 };
    case 'flag':
      return { type: 'boolean' };
    case 'choice':
      return { type: 'string', enum: [...choices[word as keyof typeof choices]] };
    case 'person':
    case 'thing':
      return { type: 'string', minLength: 1 };
    default:
      return kind satisfies never;
  }
}

const objectSchema = (parameters: readonly Parameter[], schema: (word: string) => JsonObject): JsonObject => ({
  type: 'object',
  properties: Object.fromEntries(parameters.map(({ word }) => [word, schema(word)])),
  required: parameters.filter((parameter) => parameter.required).map(({ word }) => word),
  additionalProperties: false,
});

/** The built-in repository, in the table's order. The description is the topic: one word. A result is one value. */
export const builtinTools: readonly ToolSpec[] = families.flatMap(({ domain, tools }) =>
  tools.map(({ topic, deed, parameters, gives }): ToolSpec => ({
    name: `${domain}_${topic}`,
    description: topic,
    parameters: objectSchema(parameters, schemaOf),
    returns: { ...schemaOf(gives), description: gives },
    effects: deed === 'find' ? 'read' : 'write',
    category: domain,
    source: `builtin:${domain}`,
    licence: 'MIT',
  })),
);

const deeds: ReadonlyMap<string, Deed> = new Map(
  families.flatMap(({ domain, tools }) => tools.map(({ topic, deed }) => [`${domain}_${topic}`, deed] as const)),
);
/** What a built-in tool does, by its repository name. */
export const deedOf = (name: string): Deed | undefined => deeds.get(name);

export const heldOutDomains: ReadonlySet<string> = new Set(families.filter((family) => family.heldOut).map(({ domain }) => domain));
const heldOutTopics: ReadonlySet<string> = new Set(
  families.filter((family) => family.heldOut).flatMap(({ tools }) => tools.map(({ topic }) => topic)),
);
/** The topics whose tools a split may show. */
export const topicsOf = (split: 'train' | 'heldOut') => topics.filter(({ word }) => heldOutTopics.has(word) === (split === 'heldOut'));
