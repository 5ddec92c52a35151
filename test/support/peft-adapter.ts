/** A LoRA adapter directory in PEFT's form, written without Python: seven projections a layer, drawn from a seed. Knows the file layout; trains nothing. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeSafetensors, type Tensor } from '../../src/gpu/safetensors.ts';
import type { PolicyVersion } from '../../src/protocol/ids.ts';
import type { Weights } from '../../src/protocol/policy.ts';
import { stream } from '../../src/random.ts';

const targets = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;
const rank = 8;

export interface AdapterFacts {
  /** Model directory whose shape it fits. */
  readonly model: string;
  readonly dir: string;
  readonly version: number;
  readonly seed: number;
  /** Largest entry of A and B; 0 = an adapter that changes nothing. */
  readonly scale: number;
}

/** Writes into `dir`, over what is there. */
export function writeAdapter({ model, dir, version, seed, scale }: AdapterFacts): Weights {
  const shape = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')) as Record<string, number>;
  const of = (key: string): number => shape[key] as number;
  const [hidden, inner] = [of('hidden_size'), of('intermediate_size')];
  const [queries, keys] = [of('num_attention_heads') * of('head_dim'), of('num_key_value_heads') * of('head_dim')];
  // [out, in] of each projection
  const sizes: Record<(typeof targets)[number], [number, number]> = {
    q_proj: [queries, hidden],
    k_proj: [keys, hidden],
    v_proj: [keys, hidden],
    o_proj: [hidden, queries],
    gate_proj: [inner, hidden],
    up_proj: [inner, hidden],
    down_proj: [hidden, inner],
  };
  const tensors = new Map<string, Tensor>();
  const chance = stream(seed);
  const draw = (...dimensions: [number, number]): Tensor => ({
    shape: dimensions,
    data: Float32Array.from({ length: dimensions[0] * dimensions[1] }, () => scale * (2 * chance.next() - 1)),
  });
  for (let layer = 0; layer < of('num_hidden_layers'); layer++)
    for (const target of targets) {
      const [out, into] = sizes[target];
      const block = target.endsWith('_proj') && ['gate_proj', 'up_proj', 'down_proj'].includes(target) ? 'mlp' : 'self_attn';
      const name = `base_model.model.model.layers.${layer}.${block}.${target}`;
      tensors.set(`${name}.lora_A.weight`, draw(rank, into));
      tensors.set(`${name}.lora_B.weight`, draw(out, rank));
    }
  const file = encodeSafetensors(tensors);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'adapter_model.safetensors'), file);
  writeFileSync(
    join(dir, 'adapter_config.json'),
    JSON.stringify({
      peft_type: 'LORA',
      task_type: 'CAUSAL_LM',
      base_model_name_or_path: model,
      r: rank,
      lora_alpha: 2 * rank,
      lora_dropout: 0,
      bias: 'none',
      target_modules: targets,
      inference_mode: true,
    }),
  );
  return { version: version as PolicyVersion, kind: 'lora', dir, sha256: createHash('sha256').update(file).digest('hex') };
}
