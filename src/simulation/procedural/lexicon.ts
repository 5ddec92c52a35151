/** Every word of the procedural world, in vocabulary order, one token each. It knows words and their synonyms, and nothing of tools or tasks. */

/** Template marks. They come first, so that their ids never move when words are added. */
const markers = ['<pad>', '<unk>', '<|im_start|>', '<|im_end|>', '<tool_call>', '<tool>', '<name>', '<copy>'] as const;
const punctuation = ['(', ')', ',', '=', '?'] as const;
const roles = ['system', 'user', 'assistant', 'tool'] as const;

/** What an agent says to a user: the first word decides what it means. */
export const speech = { ask: 'ask', none: 'none', done: 'done', answer: 'answer', missing: 'missing' } as const;
/** One word per tool status. */
export const statusWord = { ok: 'ok', unknownTool: 'unknown', invalidArgument: 'invalid', notFound: 'missing', transient: 'busy' } as const;
/** Words by which a request points elsewhere: the last result, the first result, the next call, a question about a known fact, a fact in the system prompt. */
export const pointer = { it: 'it', first: 'first', next: 'then', what: 'what', note: 'note' } as const;
/** What a user says when asked for something it was never given. */
export const dunno = 'dunno';

/** A word the agent sees and the words users may say instead. */
export interface Term {
  readonly word: string;
  readonly synonyms: readonly string[];
}

const terms = (table: string): readonly Term[] =>
  table
    .trim()
    .split('\n')
    .map((line) => {
      const [word, ...synonyms] = line.trim().split(' ');
      return { word: word as string, synonyms };
    });

/** What a tool does: four topics a family, in the order of families.ts. The description a tool is listed under, and the agent's thought before calling it. */
export const topics: readonly Term[] = terms(`
  schedule plan arrange
  agenda upcoming diary
  postpone delay defer
  clear skip unbook
  send mail post
  inbox unread received
  forward relay pass
  erase trash wipe
  buy order purchase
  track trace locate
  amend adjust revise
  cancel drop scrap
  reserve book secure
  fly flight depart
  upgrade promote improve
  refund repay reimburse
  borrow loan checkout
  search lookup browse
  renew extend prolong
  return restore deliver
  pay transfer wire
  balance funds savings
  freeze block lock
  close terminate end
  lodge stay check-in
  vacancy available rooms
  relocate swap switch
  vacate leave quit
  queue append enqueue
  play listen hear
  retune remix change
  mute silence hush
  stock supply refill
  cook recipe prepare
  substitute replace exchange
  discard toss dump
  consult visit appointment
  diagnose examine symptom
  prescribe medicate dose
  discharge release dismiss
  repair fix mend
  inspect assess survey
  assign delegate appoint
  retire dispose remove
  enrol register join
  grade score result
  tutor coach teach
  expel exclude ban
`);

/** Parameter words. */
export const slots: readonly Term[] = terms(`
  code reference ticket
  person who contact
  day date when
  place where location
  item product object
  title subject heading
  text message content
  tag label badge
  owner holder keeper
  count quantity many
  amount sum price
  hour time clock
  size scale format
  class tier level
  color shade tint
  urgent rush hurry
`);

/** Free values: names of things and of people. A value is one word, or two of the same kind. */
export const things: readonly string[] = (
  'amber anchor apple arrow basil birch bridge candle canyon cedar cherry clover coral cotton crystal daisy ember falcon feather fern garden ' +
  'garnet harbor hazel island ivory jasmine lantern lemon lily maple marble meadow mint olive opal orchid pearl pepper planet quartz river saffron willow'
).split(' ');
export const people: readonly string[] =
  'anna boris carla diego elena felix greta hugo irene jonas karin lucas maria nadia oscar paula ruben sofia'.split(' ');
export const numbers: readonly number[] = Array.from({ length: 20 }, (_, i) => i + 1);
export const flags = ['true', 'false'] as const;
/** Values of the enumerated parameters. */
export const choices = { size: ['small', 'medium', 'large'], class: ['basic', 'plus', 'prime'], color: ['red', 'green', 'blue'] } as const;

/** Tool names are made of these; the last fourteen are names by themselves only in the held-out split. */
export const syllables: readonly string[] = (
  'ba bel bor bru cal cem cor dar del dov dru fal fen fim gal gor gul ham hel hin jav jol kam kel kir kov lan lem lor lux mar mel mip mov nal nel nor nub ' +
  'pal pim pli pov qua ral rem rin rok sal sem sil sov tal tem tor tuk ul val vem vin vok wal wen wix xan yel yor zal zem zin zor zul zyn'
).split(' ');

/** What people put between the words that matter. */
export const fillers: readonly string[] =
  'please kindly maybe well so um like just really okay hello thanks sorry could would actually basically anyway hmm again'.split(' ');

/** The system prompt, from detailed to generic. */
export const systemPrompts: readonly (readonly string[])[] = [
  'you call tools exactly ask if unclear none if unfit'.split(' '),
  'you call tools'.split(' '),
  ['help'],
];

/** The vocabulary, each word once; its index is its id. */
export const lexicon: readonly string[] = [
  ...new Set<string>([
    ...markers,
    ...punctuation,
    ...roles,
    ...Object.values(speech),
    ...Object.values(statusWord),
    ...Object.values(pointer),
    dunno,
    ...systemPrompts.flat(),
    ...slots.flatMap((slot) => [slot.word, ...slot.synonyms]),
    ...topics.flatMap((topic) => [topic.word, ...topic.synonyms]),
    ...flags,
    ...Object.values(choices).flat(),
    ...numbers.map(String),
    ...things,
    ...people,
    ...syllables,
    ...fillers,
  ]),
];
