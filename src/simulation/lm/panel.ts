/**
 * The judge that a language model plays, asked about all episodes of a group at once: it sees what could be done, and each episode still gets booleans of its own.
 * Rules come first, as for one; it ranks nobody. Source: RULER (OpenPipe ART), relative judging of a group. Deviation: criteria, not scores.
 */
import type { JsonValue } from '../../protocol/json.ts';
import type { Verdict } from '../../protocol/outcome.ts';
import type { PanelSimulator, PanelView } from '../contract.ts';
import type { JudgeDraft, JudgeQuestion, Script } from './dialect.ts';
import { type Docket, docketOf, ruled } from './judge.ts';
import type { LmSettings } from './settings.ts';

interface Case {
  readonly question: JudgeQuestion;
  readonly docket: Docket;
}

export const lmPanel = (script: Script<readonly JudgeQuestion[], readonly JudgeDraft[]>, settings: LmSettings): PanelSimulator => {
  const open = ({ views }: PanelView): Case[] =>
    views.flatMap((view) => {
      const docket = docketOf(view, settings.gates);
      return docket.verdict === undefined ? [{ question: { view, criteria: docket.criteria }, docket }] : [];
    });
  return {
    role: 'judge',
    pose: (view, complaints) => {
      const questions = open(view).map(({ question }) => question);
      if (questions.length === 0) return { kind: 'reply', reply: verdictsOf(view, [], settings.gates) as unknown as JsonValue };
      const schema = settings.structured ? script.schema(questions) : undefined;
      return {
        kind: 'chat',
        messages: script.prompt(questions, complaints),
        ...(schema === undefined ? {} : { schema }),
        maxTokens: settings.maxTokens.judge * questions.length,
        temperature: settings.temperature.judge,
      };
    },
    read: (reply, view) => {
      if (typeof reply !== 'string') return { ok: true, answer: reply as unknown as Verdict[] };
      const cases = open(view);
      const reading = script.read(
        reply,
        cases.map(({ question }) => question),
      );
      if (!reading.ok) return reading;
      const verdicts: Verdict[] = [];
      for (const [index, { question, docket }] of cases.entries()) {
        const one = ruled(question.view, docket, reading.answer[index] ?? {});
        if (!one.ok) return { ...one, complaint: `conversation ${index + 1}: ${one.complaint}` };
        verdicts.push(one.answer);
      }
      return { ok: true, answer: verdictsOf(view, verdicts, settings.gates) };
    },
  };
};

/** What rules decided in its place among what the model was asked, in the view's order. */
function verdictsOf({ views }: PanelView, asked: readonly Verdict[], gates: boolean): Verdict[] {
  const rest = asked.values();
  return views.flatMap((view) => docketOf(view, gates).verdict ?? rest.next().value ?? []);
}
