/** How a user words things: fillers, synonyms, pointers. Knows words and chance; not which tools there are. */
import type { JsonValue } from '../../protocol/json.ts';
import type { Stream } from '../../random.ts';
import type { Slot } from './offer.ts';
import { inWords } from './values.ts';
import { type Term, fillers, pointer } from './lexicon.ts';
import type { Persona } from './personas.ts';

/** One thing asked for: the topic, and what is said of each slot: a value, or a word that points to an earlier result. */
export interface Wish {
  readonly topic: Term;
  readonly said: readonly { readonly slot: Slot; readonly value: JsonValue | Pointer }[];
}

/** Says where the value is found instead of the value. */
interface Pointer {
  readonly pointer: string;
}
/** Arguments are scalars, so an object is a pointer. */
const isPointer = (value: JsonValue | Pointer): value is Pointer => typeof value === 'object' && value !== null && 'pointer' in value;

export interface Voice {
  readonly draws: Stream;
  readonly persona: Persona;
  /** Probability that a synonym is said instead of the word the agent sees. */
  readonly synonyms: number;
}

/** The probability of a synonym by the aspect `query`: clear, somewhat ambiguous, highly ambiguous. */
export const synonymShare = (query: number): number => [0, 0.45, 0.8][query] ?? 0;

export const sayTerm = ({ draws, synonyms }: Voice, term: Term): string => (draws.chance(synonyms) ? draws.pick(term.synonyms) : term.word);

/** No, one or more fillers; at most four. */
export function chatter({ draws, persona }: Voice): string[] {
  const words: string[] = [];
  while (words.length < 4 && draws.chance(persona.fillers)) words.push(draws.pick(fillers));
  return words;
}

/** `topic word value word it then topic …`, slots in any order. */
export function sayWishes(voice: Voice, wishes: readonly Wish[]): string {
  const words = wishes.flatMap(({ topic, said }, index) => [
    ...(index === 0 ? [] : [pointer.next]),
    ...chatter(voice),
    sayTerm(voice, topic),
    ...voice.draws
      .shuffle(said)
      .flatMap(({ slot, value }) => [...chatter(voice), sayTerm(voice, slot.term), isPointer(value) ? value.pointer : inWords(value)]),
  ]);
  return [...words, ...chatter(voice)].join(' ');
}

/** A question about something already known. */
export const sayQuestion = (voice: Voice, about: string): string => [...chatter(voice), pointer.what, about, ...chatter(voice)].join(' ');
