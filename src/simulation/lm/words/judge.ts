/**
 * The judge, asked in words: what would have been right, then what was done, in the same form; it answers one word for each criterion asked. What it saw is quoted by code.
 *
 *   system  grade CRITERION …
 *   user    NAME SLOT VALUE … STATUS RESULT … CLOSING {then …}      what is right
 *   user    the same of the episode, questions among it
 *   reply   {CRITERION true|false}
 */
import type { JsonValue } from '../../../protocol/json.ts';
import type { CriterionName, Task } from '../../../protocol/task.ts';
import type { ToolCall } from '../../../protocol/tool.ts';
import type { ToolStatus, Turn } from '../../../protocol/turn.ts';
import type { JudgeDraft, JudgeQuestion, Script } from '../dialect.ts';
import { pairs, part, plain, said, sign, spoken, wordsOf } from './speech.ts';

/** One word a criterion. */
const names: Readonly<Record<CriterionName, string>> = {
  intent: 'result',
  tools: 'tools',
  grounded: 'note',
  concise: 'count',
  efficient: 'rush',
};
const statuses: Readonly<Record<ToolStatus, string>> = {
  ok: 'ok',
  unknownTool: 'unknown',
  invalidArgument: 'invalid',
  notFound: 'missing',
  transient: 'busy',
};
/** Words of one call, of the whole episode: a policy that rambles is cut. */
const most = 160;

export const judgeScript: Script<JudgeQuestion, JudgeDraft> = {
  role: 'judge',
  version: 1,
  prompt: ({ view: { task, turns }, criteria }, complaints) => [
    { role: 'system', content: [part.judge, ...criteria.map((name) => names[name]), ...complaints.map(() => sign.again)].join(' ') },
    { role: 'user', content: right(task).slice(0, most).join(' ') },
    { role: 'user', content: done(turns).slice(0, most).join(' ') },
  ],
  schema: () => undefined,
  read: (text, { view, criteria }) => {
    const words = plain(text, { most: 2 * criteria.length }) ?? [];
    const evidence = quoted(view.turns);
    const draft: Partial<Record<CriterionName, { met: boolean; evidence: string }>> = {};
    for (const [index, name] of criteria.entries()) {
      const [word, finding] = words.slice(2 * index, 2 * index + 2);
      if (word !== names[name] || (finding !== 'true' && finding !== 'false'))
        return { ok: false, complaint: `say ${names[name]} true, or ${names[name]} false` };
      draft[name] = { met: finding === 'true', evidence };
    }
    return { ok: true, answer: draft };
  },
  write: (draft, { criteria }) => criteria.map((name) => `${names[name]} ${String(draft[name]?.met === true)}`).join(' '),
};

const call = ({ name, arguments: args }: ToolCall): string[] => [...wordsOf(name.replaceAll('_', ' ')), ...pairs(args)];
const result = (status: ToolStatus, value: JsonValue): string[] => [
  statuses[status],
  ...(status === 'ok' && value !== null ? wordsOf(spoken(value)) : []),
];

/** The calls of each request with their results, then what closes it. */
function right(task: Task): string[] {
  return task.intent.requests.flatMap((_, turn) => {
    const made = task.expectedCalls.flatMap((expected, index) => {
      if (expected.turn !== turn) return [];
      const { status = 'ok', result: value = null } = task.rehearsal?.[index] ?? {};
      return [{ words: [...call(expected), ...result(status, value)], status }];
    });
    const last = made.at(-1);
    const closing = last === undefined ? answerTo(task) : last.status === 'notFound' ? said.missing : said.done;
    return [...(turn === 0 ? missingWords(task) : [sign.next]), ...made.flatMap(({ words }) => words), ...wordsOf(closing)];
  });
}

const answerTo = ({ expectedAnswer }: Task): string => (expectedAnswer === undefined ? said.none : `${said.answer} ${expectedAnswer}`);

/** The one question that must be asked: for the argument of the first call that nobody has told yet. */
function missingWords({ branch, system, query, expectedCalls }: Task): string[] {
  const [first] = expectedCalls;
  if (branch !== 'ask' || first === undefined) return [];
  const heard = ` ${system} ${query} `;
  const missing = Object.keys(first.arguments).find((name) => !heard.includes(` ${spoken(first.arguments[name])} `));
  return missing === undefined ? [] : [said.ask, missing, sign.next];
}

/** Calls with their results, and what the agent said; what the user said after the first request begins the next one. */
function done(turns: readonly Turn[]): string[] {
  return turns.flatMap((turn, index) => {
    switch (turn.role) {
      case 'tool':
        return [...call(turn.call), ...result(turn.status, turn.result)];
      case 'agent':
        return wordsOf(turn.text);
      case 'user':
        return index === 0 ? [] : [sign.next];
      default:
        return turn satisfies never;
    }
  });
}

/** What a verdict points to: the agent's last words, else the last event that says something. */
function quoted(turns: readonly Turn[]): string {
  const spokenLast = turns.findLast((turn) => turn.role === 'agent' && turn.text !== '');
  if (spokenLast?.role === 'agent') return spokenLast.text;
  const last = turns.findLast((turn) => turn.role === 'user');
  return last?.role === 'user' ? last.text : '';
}
