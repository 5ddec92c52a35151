/** What the configs of two runs differ in; what they share is left out. */
import { useMemo } from 'preact/hooks';
import type { RunPage } from '../../contract.ts';
import { plural } from '../format.ts';
import { Panel } from '../kit/panel.tsx';
import { type Column, Table } from '../kit/table.tsx';
import { configDifferences, type Difference } from './differences.ts';
import { Mark } from './run-heads.tsx';

const value = (text: string | null) =>
  text === null ? (
    <span class="muted">not there</span>
  ) : (
    <code class="one-line value" title={text.slice(0, 2000)}>
      {text.length > 400 ? `${text.slice(0, 400)}…` : text}
    </code>
  );

const columns: readonly Column<Difference>[] = [
  { key: 'key', title: 'Key', cell: ({ key }) => <code>{key}</code> },
  { key: 'a', title: <Mark side="a" />, cell: ({ a }) => value(a) },
  { key: 'b', title: <Mark side="b" />, cell: ({ b }) => value(b) },
];

export function ConfigTable({ a, b }: { readonly a: RunPage; readonly b: RunPage }) {
  const differences = useMemo(() => configDifferences(a.config, b.config), [a, b]);
  return (
    <Panel title="Config" side={<span class="muted">{plural(differences.length, 'difference')}</span>} flush>
      {differences.length === 0 ? (
        <p class="inside muted">The configs are equal.</p>
      ) : (
        <Table caption="keys in which the configs differ" columns={columns} rows={differences} keyOf={({ key }) => key} />
      )}
    </Panel>
  );
}
