/** A list of tools ready to be drawn from: unique names, no duplicates, indexed by category, split into train and held out. Knows no file format and no task. */
import { TaskFault } from '../errors.ts';
import { canonical } from '../protocol/json.ts';
import { ToolSpec } from '../protocol/tool.ts';
import { type Stream, seedOf, uniform } from '../random.ts';
import { safeSchema } from './schema.ts';
import { uniqueNames } from './naming.ts';

/** A tool that cannot be used, and why. */
export interface Rejection {
  readonly name: string;
  readonly source: string;
  readonly reason: string;
}
export interface Sorted {
  readonly usable: readonly ToolSpec[];
  readonly rejected: readonly Rejection[];
}

export type Split = 'train' | 'heldOut';

export interface Repository {
  readonly tools: readonly ToolSpec[];
  /** category → its tools, in the order of the list, for each split. */
  readonly categories: { readonly [split in Split]: ReadonlyMap<string, readonly ToolSpec[]> };
}

/** Checks candidates one by one: schemas we can check against, valid and unique names, content not seen before. Order is kept. */
export function sortTools(candidates: readonly ToolSpec[]): Sorted {
  const usable: ToolSpec[] = [];
  const rejected: Rejection[] = [];
  const seen = new Map<string, string>();
  for (const [index, tool] of uniqueNames(candidates).entries()) {
    // The name as it came: two tools of one name and different content are two tools, with equal content they are one.
    const given = candidates[index]?.name ?? tool.name;
    const reject = (reason: string): void => void rejected.push({ name: given, source: tool.source, reason });
    const parameters = safeSchema(tool.parameters);
    if (!parameters.ok) {
      reject(parameters.reason);
      continue;
    }
    if (parameters.schema['type'] !== 'object') {
      reject('parameters are no object schema');
      continue;
    }
    const returns = tool.returns === undefined ? undefined : safeSchema(tool.returns);
    const { returns: _, ...bare } = tool;
    const safe = { ...bare, parameters: parameters.schema, ...(returns?.ok === true ? { returns: returns.schema } : {}) };
    const read = ToolSpec.safeParse(safe);
    if (!read.success) {
      reject(read.error.issues[0]?.message ?? 'not a tool');
      continue;
    }
    const content = canonical([given, safe.description, safe.parameters, safe.category]);
    const first = seen.get(content);
    if (first !== undefined) {
      reject('the same tool again');
      continue;
    }
    seen.set(content, safe.name);
    usable.push(safe);
  }
  return { usable, rejected };
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
