/**
 * A tool as one task shows it: an invented name, words of the lexicon for topic and parameters, drawn anew each time (AdaReasoner), so that what is learnt
 * is tool use and not names. Built-in tools keep their own words unless scrambled; imported ones get theirs here. Knows no world and no request.
 */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import type { Stream } from '../../random.ts';
import { type Expressed, type ExpressedParameter, express } from './express.ts';
import { type Deed, type Kind, builtinTools, heldOutDomains, kindOf, topicsOf } from './families.ts';
import { type Term, choices, numbers, slots, things } from './lexicon.ts';
import { type Split, drawName } from './names.ts';
import { type Domain, inWords } from './values.ts';

export interface Slot {
  /** The parameter's word, which is also its property name and the field of a record. */
  readonly term: Term;
  readonly required: boolean;
  readonly domain: Domain;
}
export interface Offer {
  readonly spec: ToolSpec;
  readonly topic: Term;
  readonly deed: Deed;
  /** In the order of the schema. */
  readonly slots: readonly Slot[];
  readonly gives: { readonly word: string; readonly domain: Domain };
}

const slotOf: ReadonlyMap<string, Term> = new Map(slots.map((slot) => [slot.word, slot]));
const words: Readonly<Record<Kind, readonly Term[]>> = {
  thing: slots.filter(({ word }) => kindOf(word) === 'thing'),
  person: slots.filter(({ word }) => kindOf(word) === 'person'),
  number: slots.filter(({ word }) => kindOf(word) === 'number'),
  flag: slots.filter(({ word }) => kindOf(word) === 'flag'),
  choice: slots.filter(({ word }) => kindOf(word) === 'choice'),
};
const choiceWords: readonly string[] = [...Object.values(choices).flat(), ...things];
const builtinByTopic: ReadonlyMap<string, ToolSpec> = new Map(builtinTools.map((tool) => [tool.description, tool]));

/**
 * `split`: held-out words stay held out. `whole`: the supervised stage, which teaches the language: a held-out word may describe some other tool there,
 * as any language model has read the words of tools it has never used. The held-out tools themselves never appear in training (rule L12).
 */
export type Words = 'split' | 'whole';

/** The words of one task that no two tools may share. */
export interface Naming {
  readonly draws: Stream;
  readonly split: Split;
  /** Whose topics scrambled and imported tools may get: the split's own, or any word of the lexicon. */
  readonly words: Words;
  /** Syllables in use. */
  readonly syllables: Set<string>;
  /** Topics in use. */
  readonly topics: Set<string>;
}

export const naming = (draws: Stream, split: Split, words: Words = 'split'): Naming => ({
  draws,
  split,
  words,
  syllables: new Set(),
  topics: new Set(),
});

/** Shows each tool under new names. `scramble`: built-in tools are treated like imported ones and lose their own words. Tools that cannot be expressed are left out. */
export function offersOf(tools: readonly ToolSpec[], naming: Naming, scramble: boolean): Offer[] {
  const own = (tool: ToolSpec): boolean => !scramble && isBuiltin(tool);
  for (const tool of tools) if (own(tool)) naming.topics.add(tool.description);
  return tools.flatMap((tool) => {
    const expression = express(tool);
    if (!expression.ok) return [];
    return [own(tool) ? builtinOffer(tool, expression, naming) : drawnOffer(tool, expression, naming)];
  });
}

/** A request nobody here serves: a topic of the split that no tool of the task has; undefined when all are taken. */
export function spareOffer(naming: Naming): Offer | undefined {
  const free = topicsOf(naming.split).filter(({ word }) => !naming.topics.has(word));
  if (free.length === 0) return undefined;
  const tool = builtinByTopic.get(naming.draws.pick(free).word) as ToolSpec;
  return builtinOffer(tool, express(tool) as Expressed, naming);
}

const isBuiltin = (tool: ToolSpec): boolean => tool.source.startsWith('builtin:');

function builtinOffer(tool: ToolSpec, { parameters, gives, deed }: Expressed, { draws, split, syllables }: Naming): Offer {
  const own = parameters.map(({ name, required, domain }): Slot => ({ term: slotOf.get(name) as Term, required, domain }));
  return {
    spec: { ...tool, name: drawName(draws, split, syllables) },
    topic: topicTerm(tool.description),
    deed: deed as Deed,
    slots: own,
    gives: { word: inWords(tool.returns?.['description']), domain: gives },
  };
}

function drawnOffer(tool: ToolSpec, expressed: Expressed, naming: Naming): Offer {
  const offer = drawOffer(tool, expressed, naming);
  // By chance a drawn tool could be a held-out one: the same topic with the same parameters.
  return naming.split === 'train' && isHeldOut(offer) ? drawnOffer(tool, expressed, naming) : offer;
}

