/**
 * What became of every member of a step, by reason and by length decile, and whether the losses are so many that the run must pause. Knows counts only.
 * Why by length: dropping slow or long episodes biases the policy to short ones in silence (rules L6, L8); a biased drop shows as uneven deciles.
 */

export interface Fate {
  /** `trained`, `zeroVariance`, `outOfBand`, `nothingSampled`, `tooFewScored`, `simulatorFault.tool`, `missing.EngineFault`, … */
  readonly fate: string;
  /** Tokens read and sampled; null for a member that left no episode. */
  readonly length: number | null;
}

export interface Census {
  readonly members: number;
  readonly fates: Readonly<Record<string, number>>;
  /** Lost members (`lost`) and all members (`members`) in each tenth of the step's lengths, shortest first; members without an episode are in none. */
  readonly deciles: readonly { readonly members: number; readonly lost: number; readonly upTo: number }[];
}

/** Fates that are no loss: the member was judged. Everything else is a member that a failure of ours kept from voting. */
const judged = new Set(['trained', 'zeroVariance', 'outOfBand', 'nothingSampled', 'tooFewScored']);
export const isLoss = (fate: string): boolean => !judged.has(fate);

export function censusOf(fates: readonly Fate[]): Census {
  const counts: Record<string, number> = {};
  for (const { fate } of fates) counts[fate] = (counts[fate] ?? 0) + 1;
  const sized = fates.filter((fate) => fate.length !== null).sort((a, b) => (a.length as number) - (b.length as number));
  const deciles = Array.from({ length: 10 }, (_, d) => {
    const tenth = sized.slice(Math.floor((d * sized.length) / 10), Math.floor(((d + 1) * sized.length) / 10));
    return { members: tenth.length, lost: tenth.filter((fate) => isLoss(fate.fate)).length, upTo: tenth.at(-1)?.length ?? 0 };
  });
  return { members: fates.length, fates: counts, deciles };
}

export const lostMembers = (census: Census): number =>
  Object.entries(census.fates).reduce((sum, [fate, n]) => (isLoss(fate) ? sum + n : sum), 0);

export interface LossBound {
  /** Share of a step's members that may be lost. */
  readonly step: number;
  /** Share that may be lost over the last `steps` steps. */
  readonly window: number;
  readonly steps: number;
}

/** Source: research on why RL runs go wrong in silence; the window is what a steady bias needs to show, the step bound catches an outage. */
export const lossBound: LossBound = { step: 0.5, window: 0.1, steps: 20 };

/** Why the run must pause, or null. `history` is oldest first and ends with the step just taken; the window counts only once it is full. */
export function pauseReason(history: readonly Census[], bound: LossBound): string | null {
  const last = history.at(-1);
  if (last === undefined) return null;
  const share = (steps: readonly Census[]): number =>
    steps.reduce((sum, census) => sum + lostMembers(census), 0) /
    Math.max(
      1,
      steps.reduce((sum, census) => sum + census.members, 0),
    );
  const explain = (steps: readonly Census[], limit: number, span: string): string =>
    `${(100 * share(steps)).toFixed(1)} % of the episodes of ${span} were lost, more than the bound of ${(100 * limit).toFixed(1)} %: ${reasons(steps)}`;
  if (share([last]) > bound.step) return explain([last], bound.step, 'the last step');
  const window = history.slice(-bound.steps);
  if (window.length === bound.steps && share(window) > bound.window) return explain(window, bound.window, `the last ${bound.steps} steps`);
  return null;
}

function reasons(steps: readonly Census[]): string {
  const counts: Record<string, number> = {};
  for (const census of steps)
    for (const [fate, n] of Object.entries(census.fates)) if (isLoss(fate)) counts[fate] = (counts[fate] ?? 0) + n;
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([fate, n]) => `${fate} ${n}`)
    .join(', ');
}
