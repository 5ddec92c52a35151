/**
 * The procedural judge: decides from parsed events, the final world and the task's solution, by rules alone. Never reads a thought or free text beyond its first words.
 * Reward (design: gates first, then criteria): a gate failed or intent not reached −1; a criterion required at this difficulty missed 0; all met 1.
 */
import type { JsonValue } from '../../protocol/json.ts';
import { canonical } from '../../protocol/json.ts';
import type { Verdict } from '../../protocol/outcome.ts';
import { CriterionName } from '../../protocol/task.ts';
import type { AgentTurn, ToolTurn, Turn } from '../../protocol/turn.ts';
import type { JudgeSimulator, JudgeView } from '../contract.ts';
import { type Heard, hear, heardBefore, heardOf, isGrounded } from './grounding.ts';
import { speech } from './lexicon.ts';
import { type Solution, solutionOf } from './solution.ts';

export const proceduralJudge: JudgeSimulator = {
  role: 'judge',
  pose: (view) => ({ kind: 'reply', reply: judge(view) as unknown as JsonValue }),
  read: (reply) => ({ ok: true, answer: reply as unknown as Verdict }),
};

type Finding = { readonly met: boolean; readonly evidence?: string };
const met: Finding = { met: true };
const missed = (evidence: string): Finding => ({ met: false, evidence });
const unless = (evidence: string | undefined): Finding => (evidence === undefined ? met : missed(evidence));

/** The verdict, with evidence for everything that was missed. Pure. */
export function judge(view: JudgeView): Verdict {
  const { task, turns } = view;
  const solution = solutionOf(task);
  const transcript = transcriptOf(turns);
  const gates = [
    gate('knownTool', unless(transcript.results.find(({ turn }) => turn.status === 'unknownTool')?.turn.call.name)),
    gate('schema', unless(unrepaired(transcript))),
    gate('groundedArguments', unless(ungroundedArgument(view))),
  ];
  const findings: Record<CriterionName, Finding> = {
    intent: intent(view, transcript, solution),
    tools: unless(transcript.results.find(({ turn }) => !task.expectedCalls.some(({ name }) => name === turn.call.name))?.turn.call.name),
    grounded: unless(ungroundedAnswer(view)),
    concise: concise(view, transcript, solution),
    efficient:
      transcript.agentTurns <= solution.agentTurns ? met : missed(`${transcript.agentTurns} turns where ${solution.agentTurns} do`),
  };
  const criteria = CriterionName.options.map((name) => ({ name, required: task.criteria.includes(name), ...findings[name] }));
  const failed = gates.some(({ passed }) => !passed) || !findings.intent.met;
  const reward = failed ? -1 : criteria.every((criterion) => criterion.met || !criterion.required) ? 1 : 0;
  return { reward, gates, criteria };
}

const gate = (name: string, { met: passed, evidence }: Finding) => ({
  name,
  passed,
  ...(evidence === undefined ? {} : { detail: evidence }),
});

interface Transcript {
  readonly agentTurns: number;
  /** Questions to the user. */
  readonly questions: readonly string[];
  /** What closed each request, in order. */
  readonly closings: readonly string[];
  /** Tool results in order, each with the request (0-based) it fell into. */
  readonly results: readonly { readonly turn: ToolTurn; readonly request: number }[];
}

const closes: ReadonlySet<string> = new Set([speech.done, speech.missing, speech.answer, speech.none]);

function transcriptOf(turns: readonly Turn[]): Transcript {
  const closings: string[] = [];
  const questions: string[] = [];
  const results: { turn: ToolTurn; request: number }[] = [];
  let agentTurns = 0;
  for (const turn of turns) {
    if (turn.role === 'tool') results.push({ turn, request: closings.length });
    if (turn.role !== 'agent') continue;
    agentTurns++;
    const first = firstWord(turn);
    if (first === speech.ask) questions.push(turn.text);
    else if (closes.has(first)) closings.push(turn.text);
  }
  return { agentTurns, questions, closings, results };
}

const firstWord = ({ text }: AgentTurn): string => text.split(' ', 1)[0] ?? '';

/** A call that was refused is made good by a later valid call of the same tool; one that could not be read at all, by any later valid call. */
function unrepaired({ results }: Transcript): string | undefined {
  const last = results.findLast(
    ({ turn }, index) =>
      turn.status === 'invalidArgument' &&
      !results
        .slice(index + 1)
        .some(({ turn: later }) => later.status !== 'invalidArgument' && (turn.call.name === '' || later.call.name === turn.call.name)),
  );
  return last === undefined ? undefined : `${last.turn.call.name || 'an unreadable call'} was never made right`;
}

/** Each argument must have been said by the system prompt, the user or an earlier result. */
function ungroundedArgument({ task, turns }: JudgeView): string | undefined {
  for (const { turn, heard } of withHeard(task, turns)) {
    for (const call of turn.calls) {
      const invented = Object.entries(call.arguments).find(([, value]) => !isGrounded(heard, value));
      if (invented !== undefined) return `${call.name}: ${invented[0]} = ${canonical(invented[1])} was never said`;
    }
  }
  return undefined;
}

/** An answer must repeat what was heard. */
function ungroundedAnswer({ task, turns }: JudgeView): string | undefined {
  for (const { turn, heard } of withHeard(task, turns)) {
    if (firstWord(turn) === speech.answer && !isGrounded(heard, turn.text.slice(speech.answer.length + 1)))
      return `${turn.text} was never said`;
  }
  return undefined;
}

/** Each agent turn with what had been said before it. */
function* withHeard(task: JudgeView['task'], turns: readonly Turn[]): Generator<{ turn: AgentTurn; heard: Heard }> {
  let heard = heardBefore(task);
  for (const turn of turns) {
    if (turn.role === 'agent') yield { turn, heard };
    else heard = hear(heard, turn.role === 'user' ? turn.text : heardOf(turn.result));
  }
}

/** The world and the results are those of the solution, each request is closed rightly, and no call came after its request was closed. */
function intent({ task, world }: JudgeView, { results, closings }: Transcript, solution: Solution): Finding {
  for (const [index, expected] of task.expectedCalls.entries()) {
    const { status, result } = solution.results[index] as Solution['results'][number];
    const wanted = canonical(result);
    const hit = results.some(({ turn, request }) => {
      if (turn.call.name !== expected.name || turn.status !== status || request > expected.turn) return false;
      // A look-up that found nothing proves nothing unless it looked for the right thing.
      return status === 'ok' ? canonical(turn.result) === wanted : canonical(turn.call.arguments) === canonical(expected.arguments);
    });
    if (!hit) return missed(`call ${index + 1} of ${task.expectedCalls.length} was not made`);
  }
  if (closings.length !== solution.closings.length || closings.some((closing, index) => closing !== solution.closings[index])) {
    return missed(`said ${closings.join(' / ') || 'nothing'} for ${solution.closings.join(' / ')}`);
  }
  if (canonical(world.entities) !== canonical(solution.world.entities)) return missed('the world is not as wished');
  return met;
}

/** No call beyond the expected ones, transient errors aside; no question whose answer was known. */
function concise({ task }: JudgeView, { results, questions }: Transcript, { asks }: Solution): Finding {
  const calls = results.filter(({ turn }) => turn.status !== 'transient').length;
  if (calls > task.expectedCalls.length) return missed(`${calls} calls where ${task.expectedCalls.length} do`);
  const needed = asks === undefined ? [] : [`${speech.ask} ${asks}`];
  return questions.length > needed.length || questions.some((question, index) => question !== needed[index])
    ? missed(`asked ${questions.join(' / ')}`)
    : met;
}
