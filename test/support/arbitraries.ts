/** Random difficulties, views and JSON for property tests of the world. Draws come from fast-check's numbers, so a failing case shrinks. */
import * as fc from 'fast-check';
import { aspectsAt } from '../../src/learning/curriculum.ts';
import type { TaskId } from '../../src/protocol/ids.ts';
import type { JsonValue } from '../../src/protocol/json.ts';
import { seedOf, stream } from '../../src/random.ts';
import type { TaskView } from '../../src/simulation/contract.ts';
import { builtinRepository } from '../../src/simulation/procedural/repository.ts';
import { taskView } from '../../src/simulation/view.ts';
import type { Repository } from '../../src/tools/repository.ts';

export interface ViewWish {
  readonly seed: number;
  readonly difficulty: number;
  readonly split?: TaskView['split'];
  readonly repository?: Repository;
  /** Probability of aspects below their bounds. */
  readonly soft?: number;
}

/** The view a run would give its task writer. */
export function viewOf({ seed, difficulty, split = 'train', repository = builtinRepository, soft = 0.5 }: ViewWish): TaskView {
  const aspects = aspectsAt(difficulty, stream(seedOf(seed, 'aspects')), soft);
  return taskView(repository, { id: `test.${seed}` as TaskId, split, difficulty, aspects, seed: seedOf(seed, difficulty, split) });
}

const anySplit = fc.constantFrom<TaskView['split']>('train', 'heldOut');
export const anyView = fc.record({ seed: fc.nat(), difficulty: fc.integer({ min: 1, max: 100 }), split: anySplit }).map(viewOf);

export const anyJson: fc.Arbitrary<JsonValue> = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
