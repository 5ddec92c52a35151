/**
 * Whether the world can bear a tool's answer: what its patch may do, and whether what it says was found is so. Facts alone decide, the same for every dialect; whether the answer was
 * wished for, nobody asks here. Source: EnvSimBench (arXiv 2605.07247): a model that gives changes for code to apply still names wrong ones, so code checks each.
 */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { Patch, PatchOperation, World } from '../../protocol/world.ts';
import type { ToolView } from '../contract.ts';
import { applyPatch, complaintsAbout } from '../state.ts';
import type { ToolDraft } from './dialect.ts';
import { ungrounded } from './grounds.ts';
import {
  type Place,
  agreeing,
  holds,
  isEqual,
  keyArguments,
  recordsAt,
  recordsFor,
  recordsOf,
  resembling,
  ruleOf,
  rulesName,
  scalars,
} from './touched.ts';

/** Operations of one patch. */
const mostOperations = 16;
/** Longer texts need not be found again word for word. */
const longestTraced = 64;

/** What contradicts the world in an answer, in words for whoever gave it; undefined when nothing does. */
export function contradictionIn(view: ToolView, { found, observation, patch }: ToolDraft): string | undefined {
  if (!found) return denied(view);
  const refusal = badPatch(view, patch);
  if (refusal !== undefined) return refusal;
  return isReading(view, patch) ? badRead(view, observation, patch) : badWrite(view, observation, patch);
}

const isReading = ({ tool }: ToolView, patch: Patch): boolean =>
  tool.effects === 'read' || (tool.effects === 'unknown' && patch.length === 0);

/** "Found nothing" is wrong where a record holds all that was asked for; of a tool that changes things, all it finds its record by. Asked for nothing, a look-up finds whatever there is. */
function denied(view: ToolView): string | undefined {
  const { tool, call } = view;
  const reads = tool.effects === 'read';
  const args = reads ? call.arguments : keyArguments(view);
  const asksNothing = Object.keys(args).length === 0;
  const [there] = asksNothing ? (reads ? recordsAt(view) : []) : agreeing(recordsOf(view), args);
  return there === undefined ? undefined : `found is false, but there is ${name(there)}, which holds ${quoted(args)}`;
}

function badPatch({ tool, world }: ToolView, patch: Patch): string | undefined {
  if (patch.length > mostOperations) return `the patch has ${patch.length} operations; at most ${mostOperations} are allowed`;
  const [complaint] = complaintsAbout(world, patch);
  if (complaint !== undefined) return complaint;
  const ruled = ruleOf(world, tool.name) !== undefined;
  for (const operation of patch) {
    if (operation.op === 'count') return 'a tool counts nothing';
    if (ruled && operation.collection === rulesName) return 'a tool does not change how tools work';
    if (operation.op === 'put' && recordAt(world, operation) !== undefined)
      return `${operation.collection}/${operation.id} exists: merge into it, or put under another id`;
  }
  return undefined;
}

/** A read may write down what nobody had written; it changes nothing that is. */
function badRead(view: ToolView, observation: JsonValue, patch: Patch): string | undefined {
  const { world, call } = view;
  for (const operation of patch) {
    if (operation.op === 'delete') return 'this tool only reads: it deletes nothing';
    if (operation.op === 'merge' && !fillsIn(world, operation))
      return `this tool only reads: it changes no field of ${operation.collection}/${operation.id}`;
  }
  const scope = recordsFor(view);
  const exact = agreeing(scope, call.arguments);
  const isRuled = ruleOf(world, view.tool.name) !== undefined;
  if (isRuled && exact.length === 0 && patch.length === 0) return `no record holds ${quoted(call.arguments)}`;
  const before = exact.length > 0 ? exact : resembling(scope, call.arguments);
  const written = placesAfter(world, patch);
  // As they are once what was open has been filled in.
  const sources = before.map((place) => written.find((filled) => name(filled) === name(place)) ?? place);
  return ungrounded(view, observation, { sources: sources.length > 0 ? sources : written, written, open: isRuled });
}

function badWrite(view: ToolView, observation: JsonValue, patch: Patch): string | undefined {
  const { world } = view;
  const args = required(view);
  const before = placesBefore(world, patch);
  const after = placesAfter(world, patch);
  const touched = [...after, ...before];
  if (patch.length === 0 && Object.keys(args).length > 0)
    return 'nothing was changed: the patch is empty; where all was so already, merge the same fields again';
  const missing = Object.entries(args).find(([argument, value]) => !isTraced(argument, value, before, touched));
  if (missing !== undefined) return `the patch leaves no trace of ${missing[0]} = ${quoted(missing[1])}`;
  const astray = wrongTarget(view, patch);
  if (astray !== undefined) return astray;
  const deleted = placesDeleted(world, patch);
  const ops = new Set(patch.map(({ op }) => op));
  // What is gone cannot be filled in any more.
  const open = ruleOf(world, view.tool.name) === undefined ? ops.size === 1 && ops.has('delete') : !ops.has('put');
  return ungrounded(view, observation, { sources: [...after, ...deleted], written: before, open });
}

