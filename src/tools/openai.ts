/** Reads OpenAI function JSON: a list of `{type: 'function', function: {name, description, parameters}}`, or of the inner objects. Knows no other format and loads nothing. */
import { z } from 'zod';
import { JsonObject } from '../protocol/json.ts';
import type { JsonValue } from '../protocol/json.ts';
import type { ToolSpec } from '../protocol/tool.ts';
import type { Rejection } from './sieve.ts';

const Definition = z.object({
  name: z.string().min(1),
  description: z.string().default(''),
  parameters: JsonObject.default({ type: 'object', properties: {} }),
  returns: JsonObject.optional(),
  category: z.string().optional(),
});
const Entry = z.union([z.object({ type: z.literal('function'), function: Definition }).transform((entry) => entry.function), Definition]);

/** `file#index` is each tool's source. What a function does is unknown: OpenAI's form does not say. */
export function readOpenAi(entries: readonly JsonValue[], file: string): { tools: ToolSpec[]; rejected: Rejection[] } {
  const tools: ToolSpec[] = [];
  const rejected: Rejection[] = [];
  for (const [index, entry] of entries.entries()) {
    const source = `${file}#${index}`;
    const read = Entry.safeParse(entry);
    if (!read.success) {
      rejected.push({ name: `#${index}`, source, reason: 'no function definition' });
      continue;
    }
    const { name, description, parameters, returns, category } = read.data;
    tools.push({
      name,
      description: description.slice(0, 2000),
      parameters: { type: 'object', ...parameters },
      ...(returns === undefined ? {} : { returns }),
      effects: 'unknown',
      category: category ?? 'functions',
      source,
    });
  }
  return { tools, rejected };
}
