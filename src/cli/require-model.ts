/** Refuses a run whose model is not there, with the way to get it. Knows folders and names, not what is in a model. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigFault } from '../errors.ts';
import { downloadCommand, isHubName } from './settings/hub.ts';

/** Throws ConfigFault where `dir` holds no model, with what to do; `besides` is another way out. */
export function requireModel(dir: string, besides = ''): void {
  if (isHubName(dir))
    throw new ConfigFault(
      `policy.model: ${dir} is not in the Hugging Face cache of this machine; get it with: ${downloadCommand(dir)}${besides}`,
    );
  if (!existsSync(join(dir, 'config.json')))
    throw new ConfigFault(
      `policy.model: no model in ${dir} (config.json is missing); name a Qwen3 model directory, or make one with imitate`,
    );
}
