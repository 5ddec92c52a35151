/** A fork as it is being put together: what was typed, and the request it makes. Draws nothing. */
import type { EpisodePage, ForkChoices, ForkRequest } from '../../contract.ts';

export interface Draft {
  readonly from: string;
  /** '' = as it was. */
  readonly seed: string;
  readonly version: number | null;
  readonly players: Readonly<Record<string, 'procedural' | 'lm'>>;
  /** In the order in which they were added. */
  readonly settings: readonly { readonly key: string; readonly value: string }[];
}

/** As it was; of versions that are gone, the newest that is there. */
export function draftOf({ turns, version }: EpisodePage, choices: ForkChoices, turn: number): Draft {
  return {
    from: String(Math.min(turn, Math.max(0, turns.length - 1))),
    seed: '',
    version: version !== null && choices.versions.includes(version) ? version : (choices.versions.at(-1) ?? null),
    players: Object.fromEntries(choices.roles.map(({ role, now }) => [role, now])),
    settings: [],
  };
}

const numberIn = (text: string): number | undefined | null =>
  text.trim() === '' ? undefined : /^\d{1,15}$/.test(text.trim()) ? Number(text) : null;

/** Null where something that was typed is no whole number, or a setting has no value. */
export function requestOf({ run, id, turns, version }: EpisodePage, choices: ForkChoices, draft: Draft): ForkRequest | null {
  const [turn, seed] = [numberIn(draft.from), numberIn(draft.seed)];
  if (turn === null || turn === undefined || turn > turns.length || seed === null) return null;
  if (draft.settings.some(({ value }) => value.trim() === '')) return null;
  const set = [
    ...choices.roles.flatMap(({ role, now }) => (draft.players[role] === now ? [] : [`roles.${role}=${draft.players[role]}`])),
    ...draft.settings.map(({ key, value }) => `${key}=${value.trim()}`),
  ];
  return {
    run,
    episode: id,
    turn,
    ...(seed === undefined ? {} : { seed }),
    ...(draft.version === null || draft.version === version ? {} : { version: draft.version }),
    ...(set.length === 0 ? {} : { set }),
  };
}
