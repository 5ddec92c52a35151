/** A run before its first step is committed: what it is at, and the episodes it has played meanwhile, newest first. */
import type { EpisodeList, RunPage } from '../../contract.ts';
import { useAnswer } from '../api.ts';
import { plural, shortId } from '../format.ts';
import { OutcomeBadge, RewardBadge } from '../kit/badge.tsx';
import { Empty } from '../kit/empty.tsx';
import { Panel } from '../kit/panel.tsx';
import { to, withQuery } from '../router.ts';
import { doingOf } from './doing.ts';

/** Of the newest. */
const shown = 8;

export function First({ page }: { readonly page: RunPage }) {
  const list = `/api${to.run(page.run)}/episodes`;
  const total = useAnswer<EpisodeList>(withQuery(list, { limit: 1 })).value?.total ?? 0;
  const from = Math.max(0, total - shown);
  const newest = useAnswer<EpisodeList>(total === 0 ? null : withQuery(list, { offset: from, limit: shown })).value?.rows ?? [];
  const doing = doingOf(page);
  return (
    <>
      <Empty sign="…" title={doing === null ? 'No step is committed' : `Before the first step: ${doing}`}>
        <p>
          {page.state === 'running'
            ? 'Curves begin with the first step. Everything played until then can be looked at already: '
            : 'It ended before its first step. What was played until then: '}
          <a href={to.run(page.run, { tab: 'episodes' })}>{plural(total, 'episode')}</a>, and{' '}
          <a href={to.run(page.run, { tab: 'actors' })}>its actors</a>.
        </p>
      </Empty>
      {newest.length === 0 ? null : (
        <Panel title="Last played" side={<a href={to.run(page.run, { tab: 'episodes' })}>all</a>} flush>
          <ul class="first-episodes">
            {newest.toReversed().map((row) => (
              <li key={row.episode ?? `${row.group} ${row.member}`}>
                <RewardBadge reward={row.reward} />
                <a
                  class="one-line"
                  href={row.episode === null ? to.group(page.run, row.group) : to.episode(page.run, row.episode)}
                  title={row.episode ?? row.group}
                >
                  {shortId(row.episode ?? row.group)}
                </a>
                <OutcomeBadge outcome={row.outcome} />
                <span class="muted one-line">{row.query}</span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}
