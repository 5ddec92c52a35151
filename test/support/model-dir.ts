/** A small model directory with the real vocabulary and weights nobody trained: for runs whose turns come from a script. */
import { initialise } from '../../src/gpu/engines/embedded/initialise.ts';
import { vocabularyOf } from '../../src/gpu/tokens/vocabulary.ts';
import { writeModel } from '../../src/gpu/weights.ts';
import type { PolicyVersion } from '../../src/protocol/ids.ts';
import { lexicon } from '../../src/simulation/procedural/lexicon.ts';

export function untrainedModel(dir: string): void {
  const vocabulary = vocabularyOf(lexicon);
  const vocab = Math.ceil(vocabulary.words.length / 64) * 64;
  const shape = {
    hidden: 64,
    layers: 2,
    heads: 4,
    kvHeads: 2,
    headDim: 64,
    intermediate: 32,
    ropeTheta: 1e6,
    tied: true,
    vocab,
    eps: 1e-6,
    maxPositions: 1024,
  };
  writeModel(dir, 0 as PolicyVersion, { shape, vocabulary, ...initialise(shape, 1) });
}
