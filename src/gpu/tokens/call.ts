/** The grammar of a call, `name ( parameter = value , … )`, over words. Knows no ids, no template and no judgement: a call of an unknown tool reads as well as any. */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { ToolCall, ToolSpec } from '../../protocol/tool.ts';
import { isReserved, marker, sign, wordsOf } from './markers.ts';

/** A name as the template spells it: one word for each part between underscores. */
export const nameWords = (name: string): string[] => wordsOf(name.replaceAll('_', ' '));

/** The words of a value: strings at blanks, numbers and booleans as in JSON, lists and records by their values alone, null as nothing. */
export function valueWords(value: JsonValue): string[] {
  if (value === null) return [];
  if (typeof value === 'object') return Object.values(value).flatMap(valueWords);
  return wordsOf(String(value));
}

/** A tool's parameters in the order of the schema's properties. */
export function parametersOf(tool: ToolSpec): { name: string; required: boolean; schema: JsonObject }[] {
  const { properties, required } = tool.parameters;
  const needed = new Set(Array.isArray(required) ? required : []);
  return Object.entries(isObject(properties) ? properties : {}).map(([name, schema]) => ({
    name,
    required: needed.has(name),
    schema: isObject(schema) ? schema : {},
  }));
}

/** A call that was read, or why it could not be. */
export type CallReading =
  | { readonly ok: true; readonly call: ToolCall }
  | { readonly ok: false; readonly raw: string; readonly reason: string };

/**
 * Reads the words after `<tool_call>`. Names are resolved among `tools` (several words, or a character the vocabulary lacks, may stand for one name);
 * a name that is none of them is joined by underscores and left to the tool, which answers `unknown`.
 */
export function readCall(words: readonly string[], tools: readonly ToolSpec[]): CallReading {
  const no = (reason: string): CallReading => ({ ok: false, raw: [marker.call, ...words].join(' '), reason });
  const open = words.indexOf(sign.open);
  if (open < 0) return no('no (');
  if (open === 0) return no('no tool name');
  const close = words.indexOf(sign.close, open);
  if (close < 0) return no('no )');
  if (close < words.length - 1) return no('words after )');
  const spelt = words.slice(0, open);
  const tool = tools.find(({ name }) => isSpelt(name, spelt));
  const parameters = tool === undefined ? [] : parametersOf(tool);
  const argumentsRead = new Map<string, JsonValue>();
  for (const part of close === open + 1 ? [] : splitAt(words.slice(open + 1, close), sign.comma)) {
    const equals = part.indexOf(sign.equals);
    if (equals < 0) return no('an argument without =');
    if (equals === 0) return no('a value without a parameter');
    if (equals === part.length - 1) return no('a parameter without a value');
    const value = part.slice(equals + 1);
    if (value.includes(sign.equals) || value.includes(sign.open)) return no('an argument with two values');
    const parameter = parameters.find(({ name }) => isSpelt(name, part.slice(0, equals)));
    const name = parameter?.name ?? part.slice(0, equals).join('_');
    if (argumentsRead.has(name)) return no(`${name} twice`);
    argumentsRead.set(name, typed(value.join(' '), parameter?.schema ?? {}));
  }
  return { ok: true, call: { name: tool?.name ?? spelt.join('_'), arguments: Object.fromEntries(argumentsRead) } };
}

/** The words of a call, `<tool_call>` first: the inverse of `readCall`. A name or value that holds a reserved word says `<unk>` there. */
export function writeCall(call: ToolCall): string[] {
  const said = (words: readonly string[]): string[] => words.map((word) => (isReserved(word) ? marker.unknown : word));
  const args = Object.entries(call.arguments).flatMap(([name, value], index) => [
    ...(index === 0 ? [] : [sign.comma]),
    ...said(nameWords(name)),
    sign.equals,
    ...said(valueWords(value)),
  ]);
  return [marker.call, ...said(nameWords(call.name)), sign.open, ...args, sign.close];
}

function isSpelt(name: string, words: readonly string[]): boolean {
  const spelt = nameWords(name);
  return spelt.length === words.length && spelt.every((word, index) => word === words[index]);
}

/** A number or boolean where the schema asks for one and the text is one; otherwise the text, for the tool to refuse. */
function typed(text: string, schema: JsonObject): JsonValue {
  const types = Array.isArray(schema['type']) ? schema['type'] : [schema['type']];
  if (types.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if ((types.includes('number') || types.includes('integer')) && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return text;
}

export function splitAt(words: readonly string[], separator: string): string[][] {
  const parts: string[][] = [[]];
  for (const word of words) {
    if (word === separator) parts.push([]);
    else parts.at(-1)?.push(word);
  }
  return parts;
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
