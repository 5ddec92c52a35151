/**
 * The rules of the court a second time, written from their words alone and in another form: an episode becomes a flat table of facts, and each rule is a statement about sets of them.
 * It shares no code with the gates but the types; where both agree, neither is likely to have misread a rule.
 *
 *   known       every call names a tool of the task
 *   wellFormed  a refused call is followed by an accepted one of its tool (an unreadable one: of any tool)
 *   said        every scalar in an argument was uttered before, few words without digits one by one: by prompt, user or result; what the solution needs and nobody can utter is free, and so are defaults
 *   made        the expected calls can be dealt to different results (equal look-ups may share one), each after those it needs; else as many of them as can. A result is one's that was
 *               asked for with its arguments (in any letter case, once it was rehearsed) or says what it is to say; of a change it must besides hold all its arguments, or change the same
 *   answered    the expected answer was uttered by the agent, if it is a number or some few words: no truth, no date, no time, no sentence
 *   harmless    the records are those that the dealt results and the look-ups alone leave behind
 *   needed      only tools of the solution were called
 *   spare       no more calls than expected, busy ones aside, and no result asked for twice while nothing changed
 *   brisk       agent turns ≤ expected calls + busy answers to them + requests + 1 where something must be asked
 */
import type { JsonValue } from '../../src/protocol/json.ts';
import type { Task } from '../../src/protocol/task.ts';
import type { Turn } from '../../src/protocol/turn.ts';

type Rule = 'known' | 'wellFormed' | 'said' | 'made' | 'answered' | 'harmless' | 'needed' | 'spare' | 'brisk';
export type Opinion = Readonly<Record<Rule, boolean>>;

/** One row a fact; `at` orders them. */
interface Row {
  readonly at: number;
  readonly kind: 'utterance' | 'argument' | 'result' | 'speech' | 'turn';
  readonly tool: string;
  readonly key: string;
  readonly text: string;
  readonly value: JsonValue;
}

export function secondOpinion(task: Task, turns: readonly Turn[]): Opinion {
  const table = tableOf(task, turns);
  const results = turns.filter((turn) => turn.role === 'tool');
  const deal = dealt(task, results);
  const toolNames = new Set(task.tools.map(({ name }) => name));
  const wanted = new Set(task.expectedCalls.map(({ name }) => name));
  const uttered = (before: number): Set<string> =>
    new Set(table.flatMap((row) => (row.kind === 'utterance' && row.at < before ? phrasesOf(row.text) : [])));
  const free = freeValues(task);
  const dealtTo = new Set(deal);
  const busyKeys = new Set([...dealtTo].map((index) => keyOf(results[index]?.call)));
  const accepted = results.filter(({ status }) => status !== 'transient');

  return {
    known: results.every(({ call, status }) => status !== 'unknownTool' && (toolNames.has(call.name) || call.name === '')),
    wellFormed: results.every(
      ({ call, status }, index) =>
        status !== 'invalidArgument' ||
        results.slice(index + 1).some((later) => later.status !== 'invalidArgument' && ['', later.call.name].includes(call.name)),
    ),
    said: table.every(
      (row) =>
        row.kind !== 'argument' ||
        free.has(`${row.tool}/${row.key}=${JSON.stringify(row.value)}`) ||
        isDefault(task, row) ||
        isUttered(row, uttered(row.at), task),
    ),
    made: !deal.includes(-1),
    answered:
      task.expectedAnswer === undefined ||
      ['true', 'false'].includes(task.expectedAnswer) ||
      tokens(task.expectedAnswer).length > 4 ||
      /-\d\d-\d\d|:\d\d/.test(task.expectedAnswer) ||
      table.some((row) => row.kind === 'speech' && phrasesOf(row.text).includes(flat(task.expectedAnswer as string))),
    harmless: same(
      recordsAfter(task, results, () => true),
      recordsAfter(task, results, (index) => dealtTo.has(index) || looksUp(task, results[index]?.call.name)),
    ),
    needed: results.every(({ call }) => wanted.has(call.name)),
    spare: accepted.length <= task.expectedCalls.length && !asksTwice(results, dealtTo),
    brisk:
      table.filter(({ kind }) => kind === 'turn').length <=
      task.expectedCalls.length +
        results.filter(({ call, status }) => status === 'transient' && busyKeys.has(keyOf(call))).length +
        task.intent.requests.length +
        Number(task.branch === 'ask'),
  };
}

