/** What a test file promises: its titles, read from its text. A document that names a test is held to them. */

/** The first argument of test, it and describe, their `each` forms included (the call after a closing bracket). */
export function titlesOf(source: string): Set<string> {
  const literal = /(?:\b(?:test|it|describe)(?:\.\w+)*|\))\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)\s*,/gm;
  return new Set(
    [...source.matchAll(literal)].map(([, single, double, back]) => (single ?? double ?? back ?? '').replaceAll(/\\(.)/g, '$1')),
  );
}
