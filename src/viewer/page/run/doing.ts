/** What a running run is at, in words for people: from where its experiment's chart stands. Knows no component. */
import type { RunPage } from '../../contract.ts';

/** States of machines/experiment.ts that last. */
const words: Readonly<Record<string, string>> = {
  preparing: 'getting engine and trainer ready',
  evaluating: 'measuring success on held-out tools',
  drawing: 'drawing tasks',
  rolling: 'playing episodes',
  updating: 'updating the policy',
  publishing: 'handing the new policy to the sampler',
  pausing: 'resting',
  halting: 'coming to an end',
};

/** Null where it goes on no more, or nobody knows. */
export function doingOf({ state, actors = [] }: RunPage): string | null {
  if (state !== 'running') return null;
  const { value } = actors.find(({ machine }) => machine === 'experiment') ?? {};
  return typeof value === 'string' ? (words[value] ?? null) : null;
}
