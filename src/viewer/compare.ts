/** Two runs on the same tasks: what each made of them, paired. Knows rows of two indexes; how sure a difference is it is told. */
import type { ComparedTask, ComparePage, EpisodeRow, HeldOutPair } from './contract.ts';
import type { ViewerPorts } from './ports.ts';

/** Rows of a window at most. */
export const taskLimit = 500;

interface Side {
  readonly run: string;
  /** Share of its journal that was read. */
  readonly read: number;
  /** In the order in which their groups were sealed. */
  readonly rows: readonly EpisodeRow[];
}

/** Tasks differ first: what `offset` and `limit` show is sorted so that pairs of unequal rewards come before those that are alike. */
export function comparePage(
  a: Side,
  b: Side,
  { offset, limit }: { readonly offset: number; readonly limit: number },
  { gain }: Pick<ViewerPorts, 'gain'>,
): ComparePage {
  const pairs = pairsOf(a.rows, b.rows);
  const training = pairs.filter(({ split }) => split === 'train');
  return {
    a: a.run,
    b: b.run,
    ...(a.read < 1 || b.read < 1 ? { read: Math.min(a.read, b.read) } : {}),
    heldOut: heldOutOf(pairs, gain),
    tasks: {
      total: training.length,
      others: groupsOf(b.rows.filter(({ split }) => split === 'train')).size - training.length,
      rows: training.toSorted((x, y) => apart(y) - apart(x)).slice(offset, offset + limit),
    },
  };
}

/** A name that the same task has in every run: an evaluation's own carries the step at which it was held. */
const taskName = (group: string): string => group.replace(/^e\d+\.(before|after)\./, 'e.$1.');

function groupsOf(rows: readonly EpisodeRow[]): Map<string, EpisodeRow[]> {
  const groups = new Map<string, EpisodeRow[]>();
  for (const row of rows) {
    const name = taskName(row.group);
    const known = groups.get(name);
    // Resumed after its last step, a run is examined anew: what it was examined on last counts.
    if (known === undefined || known[0]?.group !== row.group) groups.set(name, [row]);
    else known.push(row);
  }
  return groups;
}

/** Groups of one name whose tasks ask for the same at the same difficulty. With other seeds, or once difficulties part, there are none. */
function pairsOf(a: readonly EpisodeRow[], b: readonly EpisodeRow[]): (ComparedTask & { readonly split: EpisodeRow['split'] })[] {
  const others = groupsOf(b);
  return [...groupsOf(a)].flatMap(([name, rows]) => {
    const row = rows[0];
    const other = others.get(name);
    const twin = other?.[0];
    if (row === undefined || other === undefined || twin === undefined) return [];
    if (row.query !== twin.query || row.D !== twin.D || row.branch !== twin.branch || row.split !== twin.split) return [];
    const { D, branch, query, step, split } = row;
    return [
      {
        a: { group: row.group, members: membersOf(rows) },
        b: { group: twin.group, members: membersOf(other) },
        D,
        branch,
        query,
        step,
        split,
      },
    ];
  });
}

const membersOf = (rows: readonly EpisodeRow[]): ComparedTask['a']['members'] =>
  rows.map(({ episode, member, reward }) => ({ episode, member, reward }));

/** Share of solved ones; null where one was not scored, so that a failure of the environment counts for neither run. */
function solved(members: ComparedTask['a']['members']): number | null {
  if (members.length === 0 || members.some(({ reward }) => reward === null)) return null;
  return members.filter(({ reward }) => reward === 1).length / members.length;
}

const mean = (members: ComparedTask['a']['members']): number => {
  const scored = members.flatMap(({ reward }) => (reward === null ? [] : [reward]));
  return scored.length === 0 ? 0 : scored.reduce((sum, reward) => sum + reward, 0) / scored.length;
};
const apart = (task: ComparedTask): number => Math.abs(mean(task.a.members) - mean(task.b.members));

/** By sitting (`before.greedy`, …) and difficulty, and over all difficulties of a sitting. */
function heldOutOf(pairs: readonly ComparedTask[], gain: ViewerPorts['gain']): HeldOutPair[] {
  const sittings = grouped(
    pairs.filter(({ a }) => a.group.startsWith('e')),
    ({ a }) => sittingOf(a.group),
  );
  return [...sittings].flatMap(([sitting, tasks]) => {
    const scored = tasks.flatMap(({ D, a, b }) => {
      const [before, after] = [solved(a.members), solved(b.members)];
      return before === null || after === null ? [] : [{ D, before, after }];
    });
    const levels = [...grouped(scored, ({ D }) => D)].toSorted(([x], [y]) => x - y);
    return [...levels, ...(levels.length > 1 ? [[null, scored] as const] : [])].map(([D, both]) => ({
      sitting,
      D,
      tasks: both.length,
      a: both.reduce((sum, { before }) => sum + before, 0) / both.length,
      b: both.reduce((sum, { after }) => sum + after, 0) / both.length,
      gain:
        both.length < 2
          ? null
          : gain(
              both.map(({ before }) => before),
              both.map(({ after }) => after),
            ),
    }));
  });
}

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [item]);
    else known.push(item);
  }
  return groups;
}

/** `e00006.after.greedy.heldOut.d005.t001` → `after, greedy`; of one held during training with its step. */
function sittingOf(group: string): string {
  const [step = '', when = '', how = ''] = group.split('.');
  return when === 'during' ? `${when} step ${Number(step.slice(1))}, ${how}` : `${when}, ${how}`;
}
