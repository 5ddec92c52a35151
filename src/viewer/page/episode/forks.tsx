/** Where an episode was forked from, and what was forked from it: each with what was another, how it ended, and the two side by side. */
import type { EpisodePage, ForkCard } from '../../contract.ts';
import { enclosed } from '../enclosed.ts';
import { plural } from '../format.ts';
import { OutcomeBadge, RewardBadge, StateBadge } from '../kit/badge.tsx';
import { to } from '../router.ts';

/** Shown without being asked for. */
const shown = 3;

export function Origin({ page: { run, id, parent } }: { readonly page: EpisodePage }) {
  if (parent === null) return null;
  return (
    <p class="muted">
      Played anew from turn {parent.turn} of{' '}
      <a href={to.episode(parent.run, parent.episode, { turn: parent.turn })}>
        {parent.episode} of {parent.run}
      </a>
      , <a href={to.compare(parent.run, run, { ea: parent.episode, eb: id })}>side by side</a>
    </p>
  );
}

export function Forks({ page }: { readonly page: EpisodePage }) {
  const { forks } = page;
  // A file holds one episode and none of its forks.
  if (forks.length === 0 || enclosed !== null) return null;
  return (
    <section class="forks" aria-label="forks of this episode">
      <ForkList page={page} forks={forks.slice(0, shown)} />
      {forks.length <= shown ? null : (
        <details>
          <summary>{plural(forks.length - shown, 'earlier fork')}</summary>
          <ForkList page={page} forks={forks.slice(shown)} />
        </details>
      )}
    </section>
  );
}

function ForkList({ page, forks }: { readonly page: EpisodePage; readonly forks: readonly ForkCard[] }) {
  return (
    <ul>
      {forks.map(({ run, turn, state, changed, end }) => {
        const differences = [
          ...(end === null || end.version === null || end.version === page.version
            ? []
            : [`policy v${page.version ?? '–'} → v${end.version}`]),
          ...changed,
        ];
        return (
          <li key={run} class="fork-line">
            <span class="muted">fork from turn {turn}</span>
            <a href={to.episode(run, page.id, { turn })}>{run}</a>
            {end === null ? (
              <StateBadge state={state} />
            ) : (
              <>
                <RewardBadge reward={end.reward} />
                {end.outcome === 'scored' ? null : <OutcomeBadge outcome={end.outcome} />}
                <span class="muted">{plural(end.turns, 'turn')}</span>
              </>
            )}
            <span class="fork-changes muted">{differences.length === 0 ? 'nothing else changed' : differences.join(' · ')}</span>
            {end === null ? null : <a href={to.compare(page.run, run, { ea: page.id, eb: page.id })}>side by side</a>}
          </li>
        );
      })}
    </ul>
  );
}
