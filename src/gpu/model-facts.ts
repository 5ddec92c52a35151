/** What a causal language model in Hugging Face form is, from its config.json alone: shape, vocabulary, ends, number of weights. Loads no weights and runs nothing. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { boundarySync, ConfigFault } from '../errors.ts';

export interface ModelFacts {
  /** `qwen3`, `qwen2`, `llama`, `mistral`, …: transformers' model_type. */
  readonly family: string;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly intermediate: number;
  /** Rows of the embedding: token ids are below it. */
  readonly vocab: number;
  /** The output head is the embedding. */
  readonly tied: boolean;
  /** Tokens a context may hold. */
  readonly maxPositions: number;
  /** As stored: `bfloat16`, `float32`, …; null where the config does not say. */
  readonly dtype: string | null;
  /** Ids that end a turn. */
  readonly end: readonly number[];
  readonly biases: {
    readonly queryKeyValue: boolean;
    readonly output: boolean;
    readonly mlp: boolean;
  };
  /** Queries and keys are normalised (Qwen3). */
  readonly headNorms: boolean;
}

const size = z.int().min(1).max(100_000_000);
const ids = z.union([z.int().min(0), z.array(z.int().min(0)).max(64), z.null()]);
/** Keys every such config shares; what else it holds is the serving side's matter. */
const CausalConfig = z.looseObject({
  model_type: z.string().min(1).max(64),
  hidden_size: size,
  num_hidden_layers: z.int().min(1).max(1000),
  num_attention_heads: size,
  num_key_value_heads: size.optional(),
  head_dim: size.nullish(),
  intermediate_size: size,
  vocab_size: size,
  max_position_embeddings: size,
  tie_word_embeddings: z.boolean().optional(),
  dtype: z.string().max(64).nullish(),
  torch_dtype: z.string().max(64).nullish(),
  attention_bias: z.boolean().optional(),
  mlp_bias: z.boolean().optional(),
  eos_token_id: ids.optional(),
});

/** What only a mixture of experts has: its weights are not counted by the formula below. */
const expertKeys = ['num_experts', 'num_local_experts', 'n_routed_experts'] as const;
const configLimit = 10_000_000;

/** Reads `dir`/config.json. Throws ConfigFault where there is none, or where it describes no dense causal model, naming the key. */
export function modelFacts(dir: string): ModelFacts {
  const file = join(dir, 'config.json');
  const text = boundarySync(ConfigFault, `cannot read ${file}`, () => {
    if (statSync(file).size > configLimit) throw new ConfigFault(`${file} is larger than ${configLimit} bytes`);
    return readFileSync(file, 'utf8');
  });
  return factsOf(text, file);
}

/** The same from the file's text; `file` names it in faults. */
export function factsOf(text: string, file: string): ModelFacts {
  const value: unknown = boundarySync(ConfigFault, `${file} is no JSON`, () => JSON.parse(text));
  const parsed = CausalConfig.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigFault(`${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}; a dense causal language model is needed`, {
      cause: parsed.error,
    });
  }
  const config = parsed.data;
  const experts = expertKeys.find((key) => typeof config[key] === 'number' && config[key] > 0);
  if (experts !== undefined) throw new ConfigFault(`${file}: ${experts}: mixtures of experts are not part of this version`);
  const heads = config.num_attention_heads;
  const kvHeads = config.num_key_value_heads ?? heads;
  if (heads % kvHeads !== 0) throw new ConfigFault(`${file}: num_key_value_heads does not divide num_attention_heads`);
  const headDim = config.head_dim ?? config.hidden_size / heads;
  if (!Number.isInteger(headDim))
    throw new ConfigFault(`${file}: num_attention_heads does not divide hidden_size, and there is no head_dim`);
  const end = typeof config.eos_token_id === 'number' ? [config.eos_token_id] : (config.eos_token_id ?? []);
  if (end.some((id) => id >= config.vocab_size)) throw new ConfigFault(`${file}: eos_token_id is outside the vocabulary`);
  return {
    family: config.model_type,
    hidden: config.hidden_size,
    layers: config.num_hidden_layers,
    heads,
    kvHeads,
    headDim,
    intermediate: config.intermediate_size,
    vocab: config.vocab_size,
    // transformers' own default for these families, whatever the general one is.
    tied: config.tie_word_embeddings ?? false,
    maxPositions: config.max_position_embeddings,
    dtype: config.dtype ?? config.torch_dtype ?? null,
    end,
    biases: biasesOf(config),
    headNorms: config.model_type === 'qwen3',
  };
}

function biasesOf({ model_type, attention_bias = false, mlp_bias = false }: z.infer<typeof CausalConfig>): ModelFacts['biases'] {
  // Qwen2 has these three biases and no key that says so.
  return { queryKeyValue: attention_bias || model_type === 'qwen2', output: attention_bias && model_type !== 'qwen2', mlp: mlp_bias };
}

/** The seven matrices of a layer that an adapter may change, [in, out] each. Names as in the checkpoints. */
export function layerMatrices({ hidden, heads, kvHeads, headDim, intermediate }: ModelFacts) {
  const wide = heads * headDim;
  const narrow = kvHeads * headDim;
  return {
    q_proj: [hidden, wide],
    k_proj: [hidden, narrow],
    v_proj: [hidden, narrow],
    o_proj: [wide, hidden],
    gate_proj: [hidden, intermediate],
    up_proj: [hidden, intermediate],
    down_proj: [intermediate, hidden],
  } as const satisfies { readonly [name: string]: readonly [number, number] };
}
export type LayerMatrix = keyof ReturnType<typeof layerMatrices>;

/** Weights of the whole model; a tied head counts once. */
export function parametersOf(facts: ModelFacts): number {
  const { hidden, layers, heads, kvHeads, headDim, intermediate, vocab, tied, biases, headNorms } = facts;
  const matrices = Object.values(layerMatrices(facts)).reduce((sum, [from, to]) => sum + from * to, 0);
  const biased =
    (biases.queryKeyValue ? (heads + 2 * kvHeads) * headDim : 0) +
    (biases.output ? hidden : 0) +
    (biases.mlp ? 2 * intermediate + hidden : 0);
  const norms = 2 * hidden + (headNorms ? 2 * headDim : 0);
  return layers * (matrices + biased + norms) + hidden + vocab * hidden * (tied ? 1 : 2);
}

/** Weights of a LoRA adapter of this rank on these matrices of every layer. */
export function adapterParameters(facts: ModelFacts, rank: number, targets: readonly LayerMatrix[]): number {
  const matrices = layerMatrices(facts);
  return facts.layers * targets.reduce((sum, name) => sum + rank * (matrices[name][0] + matrices[name][1]), 0);
}
