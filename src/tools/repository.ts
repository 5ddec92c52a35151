/** A list of tools ready to be drawn from: indexed by category, split into train and held out. Knows no file format and no task. */
import { TaskFault } from '../errors.ts';
import type { ToolSpec } from '../protocol/tool.ts';
import { type Stream, seedOf, uniform } from '../random.ts';

export type { Rejection } from './sieve.ts';

export type Split = 'train' | 'heldOut';

export interface Repository {
  readonly tools: readonly ToolSpec[];
  /** category → its tools, in the order of the list, for each split. */
  readonly categories: { readonly [split in Split]: ReadonlyMap<string, readonly ToolSpec[]> };
}

export interface SplitRule {
  /** Categories that are held out whole. */
  readonly categories?: ReadonlySet<string>;
  /** Where no categories are named: the share of tools held out, by a hash of category, name and description, so that adding tools moves none. */
  readonly share?: number;
}

/** Indexes tools by category and split. Where no categories are named, two tools or more always give both splits one. */
export function repositoryOf(tools: readonly ToolSpec[], { categories, share = 0.25 }: SplitRule = {}): Repository {
  const index: Record<Split, Map<string, ToolSpec[]>> = { train: new Map(), heldOut: new Map() };
  const chances = tools.map(({ category, name, description }) => uniform(seedOf('held-out', category, name, description), 0));
  const ranked = [...chances].sort((a, b) => a - b);
  const lowest = ranked[0] ?? 0;
  const highest = ranked.at(-1) ?? 1;
  for (const [place, tool] of tools.entries()) {
    const chance = chances[place] as number;
    const drawn = share > 0 && tools.length > 1 && chance < highest && (chance < share || chance === lowest);
    const split = index[(categories?.has(tool.category) ?? drawn) ? 'heldOut' : 'train'];
    const list = split.get(tool.category);
    if (list === undefined) split.set(tool.category, [tool]);
    else list.push(tool);
  }
  return { tools, categories: index };
}

/**
 * `count` tools of one split: all of one category first, then of others, so that a small list holds look-alikes before it holds strangers.
 * The category is drawn by how many tools it has. Fewer come back where the split has fewer; the order is random.
 * Throws TaskFault for a split without tools.
 */
export function subset(repository: Repository, count: number, draws: Stream, split: Split): ToolSpec[] {
  const categories = repository.categories[split];
  if (categories.size === 0) throw new TaskFault(`no tool of the ${repository.tools.length} belongs to the split ${split}`);
  const sizes = [...categories.values()].map((list) => list.length);
  let at = draws.int(sizes.reduce((sum, size) => sum + size, 0));
  const home = sizes.findIndex((size) => (at -= size) < 0);
  const lists = [...categories.values()];
  const chosen = draws.sample(lists[home] ?? [], count);
  const others = lists.filter((_, index) => index !== home);
  const left = count - chosen.length;
  if (left > 0) chosen.push(...pickFrom(others, left, draws));
  return draws.shuffle(chosen);
}

/** Different tools, without shuffling a list of thousands for a handful. */
function pickFrom(lists: readonly (readonly ToolSpec[])[], count: number, draws: Stream): ToolSpec[] {
  const total = lists.reduce((sum, list) => sum + list.length, 0);
  if (total <= count * 4) return draws.sample(lists.flat(), count);
  const picked = new Set<ToolSpec>();
  while (picked.size < count) {
    let at = draws.int(total);
    const list = lists.find((candidates) => (at -= candidates.length) < 0) as readonly ToolSpec[];
    picked.add(list[at + list.length] as ToolSpec);
  }
  return [...picked];
}
