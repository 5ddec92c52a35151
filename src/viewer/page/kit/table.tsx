/** A table of few rows, all of them in the document. For many rows see the episode table, which shows a window. */
import type { ComponentChildren } from 'preact';

export interface Column<T> {
  readonly key: string;
  readonly title: ComponentChildren;
  readonly right?: boolean;
  readonly cell: (row: T) => ComponentChildren;
}

interface TableProps<T> {
  /** Says what the table holds; read aloud, shown where `captioned`. */
  readonly caption: string;
  readonly captioned?: boolean;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  readonly selected?: string | null;
}

export function Table<T>({ caption, captioned = false, columns, rows, keyOf, selected = null }: TableProps<T>) {
  return (
    <div class="table-box" role="region" aria-label={caption} tabIndex={0}>
      <table class="table">
        <caption class={captioned ? undefined : 'unseen'}>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" class={column.right === true ? 'right' : undefined}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} aria-selected={selected === null ? undefined : selected === keyOf(row)}>
              {columns.map((column) => (
                <td key={column.key} class={column.right === true ? 'right' : undefined}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
