/** Forks of an episode: what is another in their configs, and how their one episode ended. Knows configs and sealed groups; finding the runs is runs.ts's. */
import { unpack } from '../protocol/codec.ts';
import type { FrameOf } from '../protocol/frame.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import type { JsonObject, JsonValue } from '../protocol/json.ts';
import { outcomeName } from '../record/projections/episodes.ts';
import type { ForkEnd } from './contract.ts';

/** Named at most. */
const changesShown = 12;

/** Of every fork alike: it takes no step, and is not examined. */
const ofEveryFork = new Set(['steps', 'eval']);

/** `seed 0 → 9` for each value that a fork has another of than the run it comes from. `episode`: of which it is one. */
export function changesOf(parent: JsonObject, fork: JsonObject, episode: string): string[] {
  const before = new Map(leaves(asPlayed(parent, episode)));
  const changes = leaves(fork).flatMap(([key, value]) => {
    const was = before.get(key);
    return ofEveryFork.has(key.split('.')[0] ?? '') || was === value ? [] : [`${key} ${was ?? 'none'} → ${value}`];
  });
  return changes.slice(0, changesShown);
}

/** Code plays every role of an examination in a world whose truth is known. */
function asPlayed(config: JsonObject, episode: string): JsonObject {
  const examination = config['eval'] as JsonObject | undefined;
  if (!episode.startsWith('e') || examination?.['roles'] !== 'procedural') return config;
  return { ...config, roles: { task: 'procedural', user: 'procedural', tool: 'procedural', judge: 'procedural' } };
}

function leaves(value: JsonValue, key = ''): [string, string][] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [[key, JSON.stringify(value).replace(/^"(.*)"$/, '$1')]];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, key === '' ? name : `${key}.${name}`));
}

/** null where its group holds no such episode. */
export function endIn({ bytes }: Pick<FrameOf<'group.sealed'>, 'bytes'>, id: string): ForkEnd | null {
  const episode = (unpack(bytes) as RolloutGroup).episodes.find((one) => one.id === id);
  if (episode === undefined) return null;
  const { outcome, reward, turns, policy } = episode;
  return { outcome: outcomeName(outcome), reward, turns: turns.length, version: policy?.end ?? null };
}
