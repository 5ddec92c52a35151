/** Several verdicts on one episode made into one: the majority on each criterion. Knows neither who voted nor why; who has not voted counts for nobody. */
import type { Verdict } from '../../protocol/outcome.ts';
import { rewardFor } from './gates.ts';

/** Votes that decide, of `of`: more than half, whether the others can be read or not. */
export const majorityOf = (of: number): number => Math.floor(of / 2) + 1;

/**
 * The verdict of these votes out of `of`; undefined while they do not decide. `closed`: no more will come, so a majority of readable votes is enough, and a tie is not met.
 * Gates are code's and equal in all.
 */
export function tallied(votes: readonly Verdict[], of: number, closed = false): Verdict | undefined {
  const [first] = votes;
  if (first === undefined || votes.length < majorityOf(of)) return undefined;
  const criteria: Verdict['criteria'] = [];
  for (const { name, required } of first.criteria) {
    const findings = votes.flatMap((vote) => vote.criteria.find((criterion) => criterion.name === name) ?? []);
    const yes = findings.filter(({ met }) => met).length;
    const no = findings.length - yes;
    if (!closed && Math.max(yes, no) < majorityOf(of)) return undefined;
    const met = yes > no;
    const evidence = findings.find((finding) => finding.met === met)?.evidence;
    criteria.push({ name, required, met, ...(evidence === undefined ? {} : { evidence }) });
  }
  return { reward: rewardFor(first.gates, criteria), gates: first.gates, criteria };
}

/** Criteria on which the votes are not of one mind. */
export const disputedIn = (votes: readonly Verdict[]): number =>
  (votes[0]?.criteria ?? []).filter(
    ({ name, met }) => !votes.every((vote) => vote.criteria.find((criterion) => criterion.name === name)?.met === met),
  ).length;
