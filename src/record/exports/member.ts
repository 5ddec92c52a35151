/** What every export of episodes is made of: one episode with its group, and what learning made of it. Knows no format. */
import type { Episode } from '../../protocol/episode.ts';
import type { RolloutGroup } from '../../protocol/group.ts';
import type { PolicyVersion } from '../../protocol/ids.ts';
import type { TokenSignals } from '../../protocol/signals.ts';

export interface Member {
  readonly run: string;
  readonly group: RolloutGroup;
  readonly episode: Episode;
  /** null where nothing was learnt from it. */
  readonly advantage: number | null;
  /** What the trainer made of its tokens, one a trace, and with which weights; null where it was not trained, or the record does not know. */
  readonly seen: { readonly version: PolicyVersion; readonly signals: readonly (TokenSignals | null)[] } | null;
}
