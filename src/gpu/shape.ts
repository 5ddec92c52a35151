/** The shape of a Qwen3 transformer and the tensors it implies. Knows no values, files or arithmetic. */

export interface ModelShape {
  /** Rows of the embedding; at least the tokenizer's words. */
  readonly vocabulary: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Key-value heads; divides `heads` (grouped-query attention). */
  readonly kvHeads: number;
  /** Decoupled from hidden / heads, as Qwen3 allows; even, because of the rotation. */
  readonly headDim: number;
  /** Width of the gated feed-forward. */
  readonly intermediate: number;
  readonly ropeTheta: number;
  /** RMSNorm epsilon. */
  readonly epsilon: number;
  /** The output head is the embedding. */
  readonly tied: boolean;
  /** Positions the model is meant for. */
  readonly contextLength: number;
}

/** The shape of the policies made here: 0.85 million parameters. */
export const tinyShape: ModelShape = {
  vocabulary: 448,
  hidden: 128,
  layers: 4,
  heads: 4,
  kvHeads: 2,
  headDim: 64,
  intermediate: 256,
  ropeTheta: 1e6,
  epsilon: 1e-6,
  tied: true,
  contextLength: 1024,
};

/** Every tensor by its Hugging Face name with its dimensions, [out, in] for matrices, in the order in which transformers writes them. */
export function tensorShapes(shape: ModelShape): ReadonlyMap<string, readonly number[]> {
  const { hidden, heads, kvHeads, headDim, intermediate } = shape;
  const tensors = new Map<string, readonly number[]>([['model.embed_tokens.weight', [shape.vocabulary, hidden]]]);
  for (let layer = 0; layer < shape.layers; layer++) {
    const at = `model.layers.${layer}`;
    tensors.set(`${at}.input_layernorm.weight`, [hidden]);
    tensors.set(`${at}.mlp.down_proj.weight`, [hidden, intermediate]);
    tensors.set(`${at}.mlp.gate_proj.weight`, [intermediate, hidden]);
    tensors.set(`${at}.mlp.up_proj.weight`, [intermediate, hidden]);
    tensors.set(`${at}.post_attention_layernorm.weight`, [hidden]);
    tensors.set(`${at}.self_attn.k_norm.weight`, [headDim]);
    tensors.set(`${at}.self_attn.k_proj.weight`, [kvHeads * headDim, hidden]);
    tensors.set(`${at}.self_attn.o_proj.weight`, [hidden, heads * headDim]);
    tensors.set(`${at}.self_attn.q_norm.weight`, [headDim]);
    tensors.set(`${at}.self_attn.q_proj.weight`, [heads * headDim, hidden]);
    tensors.set(`${at}.self_attn.v_proj.weight`, [kvHeads * headDim, hidden]);
  }
  tensors.set('model.norm.weight', [hidden]);
  if (!shape.tied) tensors.set('lm_head.weight', [shape.vocabulary, hidden]);
  return tensors;
}

export const parameterCount = (shape: ModelShape): number =>
  [...tensorShapes(shape).values()].reduce((sum, dimensions) => sum + dimensions.reduce((a, b) => a * b, 1), 0);
