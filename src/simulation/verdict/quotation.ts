/** Does a judge's evidence quote the episode? Words are compared, not meaning; knows no criterion's sense but that an intent is met by something that happened. */
import type { JsonValue } from '../../protocol/json.ts';
import type { CriterionName } from '../../protocol/task.ts';
import type { Turn } from '../../protocol/turn.ts';
import type { JudgeView } from '../contract.ts';
import { leavesOf, wordsOf } from '../hearing.ts';

/** Least share of the evidence's words that one event must hold: models drop quotation marks and join what they quote. */
const quoted = 0.8;
/** Characters of evidence that are read, and of one event. */
const longest = { evidence: 2000, event: 20_000 } as const;

/** "event 3:" before what is quoted, or "no event" before what is missing. */
const reference = /^\s{0,4}["'(]?(no )?event\b[^\p{L}\n]{0,12}/iu;

/** What is wrong with a finding's evidence; undefined when nothing is. Nothing need be quoted for what did not happen. */
export function unquoted(
  name: CriterionName,
  { met, evidence }: { readonly met: boolean; readonly evidence: string },
  { task, turns }: JudgeView,
): string | undefined {
  const read = evidence.slice(0, longest.evidence);
  const isAbsence = reference.exec(read)?.[1] !== undefined;
  const words = wordsIn(read.replace(reference, ''));
  if (isAbsence || words.length === 0)
    return name === 'intent' && met ? 'intent is met by something that happened: quote the event that shows it' : undefined;
  const found = [...turns.map(eventWords), wordsIn(task.system)].some((event) => {
    const held = new Set(event);
    return words.filter((word) => held.has(word)).length >= quoted * words.length;
  });
  return found ? undefined : `the evidence for ${name} occurs in no event: quote the words of one event`;
}

function eventWords(turn: Turn): string[] {
  if (turn.role === 'user') return ['user', 'text', ...wordsIn(turn.text)];
  const calls = turn.role === 'agent' ? turn.calls : [turn.call];
  const called = calls.flatMap((call) => [call.name, ...keysOf(call.arguments), ...leavesOf(call.arguments).map(String)]);
  const shown =
    turn.role === 'agent'
      ? ['agent', 'text', 'calls', turn.text]
      : ['tool', turn.status, ...keysOf(turn.result), ...leavesOf(turn.result).map(String)];
  return [...called, 'name', 'arguments', 'call', 'status', 'result', ...shown].flatMap(wordsIn);
}

const wordsIn = (text: string): string[] =>
  wordsOf(text.slice(0, longest.event))
    .split(' ')
    .filter((word) => word !== '');

function keysOf(value: JsonValue): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap((part: JsonValue) => keysOf(part));
  return Array.isArray(value) ? inner : [...Object.keys(value), ...inner];
}
