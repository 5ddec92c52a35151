/** The cast of a worker's episodes, made from plain data: who plays user, tools and judge, and how the policy's turns are read and written. */
import { tinyRenderer } from '../gpu/tokens/tiny.ts';
import type { Renderer } from '../gpu/tokens/renderer.ts';
import { vocabularyOf } from '../gpu/tokens/vocabulary.ts';
import type { Simulators } from '../simulation/contract.ts';
import type { WorldMix } from '../simulation/procedural/plan.ts';
import { proceduralSimulators } from '../simulation/procedural/simulators.ts';

/** What crosses the thread in place of the cast. */
export interface CastSpec {
  readonly kind: 'procedural';
  readonly world: Partial<WorldMix>;
  /** The policy's vocabulary, in id order. */
  readonly words: readonly string[];
}

export interface Cast {
  readonly simulators: Simulators;
  readonly renderer: Renderer;
}

export const castOf = (spec: CastSpec): Cast => ({
  simulators: proceduralSimulators(spec.world),
  renderer: tinyRenderer(vocabularyOf(spec.words)),
});
