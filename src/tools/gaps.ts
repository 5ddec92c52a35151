/** What a list of tools does not say of them. It finds gaps and fills none: that takes somebody who can read. */
import type { ToolSpec } from '../protocol/tool.ts';

export type Lack = 'description' | 'returns' | 'effects';

export interface Gap {
  readonly tool: ToolSpec;
  /** At least one. */
  readonly lacks: readonly Lack[];
}

/** The tools that lack something a simulator must know, in their order: what they do, what comes back, whether they change anything. */
export function gapsOf(tools: readonly ToolSpec[]): Gap[] {
  return tools.flatMap((tool) => {
    const lacks: Lack[] = [
      ...(tool.description.trim() === '' ? (['description'] as const) : []),
      ...(tool.returns === undefined || Object.keys(tool.returns).length === 0 ? (['returns'] as const) : []),
      ...(tool.effects === 'unknown' ? (['effects'] as const) : []),
    ];
    return lacks.length === 0 ? [] : [{ tool, lacks }];
  });
}
