/** Does a judge's evidence quote the episode? Words are compared, not meaning; knows no criterion's sense but that an intent is met by something that happened. */
import type { CriterionName } from '../protocol/task.ts';
import type { Turn } from '../protocol/turn.ts';
import type { JudgeView } from './contract.ts';
import { leavesOf, wordsOf } from './heard.ts';

/** Least share of the evidence's words that one event must hold: models drop quotation marks and join what they quote. */
const quoted = 0.8;
/** Characters of evidence that are read. */
const longest = 2000;

/** What is wrong with a finding's evidence; undefined when nothing is. Nothing need be quoted for what did not happen. */
export function unquoted(
  name: CriterionName,
  { met, evidence }: { readonly met: boolean; readonly evidence: string },
  { task, turns }: JudgeView,
): string | undefined {
  const words = wordsOf(evidence.slice(0, longest));
  if (words.length === 0) return name === 'intent' && met ? 'intent is met by something that happened: quote it as evidence' : undefined;
  const found = [...turns.map(eventWords), wordsOf(task.system), wordsOf(task.intent.summary)].some((event) => {
    const held = new Set(event);
    return words.filter((word) => held.has(word)).length >= quoted * words.length;
  });
  return found
    ? undefined
    : `the evidence for ${name} occurs in no event: quote one word for word, or leave it empty where nothing happened`;
}

function eventWords(turn: Turn): string[] {
  if (turn.role === 'user') return ['user', ...wordsOf(turn.text)];
  const calls = turn.role === 'agent' ? turn.calls : [turn.call];
  const called = calls.flatMap((call) => [call.name, ...Object.keys(call.arguments), ...leavesOf(call.arguments).map(String)]);
  const shown = turn.role === 'agent' ? ['agent', turn.text] : ['tool', turn.status, ...keysAndLeaves(turn.result)];
  return [...called, ...shown].flatMap(wordsOf);
}

const keysAndLeaves = (value: Parameters<typeof leavesOf>[0]): string[] => [
  ...(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : []),
  ...leavesOf(value).map(String),
];
