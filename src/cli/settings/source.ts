/** One YAML (or JSON) file: its value, and where in the text each key stands. Knows no schema. */
import { readFileSync, statSync } from 'node:fs';
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { boundarySync, ConfigFault } from '../../errors.ts';

/** 5 MB: no experiment is longer, and a parser need not see what is. */
const sizeLimit = 5 * 1024 * 1024;
const aliasLimit = 100;

interface Place {
  /** 1-based. */
  readonly line: number;
  readonly column: number;
}

export interface Source {
  readonly file: string;
  /** An object; {} for an empty file. */
  readonly value: { readonly [key: string]: unknown };
  /** Of the key at the path, or of its nearest ancestor that is written; null for the whole. */
  placeOf(path: readonly PropertyKey[]): Place | null;
}

/** Throws ConfigFault with file:line:column. Custom tags, duplicate keys and alias bombs are refused. */
export function readSource(file: string): Source {
  const text = boundarySync(ConfigFault, `cannot read ${file}`, () => {
    const { size } = statSync(file);
    if (size > sizeLimit) throw new ConfigFault(`${file} is larger than 5 MB`);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  });
  return parseSource(text, file);
}

export function parseSource(text: string, file: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, schema: 'core', uniqueKeys: true, prettyErrors: false });
  // A tag nobody knows is only a warning to the parser; to us it is not plain data.
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new ConfigFault(`${file}:${line}:${col}: ${problem.message}`, { cause: problem });
  }
  const value: unknown = boundarySync(ConfigFault, file, () => document.toJS({ maxAliasCount: aliasLimit }));
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) throw new ConfigFault(`${file}:1:1: expected keys and values`);
  return {
    file,
    value: (value as { [key: string]: unknown } | null) ?? {},
    placeOf: (path) => {
      const offset = offsetOf(document.contents, path);
      if (offset === null) return null;
      const { line, col } = lines.linePos(offset);
      return { line, column: col };
    },
  };
}

function offsetOf(root: unknown, path: readonly PropertyKey[]): number | null {
  let node: unknown = root;
  let offset: number | null = null;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
      if (pair === undefined) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

const startOf = (node: unknown): number | null => (node as Node | null)?.range?.[0] ?? null;
