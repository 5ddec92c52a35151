/** Whether what a writer wrote reads as its task should: its own part for the user, prompt and persona as the aspects want them, nothing that speaks to a machine. Knows no calls. */
import type { JsonValue } from '../../protocol/json.ts';
import { levelOfPersona, personaLevels } from '../aspects.ts';
import type { TaskBrief, TaskDraft } from './dialect.ts';
import { wordsOf } from '../hearing.ts';
import { complaintAboutWorld, gapIn, isTame, markIn, nameIn, textsIn } from './hygiene.ts';
import type { Flaw } from './solution.ts';

/** Characters. */
const longest = { system: 4000, persona: 1000, request: 1500, summary: 1000, fact: 300 } as const;
/** Facts a user may know. */
const mostFacts = 24;

/** Words of a system prompt. What an agent must know to answer comes on top. The least of a detailed prompt is that of the tiny language, where a word is a sentence. */
const systemWords: readonly { readonly name: string; readonly least: number; readonly most: number }[] = [
  { name: 'detailed', least: 8, most: Infinity },
  { name: 'short', least: 1, most: 30 },
  { name: 'generic', least: 1, most: 15 },
];
const knowledge = 40;

export function flawsOfWords(draft: TaskDraft, { view, branch }: TaskBrief): Flaw[] {
  const { system, persona, intent, entities } = draft;
  const flaws: Flaw[] = [];
  const complain = (complaint: string, defect: Flaw['defect'] = 'malformed'): void => {
    flaws.push({ complaint, defect });
  };
  const facts = Object.entries(intent.facts);
  if (intent.requests.some((request) => wordsOf(request) === '')) complain('a request is empty');
  if (persona.trim() === '') complain('the persona is empty', 'persona');
  if (
    system.length > longest.system ||
    persona.length > longest.persona ||
    intent.summary.length > longest.summary ||
    intent.requests.some((request) => request.length > longest.request) ||
    facts.length > mostFacts ||
    facts.some(([, fact]) => fact.length > longest.fact)
  )
    complain(
      `too long: at most ${longest.request} characters a request, ${longest.persona} the persona, ${longest.system} the system prompt, ${mostFacts} facts of ${longest.fact}`,
    );
  if (!isTame(intent.facts, 1)) complain('a fact has no usable name');
  const spoken = [system, persona, intent.summary, ...intent.requests, ...facts.flat(), draft.answer ?? ''];
  const world = complaintAboutWorld(entities);
  if (world !== undefined) complain(world);
  const mark = first([...spoken, ...textsIn(entities), ...textsIn(draft.calls as unknown as JsonValue)], markIn);
  if (mark !== undefined) complain(`the mark ${mark} may not stand in a task`);
  const gap = first([...intent.requests, ...facts.map(([, fact]) => fact), persona], gapIn);
  if (gap !== undefined) complain(`${gap} is a gap: write what stands there`, 'ungrounded');
  const names = new Set(view.tools.map(({ name }) => name));
  const named = first([persona, ...intent.requests, ...facts.map(([, fact]) => fact)], (text) => nameIn(text, names));
  if (named !== undefined) complain(`a user does not know that there is a tool named ${named}`, 'leak');
  const bound = systemWords[view.aspects.system.value];
  const words = wordsOf(system).split(' ').length;
  const most = (bound?.most ?? Infinity) + (branch === 'answer' ? knowledge : 0);
  if (bound !== undefined && (words < bound.least || wordsOf(system) === '' || words > most))
    complain(`the system prompt has ${words} words; a ${bound.name} one has ${bound.least} to ${most === Infinity ? 'many' : most}`);
  const level = view.aspects.persona.value;
  if ((levelOfPersona(persona) ?? level) !== level)
    complain(`the persona must say that the user is ${personaLevels[level] ?? ''}`, 'persona');
  return flaws;
}

function first(texts: Iterable<string>, find: (text: string) => string | undefined): string | undefined {
  for (const text of texts) {
    const found = find(text);
    if (found !== undefined) return found;
  }
  return undefined;
}
