/**
 * Text for the supervised stage that is no episode: what a small transformer must be able to do before tool use can be learnt at all.
 * Each drill is words and a mask of the words to train on. Held-out topics occur as words, also of tools made up here; the held-out tools and names themselves never do (rule L12).
 */
import { type Seed, type Stream, stream } from '../../random.ts';
import { subset } from '../../tools/repository.ts';
import { Chat } from './chat.ts';
import { lexicon, numbers, people, slots, syllables, systemPrompts, things, topics } from './lexicon.ts';
import { type Offer, naming, offersOf, spareOffer } from './offer.ts';
import { personasAt } from './personas.ts';
import { agentHeader, toolWords, turnWords } from './phrase.ts';
import { builtinRepository } from './repository.ts';
import { type Drill, Sheet } from './sheet.ts';
import { Values } from './values.ts';
import { type Voice, synonymShare } from './wording.ts';

export type { Drill } from './sheet.ts';

const mark = '<copy>';
const pools: readonly (readonly string[])[] = [
  syllables,
  [...things, ...people, ...numbers.map(String)],
  [...syllables, ...things, ...people],
];
const everyTerm = [...topics, ...slots];

/** Look-up, copying, recall and glossary text, in the shares that taught the prototype. `difficulty` (1..100) sets the length of lists. */
export function lookupDrill(seed: Seed, difficulty: number): Drill {
  const draws = stream(seed);
  const sheet = new Sheet();
  const at = draws.next();
  if (at < 0.3) copy(sheet, draws);
  else if (at < 0.5) recall(sheet, draws);
  else if (at < 0.8) lookup(sheet, draws, difficulty);
  else glossary(sheet, draws);
  return sheet;
}

/** Random words, then the same words: an induction head's exercise. */
function copy(sheet: Sheet, draws: Stream): void {
  const pool = draws.pick(pools);
  const words = Array.from({ length: 4 + draws.int(26) }, () => draws.pick(pool));
  sheet.read(mark, ...words, mark);
  sheet.train(...words);
}

/** Keys with values, then each key again, twice: its value is asked for. */
function recall(sheet: Sheet, draws: Stream): void {
  const pool = draws.pick(pools);
  const keys = draws
    .sample(everyTerm, 2 + draws.int(10))
    .map(({ word }) => ({ word, value: Array.from({ length: 1 + draws.int(2) }, () => draws.pick(pool)) }));
  sheet.read(mark);
  for (const { word, value } of keys) sheet.read(word, ...value, ',');
  for (let round = 0; round < 2; round++) {
    for (const { word, value } of draws.shuffle(keys)) {
      sheet.read(word);
      sheet.train(...value, ',');
    }
  }
}

/** A tool list, then eight times a topic, or another word for it, and what a call of its tool begins with. */
function lookup(sheet: Sheet, draws: Stream, difficulty: number): void {
  const { offers } = toolList(sheet, draws, Math.max(2, Math.round(1 + (9 * difficulty) / 100)));
  for (let i = 0; i < 8; i++) {
    const { topic, spec, slots: wanted } = draws.pick(offers);
    if (draws.chance(0.3)) {
      sheet.read(mark, draws.pick(topic.synonyms));
      sheet.train(topic.word);
    } else sheet.read(mark, topic.word);
    sheet.read('<tool_call>');
    sheet.train(...spec.name.split('_'), '(', ...wanted.slice(0, 1).map(({ term }) => term.word));
  }
}

/** Other words for the words the agent uses: beside each other, or picked from a list as a request picks its tool. Held-out words too: words may be known, tools not. */
function glossary(sheet: Sheet, draws: Stream): void {
  const chosen = draws.sample(everyTerm, 12);
  if (draws.chance(0.6)) {
    for (const term of chosen) {
      sheet.read(mark, draws.pick(term.synonyms));
      sheet.train(term.word);
    }
    return;
  }
  sheet.read(
    ...turnWords(
      'system',
      chosen.map(({ word }) => word),
    ),
  );
  for (const term of draws.sample(chosen, 6)) {
    const said = draws.chance(0.7) ? draws.pick(term.synonyms) : term.word;
    sheet.read(...turnWords('user', [said, ...Array.from({ length: draws.int(4) }, () => draws.pick(things))]), ...agentHeader);
    sheet.train(term.word, '<|im_end|>');
  }
}

/** One tool list and six requests, one after the other: calls, chains, questions, refusals, in many times fewer words than six episodes. */
export function requestsDrill(seed: Seed, difficulty: number): Drill {
  const draws = stream(seed);
  const hardness = difficulty / 100;
  const sheet = new Sheet();
  const { offers, spare } = toolList(sheet, draws, 1 + Math.round(9 * hardness * draws.next()));
  const level = draws.int(1 + Math.round(2 * hardness));
  const voice: Voice = { draws, persona: draws.pick(personasAt(level)), synonyms: synonymShare(draws.int(1 + Math.round(2 * hardness))) };
  const chat = new Chat(sheet, voice, new Values(draws, 0.6 * hardness));
  for (let i = 0; i < 6; i++) {
    const at = draws.next();
    const offer = draws.pick(offers);
    if (at < 0.12 && spare !== undefined) chat.refuse(spare);
    else if (at < 0.3) chat.ask(offer);
    else if (at < 0.36) chat.question();
    else if (at < 0.55) chat.call([offer, draws.pick(offers)]);
    else chat.call([offer]);
  }
  return sheet;
}

/** The system turn with a list of training tools under new names, half of the lists with words of their own. */
function toolList(sheet: Sheet, draws: Stream, count: number): { offers: Offer[]; spare: Offer | undefined } {
  const names = naming(draws, 'train', 'whole');
  const offers = offersOf(subset(builtinRepository, count, draws, 'train'), names, draws.chance(0.5));
  sheet.read(...turnWords('system', [...draws.pick(systemPrompts), ...offers.flatMap(({ spec }) => toolWords(spec))]));
  return { offers, spare: spareOffer(names) };
}

/** A mask of ids needs the ids: the words' places in the lexicon, which is the vocabulary. */
export const idsOf = ({ words }: Drill): Int32Array => Int32Array.from(words, (word) => ids.get(word) ?? 1);
const ids: ReadonlyMap<string, number> = new Map(lexicon.map((word, id) => [word, id]));
