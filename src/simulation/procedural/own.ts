/** A tool of any list as this world plays it under its own name: what its parameters may hold, what it gives, what it does to records. Follows from the tool alone; draws nothing. */
import type { JsonObject } from '../../protocol/json.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import { seedOf } from '../../random.ts';
import { isHostileKey, isRecord, safeSchema } from '../../tools/schema.ts';
import { complaintOf } from '../validate.ts';
import { express } from './express.ts';
import { type Deed, deedOf } from './families.ts';
import { slots as slotTerms, type Term } from './lexicon.ts';
import type { Slot } from './offer.ts';
import { ownDomain } from './own-domain.ts';
import { type Leaf, formOf } from './own-form.ts';
import type { Behaviour, Rule } from './rule.ts';
import { type Domain, inWords, valueOf } from './values.ts';

export interface OwnTool {
  readonly ok: true;
  readonly slots: readonly Slot[];
  readonly gives: { readonly word: string; readonly domain: Domain };
  readonly behaviour: Behaviour;
}
export type Owned = OwnTool | { readonly ok: false; readonly reason: string };

const mostRequired = 8;
const mostOptional = 4;

const known = new WeakMap<ToolSpec, Owned>();

/** The same object is read once. */
export function ownTool(tool: ToolSpec): Owned {
  let owned = known.get(tool);
  if (owned === undefined) {
    owned = tool.source.startsWith('builtin:') ? builtin(tool) : foreign(tool);
    known.set(tool, owned);
  }
  return owned;
}

/** The words of the lexicon are their own; a disguised tool is still found by its topic. */
function builtin(tool: ToolSpec): Owned {
  const expression = express(tool);
  if (!expression.ok) return expression;
  const own = expression.parameters.map(({ name, required, domain }): Slot => ({ term: termOf(name), required, domain }));
  const gives = { word: inWords(tool.returns?.['description']), domain: expression.gives };
  const deed = deedOf(`${tool.category}_${tool.description}`) ?? 'find';
  return { ok: true, slots: own, gives, behaviour: plainly(tool, deed, own, gives) };
}

function foreign(tool: ToolSpec): Owned {
  const no = (reason: string): Owned => ({ ok: false, reason });
  const parameters = safeSchema(tool.parameters);
  if (!parameters.ok) return no(parameters.reason);
  const own = slotsOf(parameters.schema);
  if (typeof own === 'string') return no(own);
  const returns = tool.returns === undefined ? undefined : safeSchema(tool.returns);
  if (returns?.ok === false) return no(returns.reason);
  const deed = deedFor(tool, own);
  if (returns === undefined || Object.keys(returns.schema).length === 0) {
    const gives = { word: 'result', domain: { kind: 'thing' } as const };
    return { ok: true, slots: own, gives, behaviour: plainly(tool, deed, own, gives) };
  }
  const form = formOf(returns.schema);
  if (typeof form === 'string') return no(form);
  const leaf = telling(form.leaves, own, deed);
  if (leaf === undefined) return no('its results tell nothing');
  const gives = { word: leaf.field, domain: leaf.domain };
  const fields = Object.fromEntries(form.leaves.map(({ field, domain }) => [field, domain]));
  return {
    ok: true,
    slots: own,
    gives,
    behaviour: { rule: ruleOf(tool, deed, own, gives), showing: { name: tool.name, fields, form: form.show } },
  };
}

/** The scalar parameters; what else is required keeps the tool out. Optional ones that a call cannot do without count as required. */
function slotsOf(schema: JsonObject): readonly Slot[] | string {
  const { properties = {}, required } = schema;
  if (!isRecord(properties)) return 'parameters are no object schema';
  const needed = new Set((Array.isArray(required) ? required : []).filter((name) => typeof name === 'string'));
  if (needed.size > mostRequired) return `more than ${mostRequired} required parameters`;
  const missing = [...needed].find((name) => !Object.hasOwn(properties, name));
  if (missing !== undefined) return `the required parameter ${missing} is not described`;
  const own: Slot[] = [];
  let optionalLeft = mostOptional;
  for (const [name, value] of Object.entries(properties)) {
    const domain = sayable(name) ? ownDomain(value as JsonObject, name) : 'named so that nobody can say it';
    if (typeof domain === 'string') {
      if (needed.has(name)) return `a required parameter is ${domain}`;
    } else if (needed.has(name)) own.push({ term: termOf(name), required: true, domain });
    else if (optionalLeft-- > 0) own.push({ term: termOf(name), required: false, domain });
  }
  if (
    isCall(
      schema,
      own.filter((slot) => slot.required),
    )
  )
    return own;
  return isCall(schema, own) ? own.map((slot) => ({ ...slot, required: true })) : 'parameters exclude or need each other';
}

