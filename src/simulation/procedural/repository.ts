/** The repositories tasks draw from: the built-in tools, or a list of the user's that the tiny language can express. */
import type { ToolSpec } from '../../protocol/tool.ts';
import { type Rejection, type Repository, repositoryOf } from '../../tools/repository.ts';
import { expressible } from './express.ts';
import { builtinTools, heldOutDomains } from './families.ts';

/** Nine domains to train on, three held out. */
export const builtinRepository: Repository = repositoryOf(builtinTools, { categories: heldOutDomains });

/** Of a tool list from outside; `heldOut` is the share of tools kept for evaluation. */
export function importedRepository(
  tools: readonly ToolSpec[],
  heldOut: number,
): { readonly repository: Repository; readonly rejected: readonly Rejection[] } {
  const { usable, rejected } = expressible(tools);
  return { repository: repositoryOf(usable, { share: heldOut }), rejected };
}
