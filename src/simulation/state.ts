/** The world's explicit state as values: applying patches, naming states, counting occurrences. Knows no tool: what a patch should say is a simulator's business. */
import { SimulatorFault } from '../errors.ts';
import { canonical } from '../protocol/json.ts';
import type { ToolCall } from '../protocol/tool.ts';
import type { Patch, PatchOperation, World } from '../protocol/world.ts';
import { seedOf } from '../random.ts';

export const emptyWorld: World = { entities: {}, occurrences: {} };

/** Equal calls have equal keys, whatever order their arguments came in. */
export const occurrenceKey = (call: ToolCall): string => `${call.name} ${canonical(call.arguments)}`;

export const occurrencesOf = (world: World, call: ToolCall): number => own(world.occurrences, occurrenceKey(call)) ?? 0;

/** What is wrong with a patch, in the order of its operations; empty when it can be applied. Each operation sees what the ones before it did. */
export function complaintsAbout(world: World, patch: Patch): string[] {
  const complaints: string[] = [];
  let after = world;
  for (const [index, operation] of patch.entries()) {
    const complaint = complaintAbout(after, operation);
    if (complaint === undefined) after = applied(after, operation);
    else complaints.push(`operation ${index}: ${complaint}`);
  }
  return complaints;
}

/** The world after a patch; the argument stays as it is, and what the patch does not touch is shared. Throws SimulatorFault for a record that does not exist. */
export function applyPatch(world: World, patch: Patch): World {
  const [complaint] = complaintsAbout(world, patch);
  if (complaint !== undefined) throw new SimulatorFault(`a patch that cannot be applied: ${complaint}`, { raw: JSON.stringify(patch) });
  return patch.reduce(applied, world);
}

/** 14 hex digits naming the entities: what equal worlds share. Occurrence counters are left out: they say how a state was reached, not what it is. */
export const stateHash = (world: World): string => seedOf(canonical(world.entities)).toString(16).padStart(14, '0');

/** Collections and ids come from a simulator that may be a language model, so a name that reaches a prototype is refused. */
const isHostile = (name: string): boolean => name === '__proto__' || name === 'constructor' || name === 'prototype';

function complaintAbout(world: World, operation: PatchOperation): string | undefined {
  if (operation.op === 'count') return isHostile(operation.key) ? `no key ${operation.key}` : undefined;
  if (isHostile(operation.collection) || isHostile(operation.id)) return `no collection or id ${operation.collection}/${operation.id}`;
  if (operation.op === 'put') return undefined;
  const record = own(own(world.entities, operation.collection) ?? {}, operation.id);
  return record === undefined ? `no record ${operation.collection}/${operation.id}` : undefined;
}

function applied(world: World, operation: PatchOperation): World {
  if (operation.op === 'count') {
    const count = (own(world.occurrences, operation.key) ?? 0) + 1;
    return { ...world, occurrences: { ...world.occurrences, [operation.key]: count } };
  }
  const { collection, id } = operation;
  const { [id]: record, ...others } = own(world.entities, collection) ?? {};
  const place = (records: World['entities'][string]): World => ({ ...world, entities: { ...world.entities, [collection]: records } });
  switch (operation.op) {
    case 'put':
      return place({ ...others, [id]: operation.record });
    case 'merge':
      // In place, so that a change keeps the order of records, which decides whom an ambiguous look-up finds.
      return place({ ...world.entities[collection], [id]: { ...record, ...operation.fields } });
    case 'delete':
      return place(others);
    default:
      return operation satisfies never;
  }
}

const own = <T>(table: { readonly [key: string]: T }, key: string): T | undefined => (Object.hasOwn(table, key) ? table[key] : undefined);
