/** How both runs stand, figure by figure. */
import type { RunPage } from '../../contract.ts';
import { figure, percent, reward, whole } from '../format.ts';
import { StateBadge } from '../kit/badge.tsx';
import { type Column, Table } from '../kit/table.tsx';
import { to } from '../router.ts';

export function RunHeads({ a, b }: { readonly a: RunPage; readonly b: RunPage }) {
  const columns: readonly Column<{ readonly side: string; readonly page: RunPage }>[] = [
    { key: 'side', title: <span class="unseen">side</span>, cell: ({ side }) => <Mark side={side} /> },
    { key: 'run', title: 'Run', cell: ({ page }) => <a href={to.run(page.run)}>{page.run}</a> },
    { key: 'state', title: 'State', cell: ({ page }) => <StateBadge state={page.state} /> },
    { key: 'steps', title: 'Steps', right: true, cell: ({ page }) => whole(page.steps) },
    { key: 'D', title: 'Difficulty D', right: true, cell: ({ page }) => figure(page.difficulty) },
    { key: 'success', title: 'Success of the last step', right: true, cell: ({ page }) => percent(page.success) },
    { key: 'reward', title: 'Mean reward', right: true, cell: ({ page }) => reward(page.meanReward) },
    { key: 'seed', title: 'Seed', right: true, cell: ({ page }) => JSON.stringify(page.config['seed'] ?? null) },
    { key: 'trouble', title: 'Record', cell: ({ page }) => page.trouble ?? <span class="muted">whole</span> },
  ];
  return (
    <section class="panel">
      <Table
        caption="both runs"
        columns={columns}
        rows={[
          { side: 'a', page: a },
          { side: 'b', page: b },
        ]}
        keyOf={({ side }) => side}
      />
    </section>
  );
}

/** Which of the two: a letter in the colour of its lines. */
export function Mark({ side }: { readonly side: string }) {
  return (
    <span class="side-mark" data-side={side}>
      {side.toUpperCase()}
    </span>
  );
}
