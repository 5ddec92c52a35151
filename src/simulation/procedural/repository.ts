/** The repositories tasks draw from: the built-in tools, or a list of the user's that the tiny language can express. */
import type { ToolSpec } from '../../protocol/tool.ts';
import { type Rejection, type Repository, repositoryOf } from '../../tools/repository.ts';
import { express, expressible } from './express.ts';
import { builtinTools, heldOutDomains } from './families.ts';

/** Nine domains to train on, three held out. */
export const builtinRepository: Repository = repositoryOf(builtinTools, { categories: heldOutDomains });

/** What an import came to: the repository, what could not be used, and what of the used is left out. */
export interface Imported {
  readonly repository: Repository;
  readonly rejected: readonly Rejection[];
  /** Usable tools of which something is not offered, an optional parameter mostly. */
  readonly reduced: readonly { readonly name: string; readonly source: string; readonly notes: readonly string[] }[];
}

/** Of a tool list from outside; `heldOut` is the share of tools kept for evaluation. */
export function importedRepository(tools: readonly ToolSpec[], heldOut: number): Imported {
  const { usable, rejected } = expressible(tools);
  const reduced = usable.flatMap((tool) => {
    const expression = express(tool);
    return expression.ok && expression.notes.length > 0 ? [{ name: tool.name, source: tool.source, notes: expression.notes }] : [];
  });
  return { repository: repositoryOf(usable, { share: heldOut }), rejected, reduced };
}
