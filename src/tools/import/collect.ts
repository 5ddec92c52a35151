/** Passes candidates through the sieve and counts: what was kept, and why the rest was not. Knows no format and writes nothing itself. */
import type { ToolSpec } from '../../protocol/tool.ts';
import { gapsOf, type Lack } from '../gaps.ts';
import { type Rejection, Sieve } from '../sieve.ts';
import { complaintOfForm, complaintOfSchema } from './json-schema/compile.ts';
import type { Candidates } from './source.ts';

export interface ImportReport {
  /** Files or servers read. */
  readonly sources: number;
  readonly usable: number;
  readonly rejected: readonly Rejection[];
  /** Category → usable tools of it. */
  readonly categories: ReadonlyMap<string, number>;
  readonly effects: Readonly<Record<ToolSpec['effects'], number>>;
  /** What the usable tools do not say, and how many of them. */
  readonly lacks: Readonly<Record<Lack, number>>;
  /** What was left out of schemas → in how many tools. */
  readonly cuts: ReadonlyMap<string, number>;
}

/** `keep` is called for each usable tool, in order; nothing else holds on to it. Its parameters have been compiled by ajv, what it returns has been held to draft 7. */
export async function collect(
  candidates: AsyncIterable<Candidates> | Iterable<Candidates>,
  keep: (tool: ToolSpec) => void,
): Promise<ImportReport> {
  const sieve = new Sieve({ parameters: complaintOfSchema, returns: complaintOfForm });
  const rejections: Rejection[] = [];
  const categories = new Map<string, number>();
  const cuts = new Map<string, number>();
  const effects = { read: 0, write: 0, unknown: 0 };
  const lacks = { description: 0, returns: 0, effects: 0 };
  let sources = 0;
  let usable = 0;
  for await (const from of candidates) {
    sources++;
    const sorted = sieve.sort(from.tools);
    for (const rejection of [from.rejected, sorted.rejected].flat()) rejections.push(rejection);
    for (const cut of from.cuts) count(cuts, cut);
    for (const { lacks: missing } of gapsOf(sorted.usable)) for (const lack of missing) lacks[lack]++;
    for (const tool of sorted.usable) {
      usable++;
      effects[tool.effects]++;
      count(categories, tool.category);
      keep(tool);
    }
  }
  return { sources, usable, rejected: rejections, categories, effects, lacks, cuts };
}

const count = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
