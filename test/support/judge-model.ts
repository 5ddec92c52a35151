/** A judge that needs no weights: it reads our prose prompts, knows the procedural world's own verdict, and errs where it is told to. */
import type { ChatMessage, ChatReply, ChatRequest } from '../../src/protocol/inference.ts';
import type { CriterionName } from '../../src/protocol/task.ts';
import { seedOf, stream } from '../../src/random.ts';
import type { JudgeDraft, JudgeQuestion } from '../../src/simulation/lm/dialect.ts';
import type { LmSettings } from '../../src/simulation/lm/settings.ts';
import { prose } from '../../src/simulation/lm/prose/prose.ts';
import { readPrompt } from '../../src/simulation/lm/prose/reading.ts';
import { judge } from '../../src/simulation/procedural/judge.ts';

export const lmSettings = (changes: Partial<LmSettings> = {}): LmSettings => ({
  dialect: 'prose',
  temperature: { task: 1, user: 0.7, tool: 0, judge: 0 },
  maxTokens: { task: 2048, user: 256, tool: 1024, judge: 1024 },
  structured: true,
  worldCharacters: 4096,
  branches: { call: 0.7, ask: 0.12, answer: 0.06, none: 0.12 },
  gates: true,
  ...changes,
});

/** What is asked; throws where a prompt is none of ours. */
export function questionIn({ messages }: { readonly messages: readonly ChatMessage[] }): JudgeQuestion {
  const asked = readPrompt(messages);
  if (asked?.role !== 'judge') throw new TypeError('no prompt to a judge');
  return asked.question;
}

const lastSaid = ({ view }: JudgeQuestion): string =>
  view.turns.findLast((turn) => turn.role === 'agent' && turn.text !== '')?.['text' as never] ?? view.task.query;

/** A finding on each criterion asked; evidence is the agent's last word where something is met. */
export const draftOf = (question: JudgeQuestion, met: (name: CriterionName) => boolean): JudgeDraft =>
  Object.fromEntries(question.criteria.map((name) => [name, { met: met(name), evidence: met(name) ? lastSaid(question) : '' }]));

export const replyTo = (request: Pick<ChatRequest, 'id'>, text: string): ChatReply => ({
  id: request.id,
  text,
  finish: 'stop',
  model: 'm',
});

export interface JudgeModel {
  chat(request: ChatRequest): Promise<ChatReply>;
  /** Findings given, and how many of them are wrong. */
  readonly given: { all: number; wrong: number };
}

/** Right but for a share of its findings, drawn by request and criterion. */
export function erringJudge(share: () => number): JudgeModel {
  const given = { all: 0, wrong: 0 };
  return {
    given,
    chat: (request) => {
      const question = questionIn(request);
      const truth = judge(question.view);
      const met = new Map(
        question.criteria.map((name) => {
          const isMet = truth.criteria.find((each) => each.name === name)?.met === true;
          const errs = stream(seedOf(request.id, name)).chance(share());
          given.all++;
          if (errs) given.wrong++;
          return [name, isMet !== errs] as const;
        }),
      );
      const draft = draftOf(question, (name) => met.get(name) === true);
      return Promise.resolve(replyTo(request, prose.judge.write(draft, question)));
    },
  };
}
