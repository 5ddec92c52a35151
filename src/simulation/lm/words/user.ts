/**
 * A user, asked in words: how it talks, what it knows, what it wants next, and what has been said, roles flipped. It answers with its own next words, or `done`.
 *
 *   system     user MANNER {note SLOT VALUE} then NEXT-REQUEST|done
 *   assistant  what the user said        user  what the agent said        …
 */
import type { UserAnswer, UserView } from '../../contract.ts';
import type { Script } from '../dialect.ts';
import { part, plain, said, sign, wordsOf } from './speech.ts';

/** Turns of the conversation shown at most, the latest. */
const most = 12;

/** One word for how somebody talks, by what a persona begins with. */
const manners = { expert: 'exactly', beginner: 'hello', novice: 'um' } as const;
const mannerOf = (persona: string): string => Object.entries(manners).find(([name]) => persona.startsWith(name))?.[1] ?? manners.expert;

export const userScript: Script<UserView, UserAnswer> = {
  role: 'user',
  version: 1,
  prompt: ({ persona, intent, conversation }, complaints) => [
    {
      role: 'system',
      content: [
        part.user,
        mannerOf(persona),
        ...complaints.map(() => sign.again),
        ...Object.entries(intent.facts).flatMap(([slot, value]) => [sign.note, slot, value]),
        sign.next,
        nextRequest(intent.requests, conversation) ?? said.done,
      ].join(' '),
    },
    ...conversation
      .slice(-most)
      .map(({ role, text }) => ({ role: role === 'user' ? ('assistant' as const) : ('user' as const), content: text })),
  ],
  schema: () => undefined,
  read: (text) => {
    const words = plain(text, { most: 64 });
    if (words === undefined) return { ok: false, complaint: 'say some words, and words only' };
    const done = words.length === 1 && words[0] === said.done;
    return { ok: true, answer: { text: done ? '' : words.join(' '), done } };
  },
  write: ({ text, done }) => (done ? said.done : text),
};

/** The first request that has not been said yet, requests being said in order; undefined when all have. */
function nextRequest(requests: readonly string[], conversation: UserView['conversation']): string | undefined {
  let due = 0;
  for (const { role, text } of conversation) {
    const request = requests[due];
    if (role === 'user' && request !== undefined && wordsOf(text).join(' ') === wordsOf(request).join(' ')) due++;
  }
  return requests[due];
}
