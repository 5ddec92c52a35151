/** What learning made of each member of a group, in the words of the step's census. Knows the group's rewards; which of its tokens were packed it does not. */
import type { Episode } from '../../protocol/episode.ts';
import type { RolloutGroup } from '../../protocol/group.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { outcomeName, tokensOf } from './episodes.ts';

/** Shares of solved members between which a group is trained on. */
export interface Band {
  readonly low: number;
  readonly high: number;
}

/** Of a run's config; null where every share is good. */
export function bandOf(config: JsonObject | null): Band | null {
  const { solveRate } = (config?.['simulation'] ?? {}) as JsonObject;
  const { low, high } = (solveRate ?? {}) as JsonObject;
  return typeof low === 'number' && typeof high === 'number' ? { low, high } : null;
}

/** One word an episode, in their order. A held-out group is measured and never learnt from. */
export function fatesOf({ status, task, episodes }: RolloutGroup, band: Band | null): string[] {
  const scored = episodes.flatMap(({ reward }) => (reward === null ? [] : [reward]));
  const shared = task.split === 'heldOut' ? 'heldOut' : status === 'failed' ? 'tooFewScored' : sharedFate(scored, band);
  return episodes.map((episode) => (episode.reward === null ? outcomeName(episode.outcome) : (shared ?? ownFate(episode))));
}

function sharedFate(rewards: readonly number[], band: Band | null): string | null {
  if (rewards.length < 2) return 'tooFewScored';
  if (rewards.every((reward) => reward === rewards[0])) return 'zeroVariance';
  const solved = rewards.filter((reward) => reward === 1).length / rewards.length;
  return band !== null && (solved < band.low || solved > band.high) ? 'outOfBand' : null;
}

const ownFate = (episode: Episode): string => (tokensOf(episode).sampledTokens === 0 ? 'nothingSampled' : 'trained');
