/** Loads a tool list by its name and tells formats apart. Knows no task and no model. */
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { ConfigFault, boundarySync } from '../errors.ts';
import type { JsonValue } from '../protocol/json.ts';
import type { ToolSpec } from '../protocol/tool.ts';
import { catalogueTools } from './catalogue.ts';
import { isLinesFile, isRejection, toolsOfFile, toolsOfLines } from './lines.ts';
import { readOpenAi } from './openai.ts';
import { isRecord } from './schema.ts';
import { checkShape, sayable } from './shape.ts';
import { type Rejection, type Sorted, sortTools } from './sieve.ts';
import { readToolBench } from './toolbench.ts';
import { textOfBytes } from './utf8.ts';

const largestFile = 64 * 1024 * 1024;
const mostEntries = 50_000;

/** A reader of a parsed list: `file` is what sources are called after. */
export type ReadList = (entries: readonly JsonValue[], file: string) => { tools: ToolSpec[]; rejected: Rejection[] };

/**
 * The tools of a list: `catalogue` is the one we wrote, everything else a file. Each is usable or rejected with its reason.
 * Throws ConfigFault when the file cannot be read, is no JSON, or holds no list we know.
 */
export function loadTools(path: string): Sorted {
  if (path === 'catalogue') return { usable: catalogueTools, rejected: [] };
  return isLinesFile(path) ? sortedLines(toolsOfFile(path), basename(path)) : readTools(textOf(path), basename(path));
}

/** The same from text; `name` is what sources are called after, and tells JSONL from JSON. */
export function readTools(text: string, name: string): Sorted {
  if (isLinesFile(name)) return sortedLines(toolsOfLines(text.split('\n'), name), name);
  const entries = listOf(text, name);
  const { tools, rejected } = (isToolBench(entries) ? readToolBench : readOpenAi)(entries, name);
  const sorted = sortTools(tools);
  return someUsable({ usable: sorted.usable, rejected: [...rejected, ...sorted.rejected] }, name, entries.length);
}

/** A file's text. Throws ConfigFault for what is no file, too large or missing. */
export function textOf(path: string): string {
  return boundarySync(ConfigFault, `tools ${path}`, () => {
    const file = statSync(path);
    // A pipe or a device may never end.
    if (!file.isFile()) throw new ConfigFault(`tools ${path}: no file`);
    if (file.size > largestFile) throw new ConfigFault(`tools ${path}: larger than ${largestFile / 1024 / 1024} MiB`);
    return textOfBytes(readFileSync(path), `tools ${path}`);
  });
}

/** The entries of a JSON list, or of an object that holds one under `tools` or `functions`. Throws ConfigFault. */
export function listOf(text: string, name: string): readonly JsonValue[] {
  const parsed = boundarySync(ConfigFault, `tools ${name} is no JSON`, () => JSON.parse(text) as JsonValue);
  checkShape(parsed, `tools ${name}`, 'refused');
  const said = sayable(parsed, text);
  const list = isRecord(said) ? (said['tools'] ?? said['functions']) : said;
  if (!Array.isArray(list)) throw new ConfigFault(`tools ${name}: neither OpenAI function JSON nor ToolBench JSON: a list is expected`);
  if (list.length > mostEntries) throw new ConfigFault(`tools ${name}: more than ${mostEntries} entries`);
  return list;
}

const isToolBench = (entries: readonly JsonValue[]): boolean =>
  entries.some((entry) => isRecord(entry) && ('api_list' in entry || 'api_name' in entry));

function sortedLines(lines: Iterable<ToolSpec | Rejection>, name: string): Sorted {
  const tools: ToolSpec[] = [];
  const rejected: Rejection[] = [];
  for (const entry of lines) {
    if (isRejection(entry)) rejected.push(entry);
    else tools.push(entry);
    if (tools.length > mostEntries)
      throw new ConfigFault(`tools ${name}: more than ${mostEntries} tools: draw fewer with \`tools sample\``);
  }
  const sorted = sortTools(tools);
  return someUsable({ usable: sorted.usable, rejected: [...rejected, ...sorted.rejected] }, name, tools.length + rejected.length);
}

function someUsable(sorted: Sorted, name: string, entries: number): Sorted {
  if (sorted.usable.length > 0) return sorted;
  const [first] = sorted.rejected;
  throw new ConfigFault(`tools ${name}: none of ${entries} entries is usable${first === undefined ? '' : `: ${first.reason}`}`);
}

/** Reasons with how many tools each cost, most first: the table a command prints. */
export function reasonTable(rejected: readonly Rejection[]): { readonly reason: string; readonly tools: number }[] {
  const counts = new Map<string, number>();
  for (const { reason } of rejected) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, tools]) => ({ reason, tools })).sort((a, b) => b.tools - a.tools || (a.reason < b.reason ? -1 : 1));
}
