/** The base model of engines that load it themselves (vLLM, torch): its facts and which weights it has, checked before a process is started for it. Loads no weights. */
import type { PolicyVersion } from '../protocol/ids.ts';
import type { Weights } from '../protocol/policy.ts';
import { weightsHash } from './base-model-weights.ts';
import { modelFacts, type ModelFacts } from './model-facts.ts';

export interface BaseModel {
  readonly dir: string;
  readonly facts: ModelFacts;
  /** Version 0, whole. */
  readonly weights: Weights;
  readonly vocabularySize: number;
  /** Tokens a context may hold. */
  readonly contextLength: number;
}

/** Throws ConfigFault where the directory holds no dense causal language model in Hugging Face form, or not all of it. */
export function openBase(dir: string): BaseModel {
  const facts = modelFacts(dir);
  return {
    dir,
    facts,
    weights: { version: 0 as PolicyVersion, kind: 'full', dir, sha256: weightsHash(dir) },
    vocabularySize: facts.vocab,
    contextLength: facts.maxPositions,
  };
}
