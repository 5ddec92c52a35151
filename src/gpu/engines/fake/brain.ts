/**
 * The fake server's brain: reads the prompts of the simulated roles and plays the procedural world in their place, right or, by its dials, wrong in ways it counts, so that whoever
 * repairs, masks and reports can be held against a known truth. Knows nothing of HTTP or time, and answers nothing but our own prompts.
 */
import type { ChatMessage } from '../../../protocol/inference.ts';
import type { SimulatorRole } from '../../../protocol/outcome.ts';
import { stream, seedOf, uniform } from '../../../random.ts';
import { readPrompt } from '../../../simulation/lm/prose/reading.ts';
import { rightAnswer, type Answered } from './brain-parts.ts';
import { hostile, malformed } from './brain-noise.ts';
import { contradicted, leaked, misjudged, varied } from './brain-wrongs.ts';

/** What can be wrong with a reply. */
export const brainKinds = ['hanging', 'malformed', 'hostile', 'inconsistent', 'leaking', 'misjudging', 'variance'] as const;
export type BrainKind = (typeof brainKinds)[number];

/** Shares of the replies, in [0, 1]. Of each reply at most one thing is wrong, so they should sum to 1 at most. */
export type BrainDials = { readonly [kind in BrainKind]: number };
export const rightBrain: BrainDials = { hanging: 0, malformed: 0, hostile: 0, inconsistent: 0, leaking: 0, misjudging: 0, variance: 0 };

/** What a role can get wrong: anybody is silent, garbled or hostile. */
const kindsOf: Readonly<Record<SimulatorRole, readonly BrainKind[]>> = {
  task: ['hanging', 'malformed', 'hostile'],
  user: ['hanging', 'malformed', 'hostile', 'leaking'],
  tool: ['hanging', 'malformed', 'hostile', 'inconsistent', 'variance'],
  judge: ['hanging', 'malformed', 'hostile', 'misjudging'],
};

export type BrainTally = Partial<Record<'asked' | 'unable' | BrainKind, number>>;

export interface Brain {
  /** A reply; null: none, ever; undefined: this is no prompt of ours. The same messages and seed always get the same. */
  think(messages: readonly ChatMessage[], seed: number): string | null | undefined;
  /** What was asked, and what of it was answered wrongly, by role. */
  readonly tally: Readonly<Partial<Record<SimulatorRole, BrainTally>>>;
}

export function createBrain(dials: BrainDials): Brain {
  const tally: Partial<Record<SimulatorRole, BrainTally>> = {};
  const count = (role: SimulatorRole, what: keyof BrainTally): void => {
    const own = (tally[role] ??= {});
    own[what] = (own[what] ?? 0) + 1;
  };

  const drawn = (role: SimulatorRole, seed: number): BrainKind | undefined => {
    let at = uniform(seedOf('brain', role, seed), 0);
    return kindsOf[role].find((kind) => (at -= dials[kind]) < 0);
  };

  return {
    tally,
    think: (messages, seed) => {
      const asked = readPrompt(messages);
      if (asked === undefined) return undefined;
      const { role } = asked;
      count(role, 'asked');
      const kind = drawn(role, seed);
      if (kind === 'hanging') {
        count(role, kind);
        return null;
      }
      const right = rightAnswer(asked, seed);
      if (right === undefined) {
        count(role, 'unable');
        return 'Of these tools there is nothing to write.';
      }
      const said = kind === undefined ? undefined : spoilt(kind, right, seedOf('spoil', role, seed));
      if (said === undefined || kind === undefined) return right.write(right.draft as never);
      count(role, kind);
      return said;
    },
  };
}

/** The reply as that kind of wrong; undefined where there is nothing to get wrong in that way. */
function spoilt(kind: Exclude<BrainKind, 'hanging'>, right: Answered, seed: number): string | undefined {
  const draws = stream(seed);
  switch (kind) {
    case 'malformed':
      return malformed(right.write(right.draft as never), draws);
    case 'hostile':
      return hostile(right.write(right.draft as never), draws);
    case 'inconsistent':
      return right.role === 'tool' ? written(right, contradicted(right.view, right.draft, draws)) : undefined;
    case 'variance':
      return right.role === 'tool' ? written(right, varied(right.view, right.draft, seed)) : undefined;
    case 'leaking':
      return right.role === 'user' ? written(right, leaked(right.view, right.draft)) : undefined;
    case 'misjudging':
      return right.role === 'judge' ? written(right, misjudged(right.view, right.draft, draws)) : undefined;
    default:
      return kind satisfies never;
  }
}

const written = <Draft>({ write }: { write(draft: Draft): string }, draft: Draft | undefined): string | undefined =>
  draft === undefined ? undefined : write(draft);
