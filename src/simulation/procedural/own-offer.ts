/** Tools as a task shows them under their own names, and what users call them. Knows no world and no request. */
import type { ToolSpec } from '../../protocol/tool.ts';
import type { Stream } from '../../random.ts';
import { builtinTools } from './families.ts';
import { type Term, topics } from './lexicon.ts';
import type { Offer } from './offer.ts';
import { ownTool, wordsIn } from './own.ts';

/** The specs stay as they are; a tool that cannot be asked for is left out, and stays in the list of its task. */
export function ownOffers(tools: readonly ToolSpec[]): Offer[] {
  const names = new Set(tools.map(({ name }) => name));
  const taken = new Set<string>();
  return tools.flatMap((spec) => {
    const own = ownTool(spec);
    if (!own.ok) return [];
    const topic = topicOf(spec, names, taken);
    taken.add(topic.word);
    return [{ spec, topic, deed: own.behaviour.rule.deed, slots: own.slots, gives: own.gives }];
  });
}

/** A request nobody here serves, about a topic of the lexicon of which no tool speaks; undefined when they speak of all. */
export function strangeWish(tools: readonly ToolSpec[], draws: Stream): Pick<Offer, 'topic' | 'slots'> | undefined {
  const spoken = new Set(
    tools.flatMap(({ name, description, category }) => [...wordsIn(name), ...wordsIn(description), ...wordsIn(category)]),
  );
  const free = builtinTools.filter(
    ({ description: word }) => ![word, ...(lexiconTopics.get(word)?.synonyms ?? [])].some((each) => spoken.has(each)),
  );
  if (free.length === 0) return undefined;
  const tool = draws.pick(free);
  const own = ownTool(tool);
  return { topic: lexiconTopics.get(tool.description) as Term, slots: own.ok ? own.slots : [] };
}

const lexiconTopics: ReadonlyMap<string, Term> = new Map(topics.map((topic) => [topic.word, topic]));
const functionWords = new Set(
  'a an the of to with its their his her your my our from in on at for by and or as is are be that this these those one it all any some which who whose what where when if not no than so into about per via s given'.split(
    ' ',
  ),
);

/** What a user would say: the first words of the description that mean something, never a tool's name. */
function topicOf({ name, description, source }: ToolSpec, names: ReadonlySet<string>, taken: ReadonlySet<string>): Term {
  const own = source.startsWith('builtin:') ? lexiconTopics.get(description) : undefined;
  if (own !== undefined) return own;
  const usable = (words: readonly string[]): string[] =>
    words.filter((word) => !functionWords.has(word) && !names.has(word) && word.length < 30);
  const [first = '', ...rest] = usable(wordsIn(description.slice(0, 200)));
  const said = [plainVerb(first), ...rest].filter((word) => word !== '');
  const words = said.length >= 2 ? said : [...said, ...usable(wordsIn(name))];
  let length = Math.min(3, words.length);
  while (length < words.length && taken.has(words.slice(0, length).join(' '))) length++;
  const plain = words.length === 0 ? 'do something' : words.slice(0, length).join(' ');
  const word = taken.has(plain) ? `${plain} otherwise` : plain;
  const object = words.slice(1, length).join(' ') || word;
  return { word, synonyms: [`${object} matter`, `something with ${object}`] };
}

/** `shows` → show, `cancels` → cancel, `searches` → search: descriptions speak of the tool, users to it. */
function plainVerb(word: string): string {
  if (/(?:ch|sh|ss|x|z)es$/.test(word)) return word.slice(0, -2);
  if (/[^aeiou]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  return /[^su]s$/.test(word) ? word.slice(0, -1) : word;
}
