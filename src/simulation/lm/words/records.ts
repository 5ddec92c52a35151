/** What a call finds among records, and how it changes them, in the dialect of words: the one place where a deed becomes a patch. Decides nothing: which deed it is, and which value, the model says. */
import type { JsonObject, JsonValue } from '../../../protocol/json.ts';
import { canonical } from '../../../protocol/json.ts';
import type { ToolCall, ToolSpec } from '../../../protocol/tool.ts';
import type { Patch, World } from '../../../protocol/world.ts';
import { type Deed, givesOf, parametersOf } from './speech.ts';

export interface Entry {
  readonly id: string;
  readonly record: JsonObject;
}

/** Records of the tool's category, in the world's order. */
export const recordsOf = ({ entities }: World, { category }: ToolSpec): Entry[] =>
  Object.entries(Object.hasOwn(entities, category) ? (entities[category] ?? {}) : {}).map(([id, record]) => ({ id, record }));

const field = (record: JsonObject, name: string): JsonValue | undefined => (Object.hasOwn(record, name) ? record[name] : undefined);
const agrees = (record: JsonObject, args: JsonObject, names: readonly string[]): boolean =>
  names.every((name) => {
    const value = field(record, name);
    return value !== undefined && canonical(value) === canonical(args[name]);
  });

/** Holds a value of this tool and nothing a call could name: what a tool that creates gives out next. */
const isBlank = (record: JsonObject, tool: ToolSpec): boolean =>
  field(record, givesOf(tool)) !== undefined && parametersOf(tool).every(({ name }) => field(record, name) === undefined);

/** The parameters by which a deed finds its record. */
export function keysOf(deed: Deed, tool: ToolSpec, args: JsonObject): string[] {
  const required = parametersOf(tool).flatMap(({ name, required: needed }) => (needed && Object.hasOwn(args, name) ? [name] : []));
  switch (deed) {
    case 'find':
      return Object.keys(args);
    case 'create':
      return [];
    case 'change':
      return required.slice(0, 1);
    case 'remove':
      return required;
    default:
      return deed satisfies never;
  }
}

/** The record that a written task must hold so that this call gives `value`. */
export function recordFor(deed: Deed, tool: ToolSpec, args: JsonObject, value: JsonValue): JsonObject {
  const keys = keysOf(deed, tool, args);
  return { ...Object.fromEntries(keys.map((name) => [name, args[name] as JsonValue])), [givesOf(tool)]: value };
}

/** Which deed a record was written for: the inverse of `recordFor`. A change that changes nothing is taken for a removal. */
export function deedFor(tool: ToolSpec, args: JsonObject, record: JsonObject): Deed {
  if (tool.effects === 'read') return 'find';
  if (isBlank(record, tool)) return 'create';
  return agrees(record, args, keysOf('remove', tool, args)) ? 'remove' : 'change';
}

/** What of the world a call could be about: records that share a value with it, and for a tool that writes the blank ones. At most `most`. */
export function touchedBy({ arguments: args }: ToolCall, tool: ToolSpec, world: World, most: number): Entry[] {
  const names = Object.keys(args);
  const touched = recordsOf(world, tool).filter(
    ({ record }) =>
      names.some((name) => agrees(record, args, [name])) ||
      (names.length === 0 && field(record, givesOf(tool)) !== undefined) ||
      (tool.effects !== 'read' && isBlank(record, tool)),
  );
  return touched.slice(0, most);
}

/** The patch of a call that was answered with `value`; or in words why there is none. */
export function patchOf(deed: Deed, tool: ToolSpec, args: JsonObject, value: JsonValue, world: World): Patch | string {
  const collection = tool.category;
  const records = recordsOf(world, tool);
  const gives = givesOf(tool);
  const found = records.filter(({ record }) => agrees(record, args, keysOf(deed, tool, args)));
  const holder = found.find(({ record }) => canonical(field(record, gives) ?? null) === canonical(value));
  switch (deed) {
    case 'find': {
      // A field that nobody has written yet is written once it has been read, so that it stays what it was.
      const open = found.length > 0 && found.every(({ record }) => field(record, gives) === undefined);
      return open ? [{ op: 'put', collection, id: fresh(records), record: { ...args, [gives]: value } }] : [];
    }
    case 'create': {
      const blank = records.find(
        ({ record }) => isBlank(record, tool) && canonical(field(record, gives) as JsonValue) === canonical(value),
      );
      return blank === undefined
        ? [{ op: 'put', collection, id: fresh(records), record: { ...args, [gives]: value } }]
        : [{ op: 'merge', collection, id: blank.id, fields: { ...args } }];
    }
    case 'change': {
      const target = holder ?? found[0];
      return target === undefined ? 'there is no record to change' : [{ op: 'merge', collection, id: target.id, fields: { ...args } }];
    }
    case 'remove': {
      const target = holder ?? found[0];
      return target === undefined ? 'there is no record to remove' : [{ op: 'delete', collection, id: target.id }];
    }
    default:
      return deed satisfies never;
  }
}

/** Which deed a patch came from: the inverse of `patchOf`. */
export function deedOfPatch([operation]: Patch, tool: ToolSpec, world: World): Deed {
  switch (operation?.op) {
    case undefined:
    case 'count':
      return 'find';
    case 'put':
      return tool.effects === 'read' ? 'find' : 'create';
    case 'merge': {
      const { id } = operation;
      const before = recordsOf(world, tool).find((entry) => entry.id === id);
      return before !== undefined && isBlank(before.record, tool) ? 'create' : 'change';
    }
    case 'delete':
      return 'remove';
    default:
      return operation satisfies never;
  }
}

function fresh(records: readonly Entry[]): string {
  let number = records.length + 1;
  while (records.some(({ id }) => id === `n${number}`)) number++;
  return `n${number}`;
}
