/** Answers that are well written and wrong: a tool that contradicts its world, a user that tells everything, a judge that errs; and answers that differ and are as right. Knows views and drafts; no text. */
import type { JsonObject, JsonValue } from '../../../protocol/json.ts';
import { canonical } from '../../../protocol/json.ts';
import type { World } from '../../../protocol/world.ts';
import { seedOf, stream, type Stream } from '../../../random.ts';
import type { ToolView, UserAnswer, UserView } from '../../../simulation/contract.ts';
import type { JudgeDraft, JudgeQuestion, ToolDraft } from '../../../simulation/lm/dialect.ts';
import { behaviourOf } from '../../../simulation/procedural/behaviour.ts';
import { act, type Behaviour } from '../../../simulation/procedural/rule.ts';
import { complaintAboutResult } from '../../../simulation/validate.ts';
import { evidenceFor } from './brain-parts.ts';

/** An answer that fits the tool's schemas and not the world; undefined where none comes to mind. */
export function contradicted(view: ToolView, right: ToolDraft, draws: Stream): ToolDraft | undefined {
  const { tool } = view;
  const wrongs = [otherRecord, inventedValue, readThatWrites, unknownRecord, denied, foundNowhere, unchanged].flatMap(
    (wrong) => wrong(view, right, draws) ?? [],
  );
  const fitting = wrongs.filter(
    (wrong) =>
      canonical(wrong as unknown as JsonValue) !== canonical(right as unknown as JsonValue) &&
      (!wrong.found || complaintAboutResult(tool, wrong.observation) === undefined),
  );
  return fitting.length === 0 ? undefined : draws.pick(fitting);
}

type Wrong = (view: ToolView, right: ToolDraft, draws: Stream) => ToolDraft | undefined;

const recordsOf = ({ entities }: World, collection: string): [string, JsonObject][] =>
  Object.entries(Object.hasOwn(entities, collection) ? (entities[collection] ?? {}) : {});

/** What the tool would say of one record, whatever it was asked. */
function shown({ rule, ...others }: Behaviour, { call }: ToolView, id: string, record: JsonObject): JsonValue | undefined {
  const world = { entities: { [rule.collection]: { [id]: record } }, occurrences: {} };
  return act({ ...others, rule: { ...rule, deed: 'find' } }, { ...call, arguments: {} }, world)?.result;
}

/** The value of somebody else's record. */
const otherRecord: Wrong = (view, right, draws) => {
  const behaviour = behaviourOf(view.world, view.tool);
  if (behaviour === undefined || !right.found || behaviour.rule.deed === 'create') return undefined;
  const said = canonical(right.observation);
  const others = recordsOf(view.world, behaviour.rule.collection)
    .map(([id, record]) => shown(behaviour, view, id, record))
    .filter((observation) => observation !== undefined && canonical(observation) !== said);
  return others.length === 0 ? undefined : { ...right, observation: draws.pick(others) as JsonValue };
};

const inventions = ['Brindlemoor', 'Quillon', 'Vespertine', 'Tarrow', 'Ockham'] as const;

/** One thing in the result that nobody ever said. */
const inventedValue: Wrong = (_view, right, draws) => {
  const leaves = pathsIn(right.observation);
  if (!right.found || leaves.length === 0) return undefined;
  return {
    ...right,
    observation: replaced(right.observation, draws.pick(leaves), (value) =>
      typeof value === 'number' ? value + 371 : draws.pick(inventions),
    ),
  };
};

const readThatWrites: Wrong = ({ tool, world }, right, draws) => {
  const behaviour = behaviourOf(world, tool);
  const records =
    behaviour === undefined ? [] : recordsOf(world, behaviour.rule.collection).filter(([, record]) => Object.keys(record).length > 0);
  if (tool.effects !== 'read' || behaviour === undefined || !right.found || records.length === 0) return undefined;
  const [id, record] = draws.pick(records);
  const field = draws.pick(Object.keys(record));
  return { ...right, patch: [{ op: 'merge', collection: behaviour.rule.collection, id, fields: { [field]: draws.pick(inventions) } }] };
};

