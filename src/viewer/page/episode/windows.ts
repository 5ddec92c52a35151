/** Single events with all they carried: asked for in windows that neighbours share. Holds nothing itself. */
import type { EventWindow } from '../../contract.ts';
import { windowPath, windowSize } from '../../windowing.ts';
import { useAnswer } from '../api.ts';

export type SeenEvent = EventWindow['events'][number];

/** `episode`: the address of its API. −1 asks nothing. */
export function useEvent(episode: string, index: number): { readonly event: SeenEvent | undefined; readonly trouble: string | null } {
  const { value, trouble } = useAnswer<EventWindow>(index < 0 ? null : windowPath(episode, Math.floor(index / windowSize)));
  return { event: value?.events.find((event) => event.index === index), trouble: trouble?.message ?? null };
}
