/** The cast of a worker's episodes, made from plain data: who plays user, tools and judge, and how the policy's turns are read and written. */
import type { Renderer } from '../gpu/tokens/renderer.ts';
import { rendererFor, type RendererSpec } from '../gpu/tokens/spec.ts';
import type { SimulatorRole } from '../protocol/outcome.ts';
import type { Simulators } from '../simulation/contract.ts';
import type { LmSettings } from '../simulation/lm/settings.ts';
import { lmSimulators } from '../simulation/lm/simulators.ts';
import type { WorldMix } from '../simulation/procedural/plan.ts';
import { proceduralSimulators } from '../simulation/procedural/simulators.ts';

/** What crosses the thread in place of the cast. */
export interface CastSpec {
  readonly world: Partial<WorldMix>;
  /** The roles a language model plays, and how; absent where code plays all. */
  readonly models?: { readonly roles: readonly SimulatorRole[]; readonly settings: LmSettings };
  /** How the policy is spoken to. */
  readonly policy: RendererSpec;
}

export interface Cast {
  readonly simulators: Simulators;
  /** The world whose truth is known: examinations are held in it. */
  readonly examiners: Simulators;
  readonly renderer: Renderer;
}

export const castOf = (spec: CastSpec): Cast => ({ ...playersOf(spec), renderer: rendererFor(spec.policy) });

/** Without a renderer, for those who never speak to the policy. */
export function playersOf({ world, models }: Omit<CastSpec, 'policy'>): Omit<Cast, 'renderer'> {
  const examiners = proceduralSimulators(world);
  if (models === undefined) return { simulators: examiners, examiners };
  const played = lmSimulators(models.settings);
  const of = <Role extends SimulatorRole>(role: Role): Simulators[Role] => (models.roles.includes(role) ? played : examiners)[role];
  const panel = models.roles.includes('judge') ? played.panel : undefined;
  const simulators = {
    task: of('task'),
    user: of('user'),
    tool: of('tool'),
    judge: of('judge'),
    ...(panel === undefined ? {} : { panel }),
  };
  return { simulators, examiners };
}
