/** How a tool behaves in a world: by the rule the world has for it, else as its own schemas say. Knows no call. */
import type { ToolSpec } from '../../protocol/tool.ts';
import type { World } from '../../protocol/world.ts';
import { ownTool } from './own.ts';
import { type Behaviour, type Rule, rulesCollection } from './rule.ts';

/** Of a tool that this language can say nothing about: it finds nothing. */
const silent: Behaviour = {
  rule: { deed: 'find', collection: '', keys: [], gives: '', domain: { kind: 'thing' }, busy: 0, salt: 0 },
};

/** Undefined where the world has rules, and none for this tool. */
export function behaviourOf({ entities }: World, tool: ToolSpec): Behaviour | undefined {
  if (Object.hasOwn(entities, rulesCollection)) {
    const rules = entities[rulesCollection] ?? {};
    return Object.hasOwn(rules, tool.name) ? { rule: rules[tool.name] as unknown as Rule } : undefined;
  }
  const own = ownTool(tool);
  return own.ok ? own.behaviour : silent;
}
