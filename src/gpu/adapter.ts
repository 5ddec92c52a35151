/** A LoRA adapter's directory as weights, for a run that starts with one. Reads its one file for the hash by which servers verify it; knows nothing of ranks and layers. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { boundarySync, ConfigFault } from '../errors.ts';
import type { PolicyVersion } from '../protocol/ids.ts';
import type { Weights } from '../protocol/policy.ts';

/** In the form peft and vLLM share. */
export const isAdapter = (dir: string): boolean => existsSync(join(dir, 'adapter_config.json'));

/** Version 0: what the run starts with. Throws ConfigFault where the directory holds no adapter. */
export function adapterWeights(dir: string): Weights {
  if (!isAdapter(dir)) throw new ConfigFault(`policy.adapter: no adapter in ${dir} (adapter_config.json is missing)`);
  const bytes = boundarySync(ConfigFault, `policy.adapter: ${dir}`, () => readFileSync(join(dir, 'adapter_model.safetensors')));
  return { version: 0 as PolicyVersion, kind: 'lora', dir, sha256: createHash('sha256').update(bytes).digest('hex') };
}
