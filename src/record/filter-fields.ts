/** What a filter can ask of an episode: its fields, their kinds, and how each is read from a row. Knows no syntax. */

/** What a filter reads of an episode, beside what was said in it. */
export interface FilterRow {
  readonly episode: string | null;
  readonly group: string;
  readonly step: string;
  readonly member: number;
  readonly D: number;
  readonly branch: string;
  readonly split: string;
  readonly outcome: string;
  readonly reason: string;
  readonly reward: number | null;
  readonly turns: number;
  readonly calls: number;
  readonly tools: readonly string[];
  /** null: not known yet. */
  readonly malformed: number | null;
  readonly sampledTokens: number;
  readonly version: number | null;
  readonly query: string;
  readonly fate: string;
}

/**
 * `number`: compared as one. `word`: equal or contains. `words`: any of several. `step`: by its id or by its number.
 * `said`: the whole transcript, which a row does not hold.
 */
export type FieldKind = 'number' | 'word' | 'words' | 'step' | 'said';

export interface Field {
  readonly kind: FieldKind;
  /** For people who look for it. */
  readonly what: string;
  /** An expression in which it occurs. */
  readonly example: string;
  readonly read: (row: FilterRow) => number | string | null | readonly string[];
}

/** In the order in which they are offered. */
export const fields = {
  reward: { kind: 'number', what: '−1, 0 or 1; null where unscored', example: 'reward<0', read: (row) => row.reward },
  D: { kind: 'number', what: 'difficulty of the task, 1 to 100', example: 'D>=40', read: (row) => row.D },
  outcome: {
    kind: 'word',
    what: 'how it ended: scored, policyFault, truncated.policy, simulatorFault.tool, missing.EngineFault, …',
    example: 'outcome~"simulatorFault"',
    read: (row) => row.outcome,
  },
  fate: {
    kind: 'word',
    what: 'what learning made of it: trained, zeroVariance, tooFewScored, outOfBand, nothingSampled, heldOut, or the fault',
    example: 'fate=="zeroVariance"',
    read: (row) => row.fate,
  },
  tool: {
    kind: 'words',
    what: 'a tool that was called, by name; null where none was',
    example: 'tool=="refund"',
    read: (row) => row.tools,
  },
  text: {
    kind: 'said',
    what: 'anything said, called, answered, thought, judged or gone wrong in the episode',
    example: 'text~"invoice"',
    read: () => null,
  },
  branch: {
    kind: 'word',
    what: 'what a good agent does first: call, ask, answer or none',
    example: 'branch=="ask"',
    read: (row) => row.branch,
  },
  split: { kind: 'word', what: 'train or heldOut', example: 'split=="heldOut"', read: (row) => row.split },
  step: { kind: 'step', what: 'of the run, by number or id', example: 'step>=12', read: (row) => row.step },
  member: { kind: 'number', what: 'place in its group, from 0', example: 'member==0', read: (row) => row.member },
  turns: { kind: 'number', what: 'turns of everybody', example: 'turns>8', read: (row) => row.turns },
  calls: { kind: 'number', what: 'tool calls', example: 'calls==0', read: (row) => row.calls },
  malformed: { kind: 'number', what: 'calls that could not be read', example: 'malformed>0', read: (row) => row.malformed },
  tokens: { kind: 'number', what: 'tokens the policy sampled', example: 'tokens>2000', read: (row) => row.sampledTokens },
  version: { kind: 'number', what: 'of the policy that played it; null where none did', example: 'version==3', read: (row) => row.version },
  reason: { kind: 'word', what: 'what was missed or went wrong', example: 'reason~"grounded"', read: (row) => row.reason },
  query: { kind: 'word', what: 'the opening words', example: 'query~"cancel"', read: (row) => row.query },
  group: { kind: 'word', what: 'id of its group', example: 'group=="s00001.t003"', read: (row) => row.group },
  episode: { kind: 'word', what: 'its id; null where the member left none', example: 'episode==null', read: (row) => row.episode },
} as const satisfies Readonly<Record<string, Field>>;

export type FieldName = keyof typeof fields;

export const fieldNames = Object.keys(fields) as readonly FieldName[];

/** Not `in`: names such as `constructor` are no fields. */
export const isField = (name: string): name is FieldName => Object.hasOwn(fields, name);

/** What may stand between a field of this kind and its value. */
export const operatorsOf: Readonly<Record<FieldKind, readonly Operator[]>> = {
  number: ['==', '!=', '<', '<=', '>', '>='],
  step: ['==', '!=', '<', '<=', '>', '>=', '~'],
  word: ['==', '!=', '~'],
  words: ['==', '!=', '~'],
  said: ['~'],
};

/** `~`: contains, whatever the case of the letters. */
export const operators = ['==', '!=', '<=', '>=', '<', '>', '~'] as const;
export type Operator = (typeof operators)[number];