function isHeldOut({ topic, slots: drawn }: Offer): boolean {
  const own = builtinByTopic.get(topic.word);
  if (own === undefined || !heldOutDomains.has(own.category)) return false;
  const names = Object.keys(own.parameters['properties'] as JsonObject);
  return names.length === drawn.length && drawn.every(({ term }) => names.includes(term.word));
}

function drawOffer(
  tool: ToolSpec,
  { parameters, gives, deed }: Expressed,
  { draws, split, words: allowed, syllables, topics }: Naming,
): Offer {
  const candidates = allowed === 'whole' ? [...topicTerms.values()] : topicsOf(split);
  const free = candidates.filter(({ word }) => !topics.has(word));
  const topic = draws.pick(free);
  topics.add(topic.word);
  const taken = new Set<string>();
  const word = (kind: Kind): Term => {
    const fitting = (kind === 'thing' ? [...words.thing, ...words.person] : words[kind]).filter((term) => !taken.has(term.word));
    const term = draws.pick(fitting.length > 0 ? fitting : words.thing.filter((other) => !taken.has(other.word)));
    taken.add(term.word);
    return term;
  };
  const drawn = parameters.map((parameter) => {
    const term = word(parameter.domain.kind === 'person' ? 'thing' : parameter.domain.kind);
    const domain = drawnDomain(parameter, term, draws);
    return { slot: { term, required: parameter.required, domain } satisfies Slot, schema: schemaFor(parameter, domain) };
  });
  const given = word(gives.kind === 'person' ? 'thing' : gives.kind);
  const givesDomain: Domain =
    gives.kind === 'thing' || gives.kind === 'person' ? { kind: kindOf(given.word) === 'person' ? 'person' : 'thing' } : gives;
  const domain = givesDomain.kind === 'choice' ? { kind: 'thing' as const } : givesDomain;
  return {
    spec: {
      name: drawName(draws, split, syllables),
      description: topic.word,
      parameters: {
        type: 'object',
        properties: Object.fromEntries(drawn.map(({ slot, schema }) => [slot.term.word, schema])),
        required: drawn.filter(({ slot }) => slot.required).map(({ slot }) => slot.term.word),
        additionalProperties: false,
      },
      returns: { ...scalarSchema(domain), description: given.word },
      effects: tool.effects,
      category: tool.category,
      source: tool.source,
    },
    topic,
    deed: deed ?? drawnDeed(tool, parameters, draws),
    slots: drawn.map(({ slot }) => slot),
    gives: { word: given.word, domain },
  };
}

/** Enum values become as many words, or small numbers; free text becomes things or people, as the drawn word wants. */
function drawnDomain({ domain, schema }: ExpressedParameter, term: Term, draws: Stream): Domain {
  if (domain.kind === 'choice') {
    const values: readonly JsonValue[] = domain.values ?? [];
    if (schema['type'] === 'string') return { kind: 'choice', values: draws.sample(choiceWords, values.length) };
    return {
      kind: 'choice',
      values: values.every((value) => numbers.includes(value as number)) ? values : numbers.slice(0, values.length),
    };
  }
  if (domain.kind === 'thing' || domain.kind === 'person') return { kind: kindOf(term.word) === 'person' ? 'person' : 'thing' };
  return domain;
}

const schemaFor = ({ schema }: ExpressedParameter, { kind, values }: Domain): JsonObject =>
  kind === 'choice'
    ? { type: schema['type'] ?? 'string', enum: [...(values ?? [])] }
    : kind === 'thing' || kind === 'person'
      ? { type: 'string', minLength: 1 }
      : schema;

function scalarSchema({ kind }: Domain): JsonObject {
  if (kind === 'number') return { type: 'number' };
  return kind === 'flag' ? { type: 'boolean' } : { type: 'string' };
}

/** Reading tools look up; others add a record, or change or remove one when something required is there to find it by. */
function drawnDeed(tool: ToolSpec, parameters: readonly ExpressedParameter[], draws: Stream): Deed {
  if (tool.effects === 'read') return 'find';
  const findable = parameters.some(({ required }) => required);
  return findable ? draws.pick(['create', 'change', 'remove'] as const) : parameters.length > 0 ? 'create' : 'find';
}

const topicTerm = (word: string): Term => topicTerms.get(word) as Term;
const topicTerms: ReadonlyMap<string, Term> = new Map([...topicsOf('train'), ...topicsOf('heldOut')].map((topic) => [topic.word, topic]));
