/** Shapes of well-known models, so that a plan can be made before anything is downloaded. From each model's published config.json; knows no file. */
import type { ModelFacts } from './model-facts.ts';

const qwen3 = {
  family: 'qwen3',
  kvHeads: 8,
  headDim: 128,
  vocab: 151_936,
  maxPositions: 40_960,
  dtype: 'bfloat16',
  end: [151_645],
  biases: { queryKeyValue: false, output: false, mlp: false },
  headNorms: true,
} as const;

const qwen2 = {
  ...qwen3,
  family: 'qwen2',
  maxPositions: 32_768,
  biases: { queryKeyValue: true, output: false, mlp: false },
  headNorms: false,
} as const;

/** By Hugging Face name. */
const shapes: ReadonlyMap<string, ModelFacts> = new Map(
  Object.entries({
    'Qwen/Qwen3-0.6B': { ...qwen3, hidden: 1024, layers: 28, heads: 16, intermediate: 3072, tied: true },
    'Qwen/Qwen3-1.7B': { ...qwen3, hidden: 2048, layers: 28, heads: 16, intermediate: 6144, tied: true },
    'Qwen/Qwen3-4B': { ...qwen3, hidden: 2560, layers: 36, heads: 32, intermediate: 9728, tied: true },
    'Qwen/Qwen3-8B': { ...qwen3, hidden: 4096, layers: 36, heads: 32, intermediate: 12_288, tied: false },
    'Qwen/Qwen3-14B': { ...qwen3, hidden: 5120, layers: 40, heads: 40, intermediate: 17_408, tied: false },
    'Qwen/Qwen3-32B': { ...qwen3, hidden: 5120, layers: 64, heads: 64, intermediate: 25_600, tied: false },
    'Qwen/Qwen2.5-7B': { ...qwen2, hidden: 3584, layers: 28, heads: 28, kvHeads: 4, vocab: 152_064, intermediate: 18_944, tied: false },
  }),
);

export const knownNames: readonly string[] = [...shapes.keys()];

/** Of a name such as Qwen/Qwen3-8B, or a variant of it that has the same shape (-Base, -Instruct); null where it is not known. */
export function knownFacts(name: string): ModelFacts | null {
  return shapes.get(name.replace(/-(?:Base|Instruct)$/, '')) ?? null;
}
