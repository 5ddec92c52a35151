/** What became of the episodes, and how well the simulated roles answered. */
import type { RunPage } from '../../contract.ts';
import { percent, plural, whole } from '../format.ts';
import { glossary } from '../glossary.ts';
import { Badge } from '../kit/badge.tsx';
import { Panel } from '../kit/panel.tsx';
import { Stat, Stats } from '../kit/stat.tsx';
import { type Column, Table } from '../kit/table.tsx';
import { to } from '../router.ts';
import { defectRate, fatesOf, type Health, healthOf, lossByLength, playedByModels, refusals, type RoleHealth } from './simulators.ts';

/** Ends that are no loss: the member was judged. Source: learning/census.ts. */
const judged: Readonly<Record<string, string>> = {
  trained: 'trained on',
  zeroVariance: 'all of the group had one reward: no gradient',
  outOfBand: 'left out by its ratios',
  nothingSampled: 'nothing of it was sampled',
  tooFewScored: 'too few of its group were scored',
};

export function Fates({ page }: { readonly page: RunPage }) {
  const fates = fatesOf(page.metrics);
  const tenths = lossByLength(page.metrics);
  if (fates.length === 0) return <p class="muted">No step is committed yet.</p>;
  const lost = tenths.some((tenth) => tenth.lost > 0);
  return (
    <div class="fates">
      <ul>
        {fates.map(({ fate, count, share }) => (
          <li key={fate} title={judged[fate] ?? 'lost: a failure of the environment, never a reward'}>
            <span class="fate">
              <a
                class={judged[fate] === undefined ? 'lost' : undefined}
                href={to.run(page.run, { tab: 'episodes', filter: `fate==${JSON.stringify(fate)}` })}
              >
                {judged[fate] === undefined ? `! ${fate}` : fate}
              </a>
              <span class="number">
                {whole(count)} <span class="muted">{percent(share)}</span>
              </span>
            </span>
            <span class="bar" data-lost={judged[fate] === undefined} style={{ width: `${Math.max(0.5, share * 100)}%` }} />
          </li>
        ))}
      </ul>
      <p class="muted">
        {lost
          ? `Lost by length, shortest tenth to longest: ${tenths.map(({ members, lost: n }) => percent(members === 0 ? 0 : n / members)).join(', ')}.`
          : 'No member was lost to a failure.'}
      </p>
    </div>
  );
}

export function Simulators({ page }: { readonly page: RunPage }) {
  const health = healthOf(page.metrics);
  if (health === null)
    return (
      <Panel title="Simulators">
        <p class="muted">
          {playedByModels(page.config)
            ? 'No step is committed yet: how the simulated roles answer is counted with each step.'
            : 'Code plays task writer, user, tools and judge in this run: there is no model whose answers could be counted.'}
        </p>
      </Panel>
    );
  return (
    <>
      <Panel title="Roles" flush>
        <Tallies caption="How each simulated role answered, over all steps" rows={health.roles} who="Role" />
      </Panel>
      <Audits health={health} />
      {health.tools.length === 0 ? null : (
        <Panel title={`Tools (${health.tools.length})`} flush>
          <Tallies caption="How each simulated tool answered, worst first" rows={health.tools} who="Tool" />
        </Panel>
      )}
    </>
  );
}

function Audits({ health: { audit, votes } }: { readonly health: Health }) {
  if (audit === null && votes === null) return null;
  return (
    <Panel title="Audit">
      <Stats>
        {audit === null ? null : (
          <>
            <Stat label="mean fidelity" term="fidelity" hint={`of ${plural(audit.episodes, 'episode')}`}>
              {percent(audit.episodes === 0 ? null : audit.fidelity / audit.episodes)}
            </Stat>
            <Stat label="refused as unfaithful">{whole(audit.refused)}</Stat>
          </>
        )}
        {votes === null ? null : (
          <Stat label="criteria the judge’s votes disputed" hint={`of ${plural(votes.cast, 'vote')}`}>
            {whole(votes.disputed)}
          </Stat>
        )}
      </Stats>
    </Panel>
  );
}

const rate = (share: number | null) => {
  if (share === null) return <span class="muted">–</span>;
  if (share === 0) return <span class="muted">0 %</span>;
  return share > 0.1 ? (
    <Badge tone="bad" mark="!">
      {percent(share)}
    </Badge>
  ) : (
    percent(share)
  );
};

const asked = ({ asks, spared }: RoleHealth): number => Math.max(0, asks - spared);
const share = (part: number, of: number): number | null => (of === 0 ? null : part / of);

const columnsOf = (who: string): readonly Column<RoleHealth>[] => [
  { key: 'name', title: who, cell: ({ name }) => <strong class="one-line">{name}</strong> },
  { key: 'asks', title: 'Questions', right: true, cell: ({ asks }) => whole(asks) },
  { key: 'spared', title: 'Answered without a model', right: true, cell: ({ spared, asks }) => percent(share(spared, asks)) },
  { key: 'calls', title: 'Prompts', right: true, cell: ({ calls }) => whole(calls) },
  {
    key: 'malformed',
    title: <span title={glossary.malformed}>Malformed</span>,
    right: true,
    cell: (role) => rate(defectRate(role, 'malformed')),
  },
  {
    key: 'inconsistent',
    title: <span title={glossary.inconsistent}>Inconsistent</span>,
    right: true,
    cell: (role) => rate(defectRate(role, 'inconsistent')),
  },
  {
    key: 'other',
    title: 'Other refusals',
    cell: (role) => {
      const others = role.defects.filter(([name]) => name !== 'malformed' && name !== 'inconsistent');
      return others.length === 0 ? <span class="muted">–</span> : others.map(([name, n]) => `${name} ${n}`).join(', ');
    },
  },
  {
    key: 'repaired',
    title: <span title={glossary.repaired}>Repaired</span>,
    right: true,
    cell: (role) => (refusals(role) === 0 ? <span class="muted">–</span> : percent(share(role.repaired, asked(role)))),
  },
  {
    key: 'masked',
    title: <span title={glossary.masked}>Given up</span>,
    right: true,
    cell: (role) => rate(share(role.masked, asked(role))),
  },
  {
    key: 'tokens',
    title: 'Tokens read / written',
    right: true,
    cell: ({ promptTokens, replyTokens }) => `${whole(promptTokens)} / ${whole(replyTokens)}`,
  },
];

function Tallies({ caption, rows, who }: { readonly caption: string; readonly rows: readonly RoleHealth[]; readonly who: string }) {
  return <Table caption={caption} columns={columnsOf(who)} rows={rows} keyOf={({ name }) => name} />;
}
