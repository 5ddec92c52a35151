/** One run. */
import { useMemo } from 'preact/hooks';
import type { RunPage } from '../../contract.ts';
import { refresh, useAnswer } from '../api.ts';
import { StateBadge } from '../kit/badge.tsx';
import { Awaited } from '../kit/empty.tsx';
import { throttled, useLive } from '../live.ts';
import { to } from '../router.ts';

export function RunView({ run }: { readonly run: string }) {
  const path = `/api${to.run(run)}`;
  const answer = useAnswer<RunPage>(path);
  const changed = useMemo(() => throttled(1000, () => refresh(path)), [path]);
  useLive(run, changed);
  return (
    <div class="page">
      <Awaited answer={answer} lines={12}>
        {(page) => (
          <header class="page-head">
            <h1>{page.run}</h1>
            <StateBadge state={page.state} />
          </header>
        )}
      </Awaited>
    </div>
  );
}
