/** The markers of our ChatML-style template, and which words nobody but the renderer may write. Knows no ids. */

export const marker = {
  pad: '<pad>',
  unknown: '<unk>',
  start: '<|im_start|>',
  end: '<|im_end|>',
  /** Opens a call: `<tool_call> name ( parameter = value )`. */
  call: '<tool_call>',
  /** Opens a tool of the list: `<tool> description <name> name ( parameters )`. */
  tool: '<tool>',
  name: '<name>',
  /** Opens a repetition in the drills that precede imitation; never in an episode. */
  copy: '<copy>',
} as const;

/** In id order: the first words of every vocabulary of ours. `<pad>` is 0. */
export const markers: readonly string[] = Object.values(marker);

export const sign = { open: '(', close: ')', comma: ',', equals: '=', optional: '?' } as const;

/** Role words stand only after `<|im_start|>`, so a user may say them. */
export const roleWord = { system: 'system', user: 'user', agent: 'assistant', tool: 'tool' } as const;

/** How a tool result begins; the first word after the role. */
export const statusWord = { ok: 'ok', unknownTool: 'unknown', invalidArgument: 'invalid', notFound: 'missing', transient: 'busy' } as const;

/** Every word the template itself writes; each must be in the vocabulary. */
export const templateWords: readonly string[] = [
  ...markers,
  ...Object.values(sign),
  ...Object.values(roleWord),
  ...Object.values(statusWord),
];

const signs: ReadonlySet<string> = new Set(Object.values(sign));

/**
 * True for a word that only the renderer may write. Anything with `<` counts, since a Hugging Face tokenizer finds added tokens inside
 * longer words too. Such a word from a user, a tool or an imported description becomes `<unk>`, so text can never forge structure.
 */
export const isReserved = (word: string): boolean => word.includes('<') || signs.has(word);

/** Splits as the Hugging Face `WhitespaceSplit` pre-tokenizer does. */
export const wordsOf = (text: string): string[] => text.split(/\p{White_Space}+/u).filter((word) => word !== '');
