/** Loads a tool list from a file and tells formats apart. The only file here that reads files; knows no task and no model. */
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { ConfigFault, boundarySync } from '../errors.ts';
import type { JsonValue } from '../protocol/json.ts';
import { readOpenAi } from './openai.ts';
import { type Rejection, type Sorted, sortTools } from './repository.ts';
import { isHostileKey, isRecord } from './schema.ts';
import { readToolBench } from './toolbench.ts';

const largestFile = 64 * 1024 * 1024;
const mostEntries = 50_000;

/** The tools of a file, each usable or rejected with its reason. Throws ConfigFault when the file cannot be read, is no JSON, or holds no list we know. */
export function loadTools(path: string): Sorted {
  const text = boundarySync(ConfigFault, `tools ${path}`, () => {
    if (statSync(path).size > largestFile) throw new ConfigFault(`tools ${path}: larger than ${largestFile / 1024 / 1024} MiB`);
    return readFileSync(path, 'utf8');
  });
  return readTools(text, basename(path));
}

/** The same from text; `name` is what sources are called after. */
export function readTools(text: string, name: string): Sorted {
  const parsed = boundarySync(ConfigFault, `tools ${name} is no JSON`, () => JSON.parse(text, refuseHostileKeys) as JsonValue);
  const entries = entriesOf(parsed);
  if (entries === undefined) throw new ConfigFault(`tools ${name}: neither OpenAI function JSON nor ToolBench JSON: a list is expected`);
  if (entries.length > mostEntries) throw new ConfigFault(`tools ${name}: more than ${mostEntries} entries`);
  const { tools, rejected } = isToolBench(entries) ? readToolBench(entries, name) : readOpenAi(entries, name);
  const sorted = sortTools(tools);
  const all = [...rejected, ...sorted.rejected];
  if (sorted.usable.length === 0) throw new ConfigFault(`tools ${name}: none of ${entries.length} entries is usable${why(all)}`);
  return { usable: sorted.usable, rejected: all };
}

/** `[…]`, or an object that holds the list under `tools` or `functions`. */
function entriesOf(parsed: JsonValue): readonly JsonValue[] | undefined {
  if (Array.isArray(parsed)) return parsed;
  if (!isRecord(parsed)) return undefined;
  const list = parsed['tools'] ?? parsed['functions'];
  return Array.isArray(list) ? list : undefined;
}

const isToolBench = (entries: readonly JsonValue[]): boolean =>
  entries.some((entry) => isRecord(entry) && ('api_list' in entry || 'api_name' in entry));

/** JSON.parse makes `__proto__` an own key; copied further it would become a prototype. */
function refuseHostileKeys(key: string, value: unknown): unknown {
  if (isHostileKey(key) && key === '__proto__') throw new ConfigFault('a key named __proto__');
  return value;
}

const why = (rejected: readonly Rejection[]): string => (rejected[0] === undefined ? '' : `: ${rejected[0].reason}`);

/** Reasons with how many tools each cost, most first: the table a command prints. */
export function reasonTable(rejected: readonly Rejection[]): { readonly reason: string; readonly tools: number }[] {
  const counts = new Map<string, number>();
  for (const { reason } of rejected) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, tools]) => ({ reason, tools })).sort((a, b) => b.tools - a.tools || (a.reason < b.reason ? -1 : 1));
}
