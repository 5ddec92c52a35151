/** The procedural user: says its requests one after the other, answers questions from what it knows, in its persona. Never sees calls or results, and does none of the agent's work. */
import type { JsonValue } from '../../protocol/json.ts';
import { type Seed, stream } from '../../random.ts';
import type { UserAnswer, UserSimulator, UserView } from '../contract.ts';
import { type Term, dunno, slots, speech } from './lexicon.ts';
import { personaNamed } from './personas.ts';
import { type Voice, chatter } from './wording.ts';

export const proceduralUser: UserSimulator = {
  role: 'user',
  pose: (view, _complaints, seed) => ({ kind: 'reply', reply: reply(view, seed) as unknown as JsonValue }),
  read: (said) => {
    const { text, done } = said as unknown as UserAnswer;
    return text !== '' || done ? { ok: true, answer: { text, done } } : { ok: false, complaint: 'the user said nothing' };
  },
};

const serves: ReadonlySet<string> = new Set([speech.done, speech.missing, speech.answer]);

/** What the agent means is the first word it says. */
function reply({ persona, intent, conversation }: UserView, seed: Seed): UserAnswer {
  const said = conversation.filter(({ role }) => role === 'agent').map(({ text }) => text.split(' '));
  const [act, about] = said.at(-1) ?? [];
  const served = said.filter(([word]) => serves.has(word ?? '')).length;
  if (act === speech.none) return { text: '', done: true };
  if (act === speech.ask) {
    const voice: Voice = { draws: stream(seed), persona: personaNamed(persona), synonyms: 0 };
    return { text: answerTo(about ?? '', intent.facts, voice), done: false };
  }
  // Not understood: the present request once more, as at the start.
  const request = intent.requests[served];
  return request === undefined ? { text: '', done: true } : { text: request, done: false };
}

const terms: ReadonlyMap<string, Term> = new Map(slots.map((slot) => [slot.word, slot]));

function answerTo(word: string, facts: Readonly<Record<string, string>>, voice: Voice): string {
  const fact = Object.hasOwn(facts, word) ? facts[word] : undefined;
  if (fact === undefined) return [...chatter(voice), dunno].join(' ');
  const { answers } = voice.persona;
  const term = terms.get(word);
  const lead = answers === 'bare' ? [] : answers === 'reworded' && term !== undefined ? [voice.draws.pick(term.synonyms)] : [word];
  return [...chatter(voice), ...lead, fact, ...chatter(voice)].join(' ');
}
