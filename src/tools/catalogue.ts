import type { ToolSpec } from '../protocol/tool.ts';
export const catalogueTools: readonly ToolSpec[] = [];
