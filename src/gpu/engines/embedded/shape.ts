/** The shape of a Qwen3 model and the table of its parameters, by their Hugging Face names and in Hugging Face layout. Knows no memory. */

export interface ModelShape {
  readonly vocab: number;
  readonly hidden: number;
  readonly layers: number;
  /** Query heads; `kvHeads` divides it. */
  readonly heads: number;
  readonly kvHeads: number;
  /** Not necessarily hidden / heads. */
  readonly headDim: number;
  readonly intermediate: number;
  readonly ropeTheta: number;
  readonly eps: number;
  /** The output head is the embedding. */
  readonly tied: boolean;
  /** Longest sequence, prompt and answer together. */
  readonly maxPositions: number;
}

/** One tensor: `rows` x `cols`, row-major; a matrix maps `cols` inputs to `rows` outputs. `offset` counts floats from the first parameter. */
export interface Parameter {
  readonly name: string;
  readonly kind: 'embedding' | 'matrix' | 'norm' | 'head';
  readonly rows: number;
  readonly cols: number;
  readonly offset: number;
}

/** Offsets of one layer's tensors; query, key and value lie one behind the other and so do gate and up: each is one matrix to the kernels. */
export interface LayerOffsets {
  readonly attentionNorm: number;
  readonly qkv: number;
  readonly queryNorm: number;
  readonly keyNorm: number;
  readonly output: number;
  readonly mlpNorm: number;
  readonly gateUp: number;
  readonly down: number;
}

export interface ParameterTable {
  readonly list: readonly Parameter[];
  /** Floats in all parameters together. */
  readonly floats: number;
  readonly embedding: number;
  readonly layers: readonly LayerOffsets[];
  readonly norm: number;
  /** The embedding's own offset where the head is tied. */
  readonly head: number;
}

/** A fused right-hand side of a matrix product: `out` x `in` floats from `offset`. */
export interface Matrix {
  readonly offset: number;
  readonly out: number;
  readonly in: number;
}

function checkShape(shape: ModelShape): void {
  for (const key of ['vocab', 'hidden', 'headDim', 'intermediate'] as const) {
    if (shape[key] <= 0 || shape[key] % 8 !== 0) throw new RangeError(`${key} must be a positive multiple of 8, not ${shape[key]}`);
  }
  if (shape.heads % shape.kvHeads !== 0) throw new RangeError(`kvHeads (${shape.kvHeads}) must divide heads (${shape.heads})`);
  if (shape.layers < 1 || shape.maxPositions < 1) throw new RangeError('a model has at least one layer and one position');
}

export function parametersOf(shape: ModelShape): ParameterTable {
  checkShape(shape);
  const { hidden, headDim, intermediate } = shape;
  const list: Parameter[] = [];
  let floats = 0;
  const add = (name: string, kind: Parameter['kind'], rows: number, cols: number): number => {
    const offset = floats;
    list.push({ name, kind, rows, cols, offset });
    floats += rows * cols;
    return offset;
  };
  const embedding = add('model.embed_tokens.weight', 'embedding', shape.vocab, hidden);
  const layers = Array.from({ length: shape.layers }, (_, index): LayerOffsets => {
    const prefix = `model.layers.${index}.`;
    const norm = (name: string, width: number): number => add(`${prefix}${name}.weight`, 'norm', 1, width);
    const matrix = (name: string, out: number, width: number): number => add(`${prefix}${name}_proj.weight`, 'matrix', out, width);
    const attentionNorm = norm('input_layernorm', hidden);
    const qkv = matrix('self_attn.q', shape.heads * headDim, hidden);
    matrix('self_attn.k', shape.kvHeads * headDim, hidden);
    matrix('self_attn.v', shape.kvHeads * headDim, hidden);
    const queryNorm = norm('self_attn.q_norm', headDim);
    const keyNorm = norm('self_attn.k_norm', headDim);
    const output = matrix('self_attn.o', hidden, shape.heads * headDim);
    const mlpNorm = norm('post_attention_layernorm', hidden);
    const gateUp = matrix('mlp.gate', intermediate, hidden);
    matrix('mlp.up', intermediate, hidden);
    const down = matrix('mlp.down', hidden, intermediate);
    return { attentionNorm, qkv, queryNorm, keyNorm, output, mlpNorm, gateUp, down };
  });
  const norm = add('model.norm.weight', 'norm', 1, hidden);
  const head = shape.tied ? embedding : add('lm_head.weight', 'head', shape.vocab, hidden);
  return { list, floats, embedding, layers, norm, head };
}

/** Floats of one row of the fused query-key-value projection. */
export const qkvWidth = (shape: ModelShape): number => (shape.heads + 2 * shape.kvHeads) * shape.headDim;

/** Every matrix the kernels multiply by, fused. */
export function matricesOf(shape: ModelShape, table: ParameterTable): readonly Matrix[] {
  const { hidden, intermediate } = shape;
  return [
    ...table.layers.flatMap((layer) => [
      { offset: layer.qkv, out: qkvWidth(shape), in: hidden },
      { offset: layer.output, out: hidden, in: shape.heads * shape.headDim },
      { offset: layer.gateUp, out: 2 * intermediate, in: hidden },
      { offset: layer.down, out: hidden, in: intermediate },
    ]),
    { offset: table.head, out: shape.vocab, in: hidden },
  ];
}
