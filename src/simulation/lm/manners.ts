/**
 * Whether a user's words are those of that user: in its part, telling no more than is due, doing none of the agent's work, and ending only when served or refused. Decided from what
 * the user itself sees, by words that overlap rather than by meaning, so that whoever says a thing in its own way is not refused. Knows no calls.
 */
import type { Defect } from '../../protocol/health.ts';
import type { UserAnswer, UserView } from '../contract.ts';
import { contentOf, distinctive, isSame, shareOf, tells, wordsOf } from './overlap.ts';

export interface Slip {
  readonly complaint: string;
  readonly defect: Defect;
}

/** Characters a user says at once. */
const longest = 2000;

/** What is wrong with the user's next turn; undefined when nothing is. */
export function slipIn(view: UserView, { text, done }: UserAnswer): Slip | undefined {
  if (done) return premature(view);
  if (text.trim() === '') return { complaint: 'say something, or be done', defect: 'malformed' };
  if (text.length > longest) return { complaint: `that is longer than ${longest} characters`, defect: 'malformed' };
  // What was written for the user to say is beyond these two; when it is due is not.
  const isScripted = view.intent.requests.some((request) => isSame(request, text));
  return (isScripted ? undefined : (outOfPart(text, view) ?? overreach(text))) ?? leak(view, text);
}

const matches = (text: string, patterns: readonly RegExp[]): string | undefined => {
  for (const pattern of patterns) {
    const found = pattern.exec(text);
    if (found !== null) return found[0];
  }
  return undefined;
};

