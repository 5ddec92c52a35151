/** How the simulated roles answered, added up over the steps. Reads rows of metrics.jsonl as they are; knows no component. */
import type { JsonObject } from '../../../protocol/json.ts';

export interface RoleHealth {
  /** `task`, `user`, `tool`, `judge`; or the name of a tool. */
  readonly name: string;
  readonly asks: number;
  readonly calls: number;
  readonly spared: number;
  readonly repaired: number;
  readonly masked: number;
  readonly promptTokens: number;
  readonly replyTokens: number;
  /** Refused answers by what was wrong with them, most first. */
  readonly defects: readonly (readonly [defect: string, count: number])[];
}

export interface Health {
  readonly roles: readonly RoleHealth[];
  readonly tools: readonly RoleHealth[];
  readonly audit: { readonly episodes: number; readonly fidelity: number; readonly refused: number } | null;
  readonly votes: { readonly cast: number; readonly disputed: number } | null;
}

const object = (value: unknown): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
const count = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** Whether its config gives a role to a model. */
export const playedByModels = (config: JsonObject): boolean => Object.values(object(config['roles'])).includes('lm');

/** Null where code played all roles, or no step is committed. */
export function healthOf(metrics: readonly JsonObject[]): Health | null {
  const parts = metrics.flatMap((row) => (row['simulators'] === undefined ? [] : [object(row['simulators'])]));
  if (parts.length === 0) return null;
  const sum = (key: string, of: string): number => parts.reduce((total, part) => total + count(object(part[key])[of]), 0);
  return {
    roles: talliesOf(parts.map((part) => object(part['roles']))),
    tools: talliesOf(parts.map((part) => object(part['tools']))).sort(
      (a, b) => b.masked - a.masked || refusals(b) - refusals(a) || b.asks - a.asks,
    ),
    audit: parts.some((part) => part['audit'] !== undefined)
      ? { episodes: sum('audit', 'episodes'), fidelity: sum('audit', 'fidelity'), refused: sum('audit', 'refused') }
      : null,
    votes: parts.some((part) => part['votes'] !== undefined) ? { cast: sum('votes', 'cast'), disputed: sum('votes', 'disputed') } : null,
  };
}

export const refusals = ({ defects }: RoleHealth): number => defects.reduce((sum, [, n]) => sum + n, 0);

/** Share of prompts whose answer was refused for this. */
export const defectRate = (role: RoleHealth, defect: string): number | null =>
  role.calls === 0 ? null : (role.defects.find(([name]) => name === defect)?.[1] ?? 0) / role.calls;

function talliesOf(parts: readonly JsonObject[]): RoleHealth[] {
  const names = [...new Set(parts.flatMap((part) => Object.keys(part)))];
  return names.map((name) => {
    const tallies = parts.map((part) => object(part[name]));
    const sum = (key: string): number => tallies.reduce((total, tally) => total + count(tally[key]), 0);
    const defects = new Map<string, number>();
    for (const tally of tallies)
      for (const [defect, n] of Object.entries(object(tally['defects']))) defects.set(defect, (defects.get(defect) ?? 0) + count(n));
    return {
      name,
      asks: sum('asks'),
      calls: sum('calls'),
      spared: sum('spared'),
      repaired: sum('repaired'),
      masked: sum('masked'),
      promptTokens: sum('promptTokens'),
      replyTokens: sum('replyTokens'),
      defects: [...defects].filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]),
    };
  });
}

/** What became of the members of all steps, most first. */
export function fatesOf(metrics: readonly JsonObject[]): { readonly fate: string; readonly count: number; readonly share: number }[] {
  const fates = new Map<string, number>();
  for (const row of metrics)
    for (const [fate, n] of Object.entries(object(row['fates']))) fates.set(fate, (fates.get(fate) ?? 0) + count(n));
  const all = [...fates.values()].reduce((sum, n) => sum + n, 0);
  return [...fates].map(([fate, n]) => ({ fate, count: n, share: all === 0 ? 0 : n / all })).sort((a, b) => b.count - a.count);
}

/** Losses by tenth of the lengths, shortest first: uneven ones bias the policy in silence. */
export function lossByLength(metrics: readonly JsonObject[]): { readonly members: number; readonly lost: number }[] {
  const tenths = Array.from({ length: 10 }, () => ({ members: 0, lost: 0 }));
  for (const row of metrics) {
    const deciles = Array.isArray(row['deciles']) ? row['deciles'] : [];
    deciles.slice(0, 10).forEach((decile, i) => {
      const tenth = tenths[i] ?? { members: 0, lost: 0 };
      tenth.members += count(object(decile)['members']);
      tenth.lost += count(object(decile)['lost']);
    });
  }
  return tenths;
}
