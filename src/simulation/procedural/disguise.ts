/** Tools under drawn names, as a task of this world would show them: for writers that must not choose names themselves. Writes no task. */
import type { ToolSpec } from '../../protocol/tool.ts';
import { type Seed, seedOf, stream } from '../../random.ts';
import type { Split } from './names.ts';
import { naming, offersOf } from './offer.ts';

/** The same seed always gives the same names. Tools that this world cannot express are left out. */
export function disguise(tools: readonly ToolSpec[], split: Split, seed: Seed): ToolSpec[] {
  const draws = stream(seedOf(seed, 'disguise'));
  return offersOf(tools, naming(draws, split), false).map(({ spec }) => spec);
}
