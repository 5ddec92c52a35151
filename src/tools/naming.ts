/** Names every model API accepts: letters, digits, `_` and `-`, at most 64, unique in their list. Knows names only. */

const longest = 64;

/** The name with everything else replaced by `_`; `tool` where nothing is left. */
export function validName(text: string): string {
  const name = text
    .slice(0, 400)
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, longest);
  return name === '' ? 'tool' : name;
}

/** Gives each name once, in the order asked: the second `search` is `search_2`. Remembers what it gave. */
export function naming(): (wished: string) => string {
  const taken = new Set<string>();
  /** Where counting goes on, so that the thousandth `search` does not count from two. */
  const next = new Map<string, number>();
  return (wished) => {
    const base = validName(wished);
    let name = base;
    let count = next.get(base) ?? 2;
    while (taken.has(name)) {
      name = `${base.slice(0, longest - 1 - String(count).length)}_${count}`;
      count++;
    }
    next.set(base, count);
    taken.add(name);
    return name;
  };
}
