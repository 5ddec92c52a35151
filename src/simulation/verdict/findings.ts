/** What code can find on each criterion of an episode that passed its gates: met, missed, or open, where only who reads the words can tell. Knows no reward. */
import type { CriterionName, Task } from '../../protocol/task.ts';
import { changes, type Matching } from './expected.ts';
import { inventedIn } from './invented.ts';
import type { Scene } from './scene.ts';
import { occurrenceKey } from '../state.ts';

/** On one criterion. `open`: nothing speaks against it, and code cannot tell whether it is met. */
export interface Finding {
  readonly met: boolean;
  readonly evidence?: string;
  readonly open: boolean;
}

const settled: Finding = { met: true, open: false };
const undecided: Finding = { met: true, open: true };
const missed = (evidence: string): Finding => ({ met: false, evidence, open: false });

export type Findings = Readonly<Record<CriterionName, Finding>>;

/** `failure`: the gate that failed, if any. */
export function findingsOf(task: Task, scene: Scene, { made }: Matching, failure: string | undefined): Findings {
  const needed = new Set(task.expectedCalls.map(({ name }) => name));
  const other = scene.results.find(({ call }) => !needed.has(call.name));
  return {
    intent: failure === undefined ? undecided : missed(failure),
    tools: other === undefined ? settled : missed(`${other.call.name || 'an unreadable call'} was not needed`),
    grounded: grounded(scene),
    concise: concise(task, scene, made),
    efficient: efficient(task, scene, made),
  };
}

/** Names and numbers in what is said must have been heard; what has neither is left open. */
function grounded({ said, manual }: Scene): Finding {
  for (const { turn, heard } of said) {
    const invented = inventedIn(turn.text, heard + manual);
    if (invented !== undefined) return missed(`${invented} was never said`);
  }
  return undecided;
}

/** No call beyond the expected ones, and none twice that nothing had changed between, transient errors aside. Open where the agent said more than its requests need: a question may have been idle. */
function concise(task: Task, { said, results }: Scene, made: readonly number[]): Finding {
  const { expectedCalls, intent } = task;
  const calls = results.filter(({ status }) => status !== 'transient');
  if (calls.length > expectedCalls.length) return missed(`${calls.length} calls where ${expectedCalls.length} do`);
  const known = new Set<string>();
  for (const [at, turn] of results.entries()) {
    const { call, status } = turn;
    const key = occurrenceKey(call);
    if (status === 'transient') continue;
    if (known.has(key) && !made.includes(at)) return missed(`${call.name} was called twice alike`);
    if (changes(task, turn)) known.clear();
    known.add(key);
  }
  return said.filter(({ turn }) => turn.text !== '').length > intent.requests.length ? undecided : settled;
}

/** As many agent turns as expected calls, requests, and one question where something was left out; a busy tool may be asked again. */
function efficient({ expectedCalls, intent, branch }: Task, { said, results }: Scene, made: readonly number[]): Finding {
  const keys = new Set(made.flatMap((at) => (results[at] === undefined ? [] : [occurrenceKey(results[at].call)])));
  const retries = results.filter(({ call, status }) => status === 'transient' && keys.has(occurrenceKey(call))).length;
  const enough = expectedCalls.length + retries + intent.requests.length + (branch === 'ask' ? 1 : 0);
  return said.length <= enough ? settled : missed(`${said.length} turns where ${enough} do`);
}
