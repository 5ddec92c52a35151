/**
 * The judge that a language model plays: rules first, then the model on what they leave open, one boolean a criterion; code makes the reward of them.
 * It is never asked for a number, and what it cannot quote from the episode it has not found.
 */
import { wellFormed } from '../../protocol/codec.ts';
import type { JsonValue } from '../../protocol/json.ts';
import type { Verdict } from '../../protocol/outcome.ts';
import { CriterionName } from '../../protocol/task.ts';
import type { JudgeSimulator, JudgeView, Reading } from '../contract.ts';
import type { Finding } from '../verdict/findings.ts';
import { type Examined, examine, verdictFrom } from '../verdict/gates.ts';
import { unquoted } from '../verdict/quotation.ts';
import type { JudgeDraft, JudgeQuestion, Script } from './dialect.ts';
import type { LmSettings } from './settings.ts';

export const lmJudge = (script: Script<JudgeQuestion, JudgeDraft>, settings: LmSettings): JudgeSimulator => ({
  role: 'judge',
  pose: (view, complaints) => {
    const docket = docketOf(view, settings.gates);
    if (docket.verdict !== undefined) return { kind: 'reply', reply: docket.verdict as unknown as JsonValue };
    const question: JudgeQuestion = { view, criteria: docket.criteria };
    const schema = settings.structured ? script.schema(question) : undefined;
    return {
      kind: 'chat',
      messages: script.prompt(question, complaints),
      ...(schema === undefined ? {} : { schema }),
      maxTokens: settings.maxTokens.judge,
      temperature: settings.temperature.judge,
    };
  },
  read: (reply, view) => {
    if (typeof reply !== 'string') return { ok: true, answer: reply as unknown as Verdict };
    const docket = docketOf(view, settings.gates);
    const reading = script.read(reply, { view, criteria: docket.criteria });
    return reading.ok ? ruled(view, docket, reading.answer) : reading;
  },
});

/** What is to be asked about an episode, and what is known without asking. */
export interface Docket {
  readonly examined: Examined;
  /** Where rules alone decide. */
  readonly verdict: Verdict | undefined;
  /** For the model: required at this difficulty, and not decided. */
  readonly criteria: readonly CriterionName[];
}

const blank: Finding = { met: true, open: true };
/** The ablation: the model alone decides. */
const unexamined: Examined = { gates: [], findings: { intent: blank, tools: blank, grounded: blank, concise: blank, efficient: blank } };

export function docketOf(view: JudgeView, gates: boolean): Docket {
  const { task } = view;
  const examined = gates ? examine(view) : unexamined;
  const failed = examined.gates.some(({ passed }) => !passed);
  const criteria = CriterionName.options.filter(
    (name) => (name === 'intent' || task.criteria.includes(name)) && examined.findings[name].open,
  );
  return { examined, verdict: failed ? verdictFrom(task, examined.gates, examined.findings) : undefined, criteria };
}

/** Code and model together: a criterion is met where neither finds it missed. */
export function ruled(view: JudgeView, { examined, criteria }: Docket, draft: JudgeDraft): Reading<Verdict> {
  const findings: Record<CriterionName, Finding> = { ...examined.findings };
  for (const name of criteria) {
    const found = draft[name];
    if (found === undefined) return { ok: false, complaint: `${name} is missing: give a finding on each of ${criteria.join(', ')}` };
    const complaint = unquoted(name, found, view);
    if (complaint !== undefined) return { ok: false, complaint };
    findings[name] = {
      met: found.met,
      open: false,
      ...(found.evidence === '' ? {} : { evidence: wellFormed(found.evidence.slice(0, 500)) }),
    };
  }
  return { ok: true, answer: verdictFrom(view.task, examined.gates, findings) };
}
