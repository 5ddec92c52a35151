/** Reads and writes the Hugging Face `config.json` of a model: the border where a foreign file becomes a `ModelShape`. */
import type { ModelShape } from './shape.ts';
import { checkShape } from './shape.ts';

/** Refuses what the kernels cannot compute: another architecture, biases, scaled RoPE, sliding windows. */
export function parseHfConfig(text: string): ModelShape {
  const config = JSON.parse(text) as Record<string, unknown>;
  const number = (key: string, fallback?: number): number => {
    const value = config[key] ?? fallback;
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError(`config.json: "${key}" must be a number`);
    return value;
  };
  const refuse = (key: string, plain: readonly unknown[]): void => {
    if (!plain.includes(config[key])) throw new TypeError(`config.json: ${key} = ${JSON.stringify(config[key])} is not supported`);
  };
  refuse('model_type', ['qwen3']);
  refuse('hidden_act', ['silu', undefined]);
  refuse('attention_bias', [false, undefined]);
  refuse('use_sliding_window', [false, undefined]);
  // Transformers 5 moved rope_theta into rope_parameters; its only unscaled type is "default".
  const rope = (config['rope_parameters'] ?? config['rope_scaling'] ?? {}) as Record<string, unknown>;
  const ropeType = rope['rope_type'] ?? rope['type'] ?? 'default';
  if (ropeType !== 'default') throw new TypeError(`config.json: RoPE type ${JSON.stringify(ropeType)} is not supported`);
  const heads = number('num_attention_heads');
  const hidden = number('hidden_size');
  const shape: ModelShape = {
    vocab: number('vocab_size'),
    hidden,
    layers: number('num_hidden_layers'),
    heads,
    kvHeads: number('num_key_value_heads', heads),
    headDim: number('head_dim', hidden / heads),
    intermediate: number('intermediate_size'),
    ropeTheta: number('rope_theta', typeof rope['rope_theta'] === 'number' ? rope['rope_theta'] : 10000),
    eps: number('rms_norm_eps', 1e-6),
    tied: config['tie_word_embeddings'] === true,
    maxPositions: number('max_position_embeddings', 32768),
  };
  checkShape(shape);
  return shape;
}

/** `extra` carries what is not shape, such as the ids of special tokens. */
export function formatHfConfig(shape: ModelShape, extra: Readonly<Record<string, unknown>> = {}): string {
  const config = {
    architectures: ['Qwen3ForCausalLM'],
    model_type: 'qwen3',
    vocab_size: shape.vocab,
    hidden_size: shape.hidden,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headDim,
    intermediate_size: shape.intermediate,
    hidden_act: 'silu',
    max_position_embeddings: shape.maxPositions,
    rms_norm_eps: shape.eps,
    rope_theta: shape.ropeTheta,
    tie_word_embeddings: shape.tied,
    attention_bias: false,
    attention_dropout: 0,
    use_sliding_window: false,
    use_cache: true,
    torch_dtype: 'float32',
    ...extra,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