function tableOf(task: Task, turns: readonly Turn[]): Row[] {
  const blank = { tool: '', key: '', text: '', value: null };
  const rows: Row[] = [task.system, task.query].map((text) => ({ ...blank, at: -1, kind: 'utterance', text }));
  for (const [at, turn] of turns.entries()) {
    if (turn.role === 'user') rows.push({ ...blank, at, kind: 'utterance', text: turn.text });
    if (turn.role === 'tool')
      for (const [, value] of scalars(turn.result)) rows.push({ ...blank, at, kind: 'utterance', text: String(value) });
    if (turn.role !== 'agent') continue;
    rows.push({ ...blank, at, kind: 'turn' }, { ...blank, at, kind: 'speech', text: turn.text });
    for (const { name, arguments: args } of turn.calls)
      for (const [path, value] of scalars(args)) rows.push({ ...blank, at, kind: 'argument', tool: name, key: path[0] ?? '', value });
  }
  return rows;
}

/** Every scalar that says something, with the way to it. */
function scalars(value: JsonValue, path: readonly string[] = []): [readonly string[], string | number | boolean][] {
  if (value === null || value === '') return [];
  if (typeof value !== 'object') return [[path, value]];
  const entries: [string, JsonValue][] = Array.isArray(value) ? value.map((part, index) => [String(index), part]) : Object.entries(value);
  return entries.flatMap(([name, part]) => scalars(part, [...path, name]));
}

const tokens = (text: string): string[] =>
  Array.from(
    text
      .normalize('NFKC')
      .toLowerCase()
      .replace(/(?<=\d),(?=\d\d\d(?:\D|$))/g, '')
      .matchAll(/[\p{L}\p{N}]+/gu),
    ([word]) => word,
  );
const flat = (text: string): string => tokens(text).join(' ');

/** All runs of up to six words. */
function phrasesOf(text: string): string[] {
  const words = tokens(text);
  return words.flatMap((_, from) => Array.from({ length: 6 }, (__, length) => words.slice(from, from + length + 1).join(' ')));
}

const spelt =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'.split(
    ' ',
  );

function waysToSay(value: JsonValue): string[] {
  if (typeof value === 'boolean') return value ? ['true', 'yes'] : ['false', 'no'];
  if (typeof value === 'number') return [String(value), value.toFixed(2), spelt[value] ?? String(value)].map(flat);
  const text = typeof value === 'string' ? flat(value) : '';
  return /^\d+$/.test(text) ? [text, spelt[Number(text)] ?? text] : [text];
}

function isUttered({ tool, key, value }: Row, known: ReadonlySet<string>, task: Task): boolean {
  if (waysToSay(value).some((way) => known.has(way))) return true;
  if (typeof value === 'boolean' && propertyOf(task, tool, key)['type'] === 'boolean')
    return tokens(key.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')).some((word) => word.length > 2 && known.has(word));
  if (typeof value !== 'string') return false;
  const words = tokens(value);
  if (words.length === 0) return true;
  const withDigits = words.filter((word) => /\d/.test(word));
  if (words.length > 3) return withDigits.every((word) => known.has(word));
  return words.length > 1 && withDigits.length === 0 && words.every((word) => known.has(word));
}

const propertyOf = (task: Task, tool: string, key: string): { [keyword: string]: JsonValue } => {
  const parameters = task.tools.find(({ name }) => name === tool)?.parameters as { properties?: Record<string, never> } | undefined;
  return parameters?.properties?.[key] ?? {};
};
const isDefault = (task: Task, { tool, key, value }: Row): boolean => {
  const { default: preset } = propertyOf(task, tool, key);
  return preset !== undefined && same(preset, value);
};

/** Scalars of the solution that no text of the task holds before they are needed. */
function freeValues(task: Task): Set<string> {
  const { system, intent, expectedCalls, rehearsal = [] } = task;
  const free = new Set<string>();
  for (const [index, { name, arguments: args, needs, turn }] of expectedCalls.entries()) {
    if (rehearsal.length === 0 && needs.length > 0) continue;
    const earlier = rehearsal.flatMap(({ result }, at) => (at < index ? scalars(result).map(([, value]) => String(value)) : []));
    const requests = intent.requests.filter((_, at) => at <= turn);
    const known = new Set([system, ...requests, ...Object.values(intent.facts), ...earlier].flatMap(phrasesOf));
    for (const [path, value] of scalars(args)) {
      const row: Row = { at: 0, kind: 'argument', tool: name, key: path[0] ?? '', text: '', value };
      if (!isUttered(row, known, task)) free.add(`${name}/${row.key}=${JSON.stringify(value)}`);
    }
  }
  return free;
}

type Results = readonly Extract<Turn, { role: 'tool' }>[];

const sorted = (value: JsonValue): JsonValue =>
  typeof value !== 'object' || value === null
    ? value
    : Array.isArray(value)
      ? value.map(sorted)
      : Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, part]) => [name, sorted(part)]),
        );