const unknownRecord: Wrong = ({ tool, world }, right, draws) => {
  const collection = behaviourOf(world, tool)?.rule.collection;
  if (collection === undefined || !right.found) return undefined;
  const id = 'r404';
  return {
    ...right,
    patch: draws.chance(0.5) ? [{ op: 'delete', collection, id }] : [{ op: 'merge', collection, id, fields: { state: 'lost' } }],
  };
};

/** Only of what is looked up: of a change nobody can tell what must have been there. */
const denied: Wrong = ({ tool }, right) =>
  tool.effects === 'read' && right.found && right.patch.length === 0 ? { found: false, observation: null, patch: [] } : undefined;

/** A record that is nowhere, and yet is shown. */
const foundNowhere: Wrong = (view, right) => {
  const behaviour = behaviourOf(view.world, view.tool);
  if (behaviour === undefined || right.found) return undefined;
  const observation = shown(behaviour, view, 'r404', { ...view.call.arguments });
  return observation === undefined ? undefined : { found: true, observation, patch: [] };
};

/** Says that it was done, and did not do it. */
const unchanged: Wrong = ({ tool, call }, right) =>
  tool.effects !== 'read' && right.found && right.patch.length > 0 && Object.keys(call.arguments).length > 0
    ? { ...right, patch: [] }
    : undefined;

type Path = readonly string[];

function pathsIn(value: JsonValue): Path[] {
  if (typeof value === 'string' || typeof value === 'number') return [[]];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, part]) => pathsIn(part).map((path) => [key, ...path]));
}

function replaced(value: JsonValue, [key, ...rest]: Path, change: (value: JsonValue) => JsonValue): JsonValue {
  if (key === undefined) return change(value);
  if (Array.isArray(value)) return value.map((part, at) => (String(at) === key ? replaced(part, rest, change) : part));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, name === key ? replaced(part, rest, change) : part]));
}

/**
 * An answer as right as the usual one, by the seed: of several records that fit any may be found, and what nobody wrote down (the name of what is created, a field never filled in)
 * may be anything. Undefined where there is only one right answer.
 */
export function varied({ tool, call, world }: ToolView, right: ToolDraft, seed: number): ToolDraft | undefined {
  const behaviour = behaviourOf(world, tool);
  if (behaviour === undefined || !right.found) return undefined;
  const { collection } = behaviour.rule;
  const records = recordsOf(world, collection);
  const shuffled = {
    ...world,
    entities: { ...world.entities, [collection]: Object.fromEntries(stream(seedOf('order', seed)).shuffle(records)) },
  };
  const done = act({ ...behaviour, rule: { ...behaviour.rule, salt: seed % 4294967296 } }, call, shuffled);
  if (done === undefined) return undefined;
  const other: ToolDraft = { found: true, observation: done.result, patch: done.patch };
  return canonical(other.observation) === canonical(right.observation) ? undefined : other;
}

/** All that the user still keeps back, at once; undefined where that is nothing. */
export function leaked({ intent, conversation }: UserView, right: UserAnswer): UserAnswer | undefined {
  const said = [...conversation.map(({ text }) => text), right.text].join(' | ');
  const requests = intent.requests.filter((request) => !said.includes(request));
  const facts = Object.entries(intent.facts).filter(
    ([, fact]) => !` ${said} `.includes(` ${fact} `) && !requests.some((request) => request.includes(fact)),
  );
  if (requests.length === 0 && facts.length === 0) return undefined;
  const parts = [right.text, ...requests, ...facts.map(([slot, fact]) => `${slot} ${fact}`)];
  return { text: parts.filter((part) => part !== '').join(' then '), done: false };
}

/** One finding turned round. */
export function misjudged({ view, criteria }: JudgeQuestion, right: JudgeDraft, draws: Stream): JudgeDraft | undefined {
  if (criteria.length === 0) return undefined;
  const name = draws.pick(criteria);
  const met = right[name]?.met !== true;
  return { ...right, [name]: { met, evidence: met ? evidenceFor(name, view.turns) : '' } };
}
