/** What every export of episodes is made of: one episode with its group, and what learning made of it. Knows no format. */
import type { Episode } from '../../protocol/episode.ts';
import type { RolloutGroup } from '../../protocol/group.ts';

export interface Member {
  readonly run: string;
  readonly group: RolloutGroup;
  readonly episode: Episode;
  /** null where nothing was learnt from it. */
  readonly advantage: number | null;
}
