/** `config.json` of a Qwen3 model, to and from our shape. Refuses every model that the embedded engine would compute differently. */
import { z } from 'zod';
import { ConfigFault } from '../errors.ts';
import type { ModelShape } from './engines/embedded/shape.ts';

/** Ids that end a turn, and the padding id; from the tokenizer. */
export interface SpecialIds {
  readonly end: number;
  readonly pad: number;
}

const size = z.int().min(1).max(1_000_000);
/** What we read; transformers may write more. `rope_theta` stood at the top until transformers 5 moved it into `rope_parameters`. */
const Qwen3Config = z.looseObject({
  model_type: z.literal('qwen3'),
  architectures: z.array(z.literal('Qwen3ForCausalLM')).length(1),
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: z.int().min(1).max(1000),
  num_attention_heads: size,
  num_key_value_heads: size,
  head_dim: size.multipleOf(2),
  max_position_embeddings: z.int().min(1).max(100_000_000),
  rms_norm_eps: z.number().positive(),
  rope_theta: z.number().positive().optional(),
  rope_parameters: z.looseObject({ rope_type: z.literal('default'), rope_theta: z.number().positive() }).optional(),
  rope_scaling: z.null().optional(),
  tie_word_embeddings: z.boolean(),
  hidden_act: z.literal('silu').optional(),
  attention_bias: z.literal(false).optional(),
  use_sliding_window: z.literal(false).optional(),
  eos_token_id: z.union([z.int().min(0), z.array(z.int().min(0)).min(1)]),
});

/** The text of `config.json`, key for key what transformers 5 writes for this shape. */
export function configJson(shape: ModelShape, ids: SpecialIds): string {
  return json({
    architectures: ['Qwen3ForCausalLM'],
    attention_bias: false,
    attention_dropout: 0,
    bos_token_id: null,
    dtype: 'float32',
    eos_token_id: ids.end,
    head_dim: shape.headDim,
    hidden_act: 'silu',
    hidden_size: shape.hidden,
    initializer_range: 0.02,
    intermediate_size: shape.intermediate,
    layer_types: Array.from({ length: shape.layers }, () => 'full_attention'),
    max_position_embeddings: shape.maxPositions,
    max_window_layers: shape.layers,
    model_type: 'qwen3',
    num_attention_heads: shape.heads,
    num_hidden_layers: shape.layers,
    num_key_value_heads: shape.kvHeads,
    pad_token_id: ids.pad,
    rms_norm_eps: shape.eps,
    rope_parameters: { rope_theta: shape.ropeTheta, rope_type: 'default' },
    rope_theta: shape.ropeTheta,
    sliding_window: null,
    tie_word_embeddings: shape.tied,
    use_cache: true,
    use_sliding_window: false,
    vocab_size: shape.vocab,
  });
}

export const generationConfigJson = (ids: SpecialIds): string =>
  json({ do_sample: true, eos_token_id: ids.end, pad_token_id: ids.pad, temperature: 1 });

/** Throws ConfigFault naming the first key that does not fit. `end` lists every id that ends a turn. */
export function readConfig(text: string): { readonly shape: ModelShape; readonly end: readonly number[] } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new ConfigFault('config.json is no JSON', { cause: error, raw: text });
  }
  const result = Qwen3Config.safeParse(parsed);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new ConfigFault(
      `config.json: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}; the embedded engine reads Qwen3 models only`,
      { cause: result.error },
    );
  }
  const config = result.data;
  const ropeTheta = config.rope_parameters?.rope_theta ?? config.rope_theta;
  if (ropeTheta === undefined) throw new ConfigFault('config.json: neither rope_parameters nor rope_theta');
  if (config.num_attention_heads % config.num_key_value_heads !== 0)
    throw new ConfigFault('config.json: num_key_value_heads does not divide num_attention_heads');
  const shape: ModelShape = {
    vocab: config.vocab_size,
    hidden: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    kvHeads: config.num_key_value_heads,
    headDim: config.head_dim,
    intermediate: config.intermediate_size,
    ropeTheta,
    eps: config.rms_norm_eps,
    tied: config.tie_word_embeddings,
    maxPositions: config.max_position_embeddings,
  };
  return { shape, end: typeof config.eos_token_id === 'number' ? [config.eos_token_id] : config.eos_token_id };
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
