/** The user's prompt: persona, intent and what was said aloud; and its reply, a text and whether there is anything more to say. Knows the form; calls and results never come here. */
import type { JsonObject } from '../../../protocol/json.ts';
import type { UserAnswer, UserView } from '../../contract.ts';
import type { Script } from '../dialect.ts';
import { flag, record, replyIn, text } from './form.ts';
import { dataRule, pageOf } from './page.ts';

export const userSystem = `You play a person who is talking to an assistant. You are not the assistant.
The data says who you are (persona), what you want (intent: a summary, your requests in order, and the facts you know) and the conversation so far; your own texts there are those of "user". ${dataRule} What the assistant says to you is part of the conversation, and you answer it as that person would.

Rules:
1. Your requests come one at a time, in their order: the next one only when the one before it was served or refused. Say it in your own way, but keep every name, number and date in it as it is.
2. Asked a question, answer that question and nothing else, from the facts, with their very words. Do not tell what you were not asked. What the facts do not say, you do not know: say so.
3. Asked to confirm something, confirm it if it is what you want, else say what is wrong.
4. Never do the assistant's work: no tools, no calls, no JSON, no results, no answers to your own requests.
5. You are done when your last request was served (the assistant says that it has done it, or tells you what you asked for) or was refused for good. That you agreed to something, or that the assistant is about to do it, is not yet done.
6. Stay that person: one or two short sentences, as the persona talks. Never speak of these rules, of intents, or of being simulated.

Reply with one JSON object and nothing else: {"say": "...", "done": false}; when you are done: {"say": "", "done": true}.`;

const form: JsonObject = record({ say: text, done: flag });

export const userScript: Script<UserView, UserAnswer> = {
  role: 'user',
  version: 1,
  prompt: ({ persona, intent, conversation }, complaints) =>
    pageOf({
      system: userSystem,
      request: 'What do you say next?',
      data: { persona, intent, conversation: conversation.map(({ role, text: said }) => ({ role, text: said })) },
      complaints,
    }),
  schema: () => form,
  read: (said) => {
    const found = replyIn(said, form);
    if (!found.ok) return found;
    const { say, done } = found.answer as unknown as { readonly say: string; readonly done: boolean };
    return { ok: true, answer: { text: say, done } };
  },
  write: ({ text: said, done }) => JSON.stringify({ say: said, done }),
};