/** Each is bounded in what it may run over: the text is a model's. */
const unmasked = [
  /\b(?:i am|i'm|as) (?:just )?(?:an? )?(?:ai|a\.i\.|large language model|language model|chat ?bot|llm|simulat(?:ed|ion|or)|virtual assistant)\b/i,
  /\b(?:large )?language model\b/i,
  /\b(?:this is|we are in|in this) (?:a |an |only a |just a )?(?:simulation|simulated|role[- ]?play)\b/i,
  /\b(?:simulated|simulating) (?:a |the )?(?:user|conversation|episode|person|customer)\b/i,
  /\bmy (?:system prompt|persona|instructions say|role is to (?:play|simulate|act))\b/i,
  /\b(?:stay|staying|remain) in character\b/i,
];

/** It speaks of being simulated; unless its own requests do. */
function outOfPart(text: string, { intent }: UserView): Slip | undefined {
  const found = matches(text, unmasked);
  if (found === undefined || intent.requests.some((request) => request.toLowerCase().includes(found.toLowerCase()))) return undefined;
  return { complaint: `${JSON.stringify(found)} falls out of the part: be that person`, defect: 'persona' };
}

const agentlike = [
  /<\/?tool_?calls?\b/i,
  /```/,
  /\{\s{0,20}"(?:name|tool|function|arguments|action|parameters|observation|found)"\s{0,20}:/,
  /\b[a-z][a-z0-9]{0,40}(?:_[a-z0-9]{1,40}){1,6}\s?\(/i,
  /\b[a-z]{1,40}\([a-z_]{1,40}\s?[=:]/i,
  /^\s{0,20}(?:assistant|agent|system|tool|function)\s{0,5}:/im,
  /\bhow (?:can|may) i (?:help|assist) you\b/i,
  /\b(?:is there )?anything else (?:i|we) can (?:help|assist|do)\b/i,
  /\bi(?:'ve| have)(?: just| now| successfully| already)? (?:booked|scheduled|cancelled|canceled|sent|created|updated|deleted|found|retrieved|reserved|placed) (?:\w{1,30} ){0,6}(?:for you|as you (?:asked|requested))\b/i,
  /\b(?:let me|i'll|i will) (?:look|check|search|book|find|schedule|retrieve|pull) (?:\w{1,30} ){0,5}(?:for you|up for you)\b/i,
  /\b(?:i(?:'m| am) )?call(?:ing)? the [\w-]{1,40} (?:tool|function|api)\b/i,
];

/** It speaks or acts as the agent. */
export function overreach(text: string): Slip | undefined {
  const found = matches(text.slice(0, longest), agentlike);
  return found === undefined
    ? undefined
    : { complaint: `${JSON.stringify(found.slice(0, 80))} is the assistant's to say or do: you are the user`, defect: 'overreach' };
}

/** What the agent said since the user spoke last, oldest first. */
function heardLast({ conversation }: UserView): string[] {
  const last = conversation.findLastIndex(({ role }) => role === 'user');
  return conversation.slice(last + 1).map(({ text }) => text);
}

/** How agents of few words close a request; such a one may close several before the user has said them. */
const closing = /^(?:done|missing|answer)\b/i;
const longestClosing = 6;
const closings = ({ conversation }: UserView): number =>
  conversation.filter(({ role, text }) => role === 'agent' && closing.test(text) && text.split(' ').length <= longestClosing).length;

/** Index of the last request the user may say now: the one after those it has said, or after those the agent has closed; none anew while the agent waits for an answer. */
function lastDue(view: UserView): number {
  const said = saidCount(view);
  return isQuestion(heardLast(view).at(-1) ?? '') ? said - 1 : Math.min(view.intent.requests.length - 1, Math.max(said, closings(view)));
}

/** Its words are among the user's, in its order: the least overlap that a paraphrase keeps. */
const leastSaid = 0.34;

/** How many of its requests the user has said, in their order; the first is what the conversation began with. */
function saidCount({ intent, conversation }: UserView): number {
  const spoken = conversation.filter(({ role }) => role === 'user').map(({ text }) => text);
  let count = 1;
  for (let turn = 1; turn < spoken.length && count < intent.requests.length; turn++) {
    const request = intent.requests[count] as string;
    const before = [...intent.requests.slice(0, count), ...Object.entries(intent.facts).flat()];
    if (isSame(spoken[turn] as string, request) || shareOf(distinctive(request, before), spoken[turn] as string) >= leastSaid) count++;
  }
  return count;
}

/** Words of a request that would give it away, and how many of them must be there. */
const leakShare = 0.6;
const leakWords = 2;
/** Words of a summary shorter than this anybody may say. */
const summaryWords = 4;

function leak(view: UserView, text: string): Slip | undefined {
  const { intent, conversation } = view;
  const { requests, facts, summary } = intent;
  const due = lastDue(view);
  const allowed = requests.slice(0, due + 1);
  const before = [...Object.entries(facts).flat(), ...conversation.map((said) => said.text)];
  for (const request of requests.slice(due + 1)) {
    if (isSame(text, request) || isQuoted(text, request) || isTold(text, request, [...allowed, ...before]))
      return { complaint: `it is too early to ask ${JSON.stringify(request.slice(0, 80))}: one request at a time`, defect: 'leak' };
  }
  const next = requests[saidCount(view)];
  const earlier = requests.slice(0, saidCount(view));
  const isNext = next !== undefined && (isQuoted(text, next) || isTold(text, next, [...earlier, ...before]));
  if (isNext && earlier.some((request) => isQuoted(text, request) || shareOf(distinctive(request, [next]), text) >= leakShare))
    return { complaint: 'these are two requests: one at a time', defect: 'leak' };
  if (contentOf(summary).length >= summaryWords && tells(text, summary) && !allowed.some((request) => tells(request, summary)))
    return {
      complaint: 'that is the whole of what you want, word for word: say it in your own way, one request at a time',
      defect: 'leak',
    };
  return blurted(view, text, allowed);
}

/** Does it say the request word for word? One word may be said by chance. */
const isQuoted = (text: string, request: string): boolean => request.trim().includes(' ') && tells(text, request);

/** Does the text say most of what only this request says? A request of one word is told by it. */
function isTold(text: string, request: string, others: readonly string[]): boolean {
  const telling = distinctive(request, others);
  const said = contentOf(text);
  const told = telling.filter((word) => said.includes(word)).length;
  return told >= Math.min(leakWords, wordsOf(request).length) && told >= leakShare * telling.length && told > 0;
}

/** The agent wants to know something. */
const asks =
  /\?|\b(?:ask|please (?:provide|tell|specify|confirm|give|share|enter)|need (?:to know|more|the|your|a)|tell me|let me know|could you|can you|which|what|missing|specify)\b/i;
/** Words of a question; what is shorter is an answer of an agent of few words. */
const leastQuestion = 3;
/** It wants to know everything. */
const asksAll = /\b(?:details?|information|everything|all of (?:it|them)|following)\b/i;

/** How many facts it calls for without naming any: people ask in their own words, agents of few words name what they want. */
function answersTo(question: string): number {
  if (question.trim().split(/\s+/).length < leastQuestion || !asks.test(question)) return 0;
  return asksAll.test(question) ? Infinity : 1;
}

/** Facts nobody asked for. A fact that a request says may be said with it, and what was said may be said again. */
function blurted({ intent, conversation }: UserView, text: string, allowed: readonly string[]): Slip | undefined {
  const known = [...allowed, ...conversation.map((said) => said.text)];
  const fresh = Object.entries(intent.facts).filter(
    ([, value]) => value.trim() !== '' && tells(text, value) && !known.some((said) => tells(said, value)),
  );
  // A fact within another is told with it.
  const told = fresh.filter(([, value]) => !fresh.some(([, other]) => other !== value && tells(other, value)));
  const values = new Map(told.map(([slot, value]) => [value.trim().toLowerCase(), slot]));
  if (values.size === 0) return undefined;
  const questions = heardLast({ intent, conversation, persona: '' }).map((said) => said.slice(0, longest));
  const named = told.filter(([slot]) => namesOf(slot).some((word) => questions.some((question) => wordsOf(question).includes(word))));
  const most = Math.max(named.length, ...questions.map(answersTo));
  if (values.size <= most) return undefined;
  const slots = [...values.values()].map((slot) => JSON.stringify(slot.slice(0, 40))).join(', ');
  return { complaint: most > 0 ? `you were not asked for all of ${slots}` : `nobody asked you for ${slots}`, defect: 'leak' };
}

/** The words a question names a fact by; some facts have names that say nothing elsewhere: `what`, `to`. */
function namesOf(slot: string): string[] {
  const telling = contentOf(slot);
  return telling.length > 0 ? telling : wordsOf(slot);
}

/** The agent says it cannot or will not. */
const refuses =
  /^\s{0,20}none\b|\b(?:cannot|can't|can not|could not|couldn't|unable|not able|isn't possible|not possible|impossible|no (?:suitable |fitting |such )?(?:tool|function|way)|don't have (?:a |the |any )?(?:tool|ability|access|way)|unfortunately|i'm sorry|i am sorry)\b/i;
/** A question that only closes. */
const closes = /\b(?:anything|something|what) else\b|\bfurther (?:help|assistance|questions)\b|\belse (?:i|we) can\b/i;
/** Wants consent before it acts. */
const seeksConsent =
  /\b(?:please confirm|shall i|should i|would you like me to|do you want me to|may i proceed|let me know (?:if|when|whether) (?:i should|you(?:'d| would) like me|to proceed))\b/i;

/** Does the agent's last text wait for an answer? */
export function isQuestion(text: string): boolean {
  const said = text.trim();
  if (/^ask\b/i.test(said) || seeksConsent.test(said)) return true;
  const last =
    said
      .slice(Math.max(0, said.length - 300))
      .split(/(?<=[.!?])\s/)
      .at(-1) ?? '';
  return last.endsWith('?') && last.split(/\s+/).length > 2 && !closes.test(last);
}

const isRefusal = (text: string): boolean => refuses.test(text.slice(0, longest));

/** Done before everything was said and answered. */
export function premature(view: UserView): Slip | undefined {
  const last = heardLast(view).at(-1) ?? '';
  if (isQuestion(last)) return { complaint: 'the assistant asked you something and waits for the answer', defect: 'premature' };
  const left = view.intent.requests.slice(Math.max(saidCount(view), closings(view)));
  if (left.length === 0 || isRefusal(last)) return undefined;
  return {
    complaint: `you are not done: you have not yet asked ${JSON.stringify((left[0] as string).slice(0, 200))}`,
    defect: 'premature',
  };
}

const farewell =
  /\b(?:thank|thanks|thx|great|perfect|wonderful|bye|goodbye|that's all|that is all|that'll be all|nothing else|all set|no,? that)\b/i;
/** Words of a farewell. */
const longestFarewell = 30;

/** Thanks, where there is nothing more to say, are an end: a user that forgets to stop would use up the agent's turns. */
export function isFarewell(view: UserView, text: string): boolean {
  const { requests, facts } = view.intent;
  if (text.includes('?') || !farewell.test(text) || text.split(/\s+/).length > longestFarewell) return false;
  if (premature(view) !== undefined) return false;
  return (
    !requests.some((request) => shareOf(contentOf(request), text) >= leastSaid) &&
    !Object.values(facts).some((value) => value !== '' && tells(text, value))
  );
}
