/** Names every model API accepts: letters, digits, `_` and `-`, at most 64, unique in their list. Knows names only. */
import type { ToolSpec } from '../protocol/tool.ts';

const longest = 64;

/** The name with everything else replaced by `_`; `tool` where nothing is left. */
export function validName(text: string): string {
  const name = text
    .normalize('NFKD')
    .slice(0, 400)
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, longest);
  return name === '' ? 'tool' : name;
}

/** The same tools under valid names, each once: the second `search` is `search_2`. */
export function uniqueNames(tools: readonly ToolSpec[]): ToolSpec[] {
  const taken = new Set<string>();
  return tools.map((tool) => {
    const base = validName(tool.name);
    let name = base;
    for (let count = 2; taken.has(name); count++) name = `${base.slice(0, longest - 1 - String(count).length)}_${count}`;
    taken.add(name);
    return name === tool.name ? tool : { ...tool, name };
  });
}