/** The arguments that a call of this tool cannot do without, scalars only. */
function required({ tool, call }: ToolView): Record<string, string | number> {
  const names = Array.isArray(tool.parameters['required']) ? tool.parameters['required'] : [];
  return Object.fromEntries(
    Object.entries(call.arguments).flatMap(([argument, value]): [string, string | number][] =>
      names.includes(argument) && (typeof value === 'string' || typeof value === 'number') ? [[argument, value]] : [],
    ),
  );
}

/** Is the argument's value somewhere in what was touched, or, for a number, what a field rose or fell by? */
function isTraced(argument: string, value: string | number, before: readonly Place[], touched: readonly Place[]): boolean {
  if (typeof value === 'string' && value.length > longestTraced) return touched.length > 0;
  const text = String(value).toLowerCase();
  const isThere = touched.some(
    (place) =>
      holds(place, argument, value, true) ||
      scalars(place.record).some(
        (other) => isEqual(other, value, true) || (typeof other === 'string' && text.length > 2 && other.toLowerCase().includes(text)),
      ),
  );
  return isThere || (typeof value === 'number' && touched.some((place) => movedBy(place, before, Math.abs(value))));
}

function movedBy({ collection, id, record }: Place, before: readonly Place[], step: number): boolean {
  const old = before.find((place) => place.collection === collection && place.id === id)?.record;
  return (
    old !== undefined &&
    Object.entries(record).some(([field, now]) => {
      const then = old[field];
      return typeof now === 'number' && typeof then === 'number' && Math.abs(Math.abs(now - then) - step) < 1e-6;
    })
  );
}

/** A change must meet a record that the call names, where there is one; a removal, and any change of a world with rules, one that holds all that it is found by. */
function wrongTarget(view: ToolView, patch: Patch): string | undefined {
  const { tool, world } = view;
  if (patch.some(({ op }) => op === 'put')) return undefined;
  const targets = placesIn(
    world,
    patch.filter((operation) => operation.op !== 'merge' || !fillsIn(world, operation)),
    ['merge', 'delete'],
  );
  const keys = Object.entries(keyArguments(view));
  if (targets.length === 0 || keys.length === 0) return undefined;
  const isWhole = patch.every(({ op }) => op === 'delete') || ruleOf(world, tool.name) !== undefined;
  const scope = recordsFor(view);
  const byId = scope.filter(({ id }) => keys.some(([, value]) => value === id));
  const isMeant = (place: Place): boolean => {
    const agrees = ([argument, value]: [string, JsonValue]): boolean => holds(place, argument, value, true);
    return isWhole ? keys.every(agrees) : keys.some(agrees);
  };
  const meant = byId.length > 0 ? byId : scope.filter(isMeant);
  const isHit = targets.some((target) => meant.some(({ collection, id }) => collection === target.collection && id === target.id));
  return meant.length === 0 || isHit ? undefined : `the call is about ${name(meant[0] as Place)}, which the patch leaves as it is`;
}

type Change = Exclude<PatchOperation, { op: 'count' }>;

const recordAt = ({ entities }: World, { collection, id }: Pick<Change, 'collection' | 'id'>): JsonObject | undefined => {
  const records = Object.hasOwn(entities, collection) ? entities[collection] : undefined;
  return records !== undefined && Object.hasOwn(records, id) ? records[id] : undefined;
};

/** Does it only add fields that the record had not? */
const fillsIn = (world: World, operation: Extract<PatchOperation, { op: 'merge' }>): boolean => {
  const record = recordAt(world, operation);
  return record !== undefined && Object.keys(operation.fields).every((field) => !Object.hasOwn(record, field));
};

function placesIn(world: World, patch: Patch, ops: readonly PatchOperation['op'][]): Place[] {
  const seen = new Map<string, Place>();
  for (const operation of patch) {
    if (operation.op === 'count' || !ops.includes(operation.op)) continue;
    const record = recordAt(world, operation);
    if (record !== undefined)
      seen.set(JSON.stringify([operation.collection, operation.id]), { collection: operation.collection, id: operation.id, record });
  }
  return [...seen.values()];
}
const placesBefore = (world: World, patch: Patch): Place[] => placesIn(world, patch, ['merge', 'delete']);
const placesDeleted = (world: World, patch: Patch): Place[] => placesIn(world, patch, ['delete']);
const placesAfter = (world: World, patch: Patch): Place[] => placesIn(applyPatch(world, patch), patch, ['put', 'merge']);

const name = ({ collection, id }: Place): string => `${collection}/${id}`;
const quoted = (value: JsonValue): string => JSON.stringify(value).slice(0, 120);