const sayable = (name: string): boolean => /^[A-Za-z_][\w.-]{0,63}$/.test(name) && !isHostileKey(name);

const isCall = (schema: JsonObject, given: readonly Slot[]): boolean =>
  complaintOf(schema, Object.fromEntries(given.map(({ term, domain }) => [term.word, valueOf(domain, seedOf(term.word))]))) === undefined;

const lexiconTerms: ReadonlyMap<string, Term> = new Map(slotTerms.map((term) => [term.word, term]));

/** A parameter's word is its name; users may also say it with blanks, or its last part. */
function termOf(name: string): Term {
  const known = lexiconTerms.get(name);
  if (known !== undefined) return known;
  const parts = wordsIn(name);
  const plain = parts.join(' ');
  return { word: name, synonyms: [...new Set([plain === name ? `the ${plain}` : plain, `the ${parts.at(-1) ?? plain}`])] };
}

/** `sendEmail_to` → send, email, to. */
export const wordsIn = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');

const verbs: Readonly<Record<'remove' | 'change', ReadonlySet<string>>> = {
  remove: new Set('delete remove cancel close discard unsubscribe revoke clear erase drop leave unfollow return'.split(' ')),
  change: new Set(
    'update change edit set modify rename move reschedule patch mark enable disable freeze unfreeze confirm accept approve reject complete finish extend renew transfer reply answer pause resume start stop archive assign rate turn lock unlock'.split(
      ' ',
    ),
  ),
};

/** Reading tools look up; others add, change or remove a record, as the words of their names say, where something required is there to find it by. */
function deedFor({ name, effects }: ToolSpec, own: readonly Slot[]): Deed {
  if (effects === 'read') return 'find';
  if (!own.some(({ required }) => required)) return 'create';
  const words = wordsIn(name);
  return (['remove', 'change'] as const).find((deed) => words.some((word) => verbs[deed].has(word))) ?? 'create';
}

/** The value of a result that a task is about: not one the caller gave, and rather one that says by itself where it came from. */
function telling(leaves: readonly Leaf[], own: readonly Slot[], deed: Deed): Leaf | undefined {
  const given = new Set(own.map(({ term }) => term.word));
  const worth = ({ field, domain: { kind, values } }: Leaf): number =>
    (given.has(field) ? -10 : 0) +
    (deed === 'create' && /id$/i.test(field) ? 4 : 0) +
    (kind === 'thing' || kind === 'person' ? (values === undefined ? 3 : 2) : kind === 'number' ? 2 : kind === 'choice' ? 1 : 0);
  return leaves.reduce<Leaf | undefined>((best, leaf) => (best === undefined || worth(leaf) > worth(best) ? leaf : best), undefined);
}

/** The result is the value given. */
const plainly = (tool: ToolSpec, deed: Deed, own: readonly Slot[], gives: OwnTool['gives']): Behaviour => ({
  rule: ruleOf(tool, deed, own, gives),
  showing: { name: tool.name, fields: { [gives.word]: gives.domain } },
});

function ruleOf({ name, category }: ToolSpec, deed: Deed, own: readonly Slot[], gives: OwnTool['gives']): Rule {
  const required = own.filter((slot) => slot.required).map(({ term }) => term.word);
  return {
    deed,
    collection: category === '' || isHostileKey(category) || category === 'rules' ? 'things' : category.slice(0, 80),
    keys: deed === 'change' ? required.slice(0, 1) : required,
    gives: gives.word,
    domain: gives.domain,
    busy: 0,
    salt: seedOf(name) % 4294967296,
  };
}
