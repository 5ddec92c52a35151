/** One step of a run: its figures, and its groups with what their members were given. */
import type { EpisodeList, EpisodeRow, RunPage } from '../../contract.ts';
import { useAnswer } from '../api.ts';
import { figure, plural, reward as rewardText, stepNumber } from '../format.ts';
import { Many } from '../chart/many.tsx';
import { RewardBadge } from '../kit/badge.tsx';
import { Code } from '../kit/code.tsx';
import { Icon } from '../kit/icon.tsx';
import { Awaited } from '../kit/empty.tsx';
import { Panel } from '../kit/panel.tsx';
import { query, setQuery } from '../navigation.ts';
import { to, withQuery } from '../router.ts';

/** Members of a step that are listed here; the table has them all. */
const listed = 1000;

export function Step({ page, step }: { readonly page: RunPage; readonly step: string }) {
  const filter = `step==${JSON.stringify(step)}`;
  const answer = useAnswer<EpisodeList>(withQuery(`/api${to.run(page.run)}/episodes`, { filter, limit: listed }));
  const isChart = query.value.get('show') === 'chart';
  const row = page.metrics.findLast((metrics) => metrics['step'] === step);
  return (
    <Panel
      title={`Step ${stepNumber(step)}`}
      side={
        <>
          <button
            type="button"
            class="button quiet"
            aria-pressed={isChart}
            title="Where the actors of all its episodes went"
            onClick={() => setQuery({ show: isChart ? null : 'chart' })}
          >
            Chart
          </button>
          <a class="button quiet" href={to.run(page.run, { tab: 'episodes', filter })}>
            As a table
          </a>
          <button type="button" class="button quiet" aria-label="Close the step" onClick={() => setQuery({ step: null })}>
            <Icon name="close" />
          </button>
        </>
      }
    >
      {isChart ? (
        <Many path={`/api${to.run(page.run)}/steps/${encodeURIComponent(step)}/heat`} />
      ) : (
        <Awaited answer={answer} lines={3}>
          {({ rows }) => <Groups run={page.run} rows={rows} />}
        </Awaited>
      )}
      {row === undefined ? null : (
        <details>
          <summary>Its row of metrics.jsonl</summary>
          <Code value={row} label={`figures of step ${stepNumber(step)}`} />
        </details>
      )}
    </Panel>
  );
}

function Groups({ run, rows }: { readonly run: string; readonly rows: readonly EpisodeRow[] }) {
  const groups = [...Map.groupBy(rows, ({ group }) => group)].sort(([a], [b]) => (a < b ? -1 : 1));
  if (groups.length === 0) return <p class="muted">No group of this step is in the record.</p>;
  return (
    <ul class="step-groups">
      {groups.map(([group, members]) => (
        <li key={group}>
          <a href={to.group(run, group)}>{group}</a>
          <span class="muted one-line">
            D {figure(members[0]?.D)} · {members[0]?.branch} · {members[0]?.query}
          </span>
          <span class="members">
            {members.map((member) => (
              <Member key={member.member} run={run} row={member} />
            ))}
          </span>
          <span class="muted" title={zeroVariance(members) ? 'all rewards are equal: no gradient' : undefined}>
            {zeroVariance(members) ? '= no gradient' : plural(members.length, 'member')}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Member({ run, row: { episode, member, reward } }: { readonly run: string; readonly row: EpisodeRow }) {
  if (episode === null) return <RewardBadge reward={null} />;
  return (
    <a href={to.episode(run, episode)} aria-label={`member ${member}, reward ${reward === null ? 'none' : rewardText(reward)}`}>
      <RewardBadge reward={reward} />
    </a>
  );
}

const zeroVariance = (members: readonly EpisodeRow[]): boolean => {
  const rewards = new Set(members.flatMap(({ reward }) => (reward === null ? [] : [reward])));
  return rewards.size === 1;
};