const same = (a: JsonValue, b: JsonValue): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const keyOf = (call: { name: string; arguments: JsonValue } | undefined): string =>
  JSON.stringify([call?.name, sorted(call?.arguments ?? null)]);

const looksUp = (task: Task, tool: string | undefined): boolean => task.tools.find(({ name }) => name === tool)?.effects === 'read';
const inAnyCase = (args: JsonValue): { [name: string]: JsonValue } => JSON.parse(JSON.stringify(args).toLowerCase()) as never;

/** One result for each expected call, -1 where there is none: of all ways to deal them, the first that serves most. */
function dealt(task: Task, results: Results): readonly number[] {
  const served = (deal: readonly number[]): number => deal.filter((index) => index >= 0).length;
  const ways = (taken: readonly number[]): readonly number[] => {
    const expected = task.expectedCalls[taken.length];
    if (expected === undefined) return taken;
    const rehearsed = task.rehearsal?.[taken.length];
    const mayShare = looksUp(task, expected.name);
    const candidates = results.flatMap(({ call, status, result, patch }, index) => {
      if (call.name !== expected.name || (!mayShare && taken.includes(index))) return [];
      if (expected.needs.some((need) => (taken[need] ?? -1) < 0 || (taken[need] as number) >= index)) return [];
      const equal = same(call.arguments, expected.arguments);
      if (rehearsed === undefined) return equal && (status === 'ok' || status === 'notFound') ? [{ index, equal }] : [];
      if (status !== rehearsed.status) return [];
      const [had, wanted] = [inAnyCase(call.arguments), inAnyCase(expected.arguments)];
      const isMade =
        mayShare || Object.keys(wanted).every((name) => same(had[name] ?? null, wanted[name] ?? null)) || same(patch, rehearsed.patch);
      const isSame = same(had, wanted) || (status === 'ok' && same(result, rehearsed.result) && isMade);
      return isSame ? [{ index, equal }] : [];
    });
    const choices = [...candidates.sort((x, y) => Number(y.equal) - Number(x.equal)).map(({ index }) => index), -1];
    return choices.map((index) => ways([...taken, index])).reduce((best, next) => (served(next) > served(best) ? next : best));
  };
  return ways([]);
}

/** Collections of records as they are after the patches of the chosen results; null where these make no sense alone. */
function recordsAfter(task: Task, results: Results, chosen: (index: number) => boolean): JsonValue {
  const records = new Map<string, JsonValue>();
  const order = new Set<string>(Object.keys(task.world.entities));
  for (const [collection, byId] of Object.entries(task.world.entities))
    for (const [id, record] of Object.entries(byId)) records.set(JSON.stringify([collection, id]), record);
  for (const [index, { patch }] of results.entries()) {
    if (!chosen(index)) continue;
    for (const operation of patch) {
      if (operation.op === 'count') continue;
      const at = JSON.stringify([operation.collection, operation.id]);
      order.add(operation.collection);
      if (operation.op === 'put') records.set(at, operation.record);
      else if (!records.has(at)) return null;
      else if (operation.op === 'delete') records.delete(at);
      else records.set(at, { ...(records.get(at) as object), ...operation.fields });
    }
  }
  return [Object.fromEntries(records), [...order].sort()];
}

/** A question put twice with nothing changed between, where the second is not part of the solution. */
function asksTwice(results: Results, needed: ReadonlySet<number>): boolean {
  const answered = results.flatMap(({ call, status, patch }, index) =>
    status === 'transient' ? [] : [{ index, key: keyOf(call), changes: patch.some(({ op }) => op !== 'count') }],
  );
  return answered.some(
    ({ index, key }, at) =>
      !needed.has(index) &&
      answered.slice(0, at).some((earlier, before) => earlier.key === key && !answered.slice(before, at).some(({ changes }) => changes)),
  );
}
