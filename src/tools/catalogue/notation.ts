/** The words the catalogue is written in: fields with a schema and an example, put together into records and tools. Knows no tool. */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { ToolSpec } from '../../protocol/tool.ts';

/** What one value may be, and one such value. */
export interface Field {
  readonly schema: JsonObject;
  readonly example: JsonValue;
}
/** Name → field; a name that ends in `?` is optional. */
export type Shape = Readonly<Record<string, Field>>;

export const text = (description: string, example: string): Field => ({ schema: { type: 'string', description, minLength: 1 }, example });
export const id = (what: string, example: string): Field => text(`Id of the ${what}.`, example);
export const whole = (description: string, example: number, minimum = 0, maximum?: number): Field => ({
  schema: { type: 'integer', description, minimum, ...(maximum === undefined ? {} : { maximum }) },
  example,
});
export const amount = (description: string, example: number, minimum = 0): Field => ({
  schema: { type: 'number', description, minimum },
  example,
});
/** Below zero too. */
export const measure = (description: string, example: number): Field => ({ schema: { type: 'number', description }, example });
export const flag = (description: string, example = true): Field => ({ schema: { type: 'boolean', description }, example });
/** The first is the example. */
export const choice = (description: string, ...values: readonly string[]): Field => ({
  schema: { type: 'string', description, enum: [...values] },
  example: values[0] as string,
});
export const day = (description: string, example = '2027-03-15'): Field => ({
  schema: { type: 'string', description: `${description} As YYYY-MM-DD.`, format: 'date' },
  example,
});
export const moment = (description: string, example = '2027-03-15T09:30:00Z'): Field => ({
  schema: { type: 'string', description: `${description} ISO 8601, UTC.`, format: 'date-time' },
  example,
});
export const clock = (description: string, example = '19:30'): Field => ({
  schema: { type: 'string', description: `${description} As HH:MM.` },
  example,
});

/** A list of one kind. */
export const many = (item: Field, description?: string): Field => ({
  schema: { type: 'array', ...(description === undefined ? {} : { description }), items: item.schema },
  example: [item.example],
});

/** An object of exactly these fields. `example` replaces examples that would not tell the story. */
export function record(shape: Shape, example: JsonObject = {}): Field {
  const names = Object.keys(shape);
  const plain = (name: string): string => name.replace(/\?$/, '');
  const required = names.filter((name) => !name.endsWith('?'));
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [plain(name), (shape[name] as Field).schema])),
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
    },
    example: { ...Object.fromEntries(names.map((name) => [plain(name), (shape[name] as Field).example])), ...example },
  };
}

/** The same record with another example: after it was cancelled, say. */
export const like = (field: Field, example: JsonObject): Field => ({ ...field, example: { ...(field.example as JsonObject), ...example } });

export interface Draft {
  readonly description: string;
  readonly parameters: Field;
  readonly returns: Field;
  readonly effects: 'read' | 'write';
  /** Of what is written: the tool of the same category that shows it afterwards. */
  readonly seenBy?: string;
}

export const read = (description: string, parameters: Shape, returns: Field): Draft => ({
  description,
  parameters: record(parameters),
  returns,
  effects: 'read',
});

export const write = (description: string, parameters: Shape, returns: Field, seenBy: string): Draft => ({
  description,
  parameters: record(parameters),
  returns,
  effects: 'write',
  seenBy,
});

/** One category: tool name → draft. */
export interface Chapter {
  readonly category: string;
  readonly tools: Readonly<Record<string, Draft>>;
}

/** The tools of a chapter in the common format. */
export const specsOf = ({ category, tools }: Chapter): ToolSpec[] =>
  Object.entries(tools).map(([name, { description, parameters, returns, effects }]) => ({
    name,
    description,
    parameters: parameters.schema,
    returns: returns.schema,
    effects,
    category,
    source: `catalogue:${category}`,
    licence: 'MIT',
    exampleResponse: returns.example,
  }));
