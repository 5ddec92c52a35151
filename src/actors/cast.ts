/** The cast of a worker's episodes, made from plain data: who plays user, tools and judge, and how the policy's turns are read and written. */
import type { Renderer } from '../gpu/tokens/renderer.ts';
import { rendererFor, type RendererSpec } from '../gpu/tokens/spec.ts';
import type { Simulators } from '../simulation/contract.ts';
import type { WorldMix } from '../simulation/procedural/plan.ts';
import { proceduralSimulators } from '../simulation/procedural/simulators.ts';

/** What crosses the thread in place of the cast. */
export interface CastSpec {
  readonly kind: 'procedural';
  readonly world: Partial<WorldMix>;
  /** How the policy is spoken to. */
  readonly policy: RendererSpec;
}

export interface Cast {
  readonly simulators: Simulators;
  readonly renderer: Renderer;
}

export const castOf = (spec: CastSpec): Cast => ({
  simulators: proceduralSimulators(spec.world),
  renderer: rendererFor(spec.policy),
});
