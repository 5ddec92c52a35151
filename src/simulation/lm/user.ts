/** A user played by a language model: it sees persona, intent and what was said aloud, roles flipped by its script. Code decides whether its words are that user's (manners.ts). */
import type { UserAnswer, UserSimulator, UserView } from '../contract.ts';
import type { Script } from './dialect.ts';
import { harmIn } from './harm.ts';
import { isFarewell, slipIn } from './manners.ts';
import type { LmSettings } from './settings.ts';

export const lmUser = (script: Script<UserView, UserAnswer>, settings: LmSettings): UserSimulator => ({
  role: 'user',
  pose: (view, complaints) => {
    const schema = settings.structured ? script.schema(view) : undefined;
    return {
      kind: 'chat',
      messages: script.prompt(view, complaints),
      ...(schema === undefined ? {} : { schema }),
      maxTokens: settings.maxTokens.user,
      temperature: settings.temperature.user,
    };
  },
  read: (reply, view) => {
    if (typeof reply !== 'string') return { ok: false, complaint: 'the answer is no text', defect: 'malformed' };
    const said = script.read(reply, view);
    if (!said.ok) return said;
    const { text, done } = said.answer;
    const harm = harmIn(text);
    if (harm !== undefined) return { ok: false, complaint: harm, defect: 'persona' };
    const answer: UserAnswer = { text: done ? '' : text.trim(), done: done || isFarewell(view, text) };
    const slip = slipIn(view, answer);
    return slip === undefined ? { ok: true, answer: answer.done ? { text: '', done: true } : answer } : { ok: false, ...slip };
  },
});
