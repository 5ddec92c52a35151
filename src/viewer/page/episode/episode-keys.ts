/** The keys of the page of an episode: turns, events, members of the group, failed ones, tabs. Knows what each does, not how anything looks. */
import { useRef } from 'preact/hooks';
import type { EpisodeList, EpisodePage } from '../../contract.ts';
import { ask, troubleOf } from '../api.ts';
import { useKeys } from '../keys.ts';
import { navigate, query, setQuery } from '../navigation.ts';
import { to, withQuery } from '../router.ts';
import { say } from '../toast.tsx';
import { failedNeighbour, type RowAt } from './failed.ts';
import type { Player } from './player.ts';
import type { Selection } from './selection.ts';

interface KeyedEpisode {
  readonly page: EpisodePage;
  readonly selection: Selection;
  readonly player: Player;
  /** Names of the tabs, in the order of their numbers. */
  readonly tabs: readonly { readonly key: string; readonly title: string }[];
}

export function useEpisodeKeys({ page, selection, player, tabs }: KeyedEpisode): void {
  const { run, id, siblings, turns } = page;
  const asking = useRef(false);
  const kept = (): { tab: string | null } => ({ tab: query.peek().get('tab') });
  const sibling = (by: number): void => {
    const next = siblings[siblings.findIndex((other) => other.id === id) + by];
    if (next === undefined) say(by > 0 ? 'This is the last member of the group' : 'This is the first member of the group');
    else navigate(to.episode(run, next.id, kept()));
  };
  const goToFailed = async (direction: 1 | -1): Promise<void> => {
    try {
      const next = await failedNeighbour(failedRows(run), id, direction);
      if (next === null) say(direction === 1 ? 'No failed episode after this one' : 'No failed episode before this one');
      else navigate(to.episode(run, next, kept()));
    } catch (error) {
      say(troubleOf(error).message);
    }
  };
  const failed = (direction: 1 | -1): void => {
    if (asking.current) return;
    asking.current = true;
    void goToFailed(direction).finally(() => (asking.current = false));
  };
  useKeys('Episode', [
    { keys: 'j', what: 'next turn', act: () => selection.moveTurn(1) },
    { keys: 'k', what: 'previous turn', act: () => selection.moveTurn(-1) },
    { keys: 'J', what: 'next event', act: () => selection.moveEvent(1) },
    { keys: 'K', what: 'previous event', act: () => selection.moveEvent(-1) },
    { keys: 'p', what: 'play or stop', act: () => player.play(player.direction === 0 ? 1 : player.direction) },
    { keys: 'P', what: 'play backwards', act: () => player.play(-1) },
    { keys: 'g g', what: 'first turn', act: () => selection.pickTurn(0) },
    { keys: 'G', what: 'the end', act: () => selection.pickTurn(turns.length) },
    { keys: 'h', what: 'previous member of the group', act: () => sibling(-1) },
    { keys: 'l', what: 'next member of the group', act: () => sibling(1) },
    { keys: '[', what: 'previous failed episode', act: () => failed(-1) },
    { keys: ']', what: 'next failed episode', act: () => failed(1) },
    ...tabs.map(({ key, title }, i) => ({
      keys: String(i + 1),
      what: title.toLowerCase(),
      act: () => setQuery({ tab: i === 0 ? null : key }),
    })),
  ]);
}

/** Failed ones, in the language of the episode table. */
const failedFilter = 'reward<0';

const failedRows =
  (run: string): RowAt =>
  async (offset) => {
    const { total, rows } = await ask<EpisodeList>(
      withQuery(`/api${to.run(run)}/episodes`, { filter: failedFilter, sort: 'episode', offset, limit: 1 }),
    );
    return { total, episode: rows[0]?.episode ?? null };
  };
