/** A page that is one file: the answers it needs lie in the document, and its address is what follows the file's `#`. Knows no view. */

export interface Enclosed {
  /** What the file holds, for people. */
  readonly title: string;
  /** The address it opens at. */
  readonly start: string;
  /** By the paths that a server would be asked. */
  readonly answers: Readonly<Record<string, unknown>>;
  /** Likewise: what a server would refuse, with its words. */
  readonly refusals: Readonly<Record<string, string>>;
}

/** Null where a server answers. */
export const enclosed: Enclosed | null = enclosedIn(document);

function enclosedIn({ scripts }: Document): Enclosed | null {
  const held = [...scripts].find(({ type }) => type === 'application/json');
  return held === undefined ? null : (JSON.parse(held.text) as Enclosed);
}

/** Path and query of what is shown; null where the file's `#` says something else. */
export function enclosedAddress({ start }: Enclosed): string | null {
  const hash = location.hash.slice(1);
  return hash === '' ? start : hash.startsWith('/') ? hash : null;
}
