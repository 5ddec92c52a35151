/**
 * The two forms in which open models write calls between `<tool_call>` tags, read and written: JSON (Hermes, Qwen2.5, Qwen3) and nested tags (Qwen3-Coder).
 * Both are read whatever the template teaches. Knows no ids and no judgement: a call of an unknown tool reads as well as any.
 */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { ToolCall, ToolSpec } from '../../protocol/tool.ts';
import { type CallReading, parametersOf } from './call.ts';
import { readJson, spacedJson, storable } from './strict-json.ts';

export const tag = { open: '<tool_call>', close: '</tool_call>' } as const;
export type CallForm = 'json' | 'xml';

/** What stands between the tags of one call. `raw` of a failed reading is `body`. */
export function readTaggedCall(body: string, tools: readonly ToolSpec[]): CallReading {
  const text = body.trim();
  return text.startsWith('<function=') ? readXml(text, tools) : readObject(text);
}

/** With the tags. A `<` that would begin a tag inside a value is escaped as JSON allows. Throws RangeError for a value the form cannot hold. */
export function writeTaggedCall(call: ToolCall, form: CallForm): string {
  return `${tag.open}\n${form === 'json' ? writeObject(call) : writeXml(call)}\n${tag.close}`;
}

const no = (raw: string, reason: string): CallReading => ({ ok: false, raw, reason });

function readObject(text: string): CallReading {
  const reading = readJson(text);
  if (!reading.ok) return no(text, reading.reason);
  if (!isObject(reading.value)) return no(text, 'no JSON object');
  const { name, arguments: given, ...rest } = reading.value;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return no(text, `unknown key ${JSON.stringify(unknown)}`);
  if (typeof name !== 'string' || name === '') return no(text, 'no name');
  if (given === undefined) return no(text, 'no arguments');
  // Some models quote the arguments, as OpenAI's API does.
  const inner: ReturnType<typeof readJson> = typeof given === 'string' ? readJson(given) : { ok: true, value: given };
  if (!inner.ok) return no(text, `arguments: ${inner.reason}`);
  return isObject(inner.value) ? { ok: true, call: { name, arguments: inner.value } } : no(text, 'arguments are no object');
}

const writeObject = ({ name, arguments: given }: ToolCall): string =>
  `{"name": ${quotable(JSON.stringify(name))}, "arguments": ${quotable(spacedJson(given))}}`;

/** Tags can only stand inside strings, where JSON may spell `<` otherwise. */
const quotable = (json: string): string => json.replace(/<(?=\/?(?:tool_call|think)>)/g, '\\u003c');

const parameterPattern = /^<parameter=([^>\n]+)>([\s\S]*?)<\/parameter>\s*/;

function readXml(text: string, tools: readonly ToolSpec[]): CallReading {
  const head = /^<function=([^>\n]+)>\s*/.exec(text);
  const name = head?.[1]?.trim() ?? '';
  if (head === null || name === '') return no(text, 'no function name');
  const tool = tools.find((each) => each.name === name);
  const schemas = new Map((tool === undefined ? [] : parametersOf(tool)).map((parameter) => [parameter.name, parameter.schema]));
  const given = new Map<string, JsonValue>();
  let rest = text.slice(head[0].length);
  for (let found = parameterPattern.exec(rest); found !== null; found = parameterPattern.exec(rest)) {
    const parameter = (found[1] as string).trim();
    if (parameter === '__proto__') return no(text, '__proto__ as a key');
    if (given.has(parameter)) return no(text, `${JSON.stringify(parameter)} twice`);
    given.set(parameter, typedValue((found[2] as string).replace(/^\n|\n$/g, ''), schemas.get(parameter) ?? {}));
    rest = rest.slice(found[0].length);
  }
  if (rest.startsWith('<parameter=')) return no(text, 'a parameter without its end');
  if (rest.trim() !== '</function>') return no(text, rest === '' ? 'no </function>' : 'text between parameters');
  return { ok: true, call: { name, arguments: Object.fromEntries(given) } };
}

/** A string parameter is its text; any other is JSON where it is, and its text for the tool to refuse where it is not. */
function typedValue(text: string, schema: JsonObject): JsonValue {
  const types = [schema['type'] ?? []].flat();
  if (types.includes('string')) return storable(text);
  const reading = readJson(text);
  return reading.ok ? reading.value : storable(text);
}

function writeXml({ name, arguments: given }: ToolCall): string {
  const lines = Object.entries(given).map(([parameter, value]) => {
    const text = typeof value === 'string' ? value : spacedJson(value);
    if (/<\/?(?:tool_call|think|parameter|function)\b/.test(text))
      throw new RangeError(`${parameter} holds a tag, which this form cannot write`);
    return `<parameter=${parameter}>\n${text}\n</parameter>\n`;
  });
  return `<function=${name}>\n${lines.join('')}</function>`;
}

const isObject = (value: JsonValue): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
