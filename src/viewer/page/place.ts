/** Where the runs lie that the server shows, as a terminal would be told: asked for once. */
import { signal } from '@preact/signals';
import { ask } from './api.ts';
import { enclosed } from './enclosed.ts';

/** Null until it is known, and in a page that is one file. */
export const runsDir = signal<string | null>(null);

/** Call once. Commands that are copied before there is an answer, or without one, name no folder. */
export function askWhere(): void {
  if (enclosed !== null) return;
  void ask<{ readonly from?: unknown }>('/api/about').then(
    ({ from }) => (runsDir.value = typeof from === 'string' ? from : null),
    () => undefined,
  );
}
