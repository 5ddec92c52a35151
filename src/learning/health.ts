/**
 * How well simulators answered, added up and as rates with intervals. Counts in, shares out; it knows neither who asked nor what was asked.
 *
 *   refused    = refused answers of one kind / prompts
 *   repaired   = questions answered rightly after a refused answer / questions put to a model
 *   masked     = questions nobody answered rightly                 / questions put to a model
 *
 * Questions that code or the group's knowledge answered are in no denominator: they would flatter the model. Intervals are Wilson's, 95 %.
 */
import { Defect, type Audit, type SimulatorHealth, type Tally } from '../protocol/health.ts';
import { SimulatorRole } from '../protocol/outcome.ts';
import { type Interval, successRate } from './evaluation.ts';

export const emptyTally: Tally = {
  asks: 0,
  calls: 0,
  spared: 0,
  defects: {},
  repaired: 0,
  masked: 0,
  promptTokens: 0,
  replyTokens: 0,
};

function addTallies(tallies: readonly Tally[]): Tally {
  const sum = { ...emptyTally, defects: {} as Tally['defects'] };
  for (const tally of tallies) {
    sum.asks += tally.asks;
    sum.calls += tally.calls;
    sum.spared += tally.spared;
    sum.repaired += tally.repaired;
    sum.masked += tally.masked;
    sum.promptTokens += tally.promptTokens;
    sum.replyTokens += tally.replyTokens;
    for (const defect of Defect.options) {
      const count = tally.defects[defect];
      if (count !== undefined) sum.defects[defect] = (sum.defects[defect] ?? 0) + count;
    }
  }
  return sum;
}

export function addAudits(audits: readonly Audit[]): Audit {
  const total = (of: (audit: Audit) => number): number => audits.reduce((sum, audit) => sum + of(audit), 0);
  return {
    episodes: total((audit) => audit.episodes),
    fidelity: total((audit) => audit.fidelity),
    contradictions: total((audit) => audit.contradictions),
    leaks: total((audit) => audit.leaks),
    prematureStops: total((audit) => audit.prematureStops),
    overstays: total((audit) => audit.overstays),
    overreaches: total((audit) => audit.overreaches),
    refused: total((audit) => audit.refused),
  };
}

/** Over groups, steps, or whatever was counted apart. Roles in their order, tools by name. */
export function addHealth(parts: readonly SimulatorHealth[]): SimulatorHealth {
  const roles: SimulatorHealth['roles'] = {};
  for (const role of SimulatorRole.options) {
    const own = parts.flatMap((part) => part.roles[role] ?? []);
    if (own.length > 0) roles[role] = addTallies(own);
  }
  const byTool = new Map<string, Tally[]>();
  for (const part of parts)
    for (const [tool, tally] of Object.entries(part.tools)) {
      const own = byTool.get(tool);
      if (own === undefined) byTool.set(tool, [tally]);
      else own.push(tally);
    }
  const tools = Object.fromEntries([...byTool].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([tool, own]) => [tool, addTallies(own)]));
  const audits = parts.flatMap(({ audit }) => audit ?? []);
  const votes = parts.flatMap((part) => part.votes ?? []);
  return {
    roles,
    tools,
    ...(audits.length === 0 ? {} : { audit: addAudits(audits) }),
    ...(votes.length === 0
      ? {}
      : {
          votes: {
            cast: votes.reduce((sum, { cast }) => sum + cast, 0),
            disputed: votes.reduce((sum, { disputed }) => sum + disputed, 0),
          },
        }),
  };
}

/** All roles together. */
export const pooled = ({ roles }: SimulatorHealth): Tally => addTallies(Object.values(roles));

export interface HealthRates {
  /** By kind of defect, those that occurred; `malformed` and `inconsistent` always. */
  readonly defects: Readonly<Partial<Record<Defect, Interval>> & Record<'malformed' | 'inconsistent', Interval>>;
  readonly repaired: Interval;
  readonly masked: Interval;
}

export function ratesOf(tally: Tally): HealthRates {
  const { asks, calls, spared, repaired, masked } = tally;
  // Code's own answers can be refused too: never more than all.
  const ofCalls = (count: number): Interval => successRate(count, Math.max(calls, count));
  const ofAsked = (count: number): Interval => successRate(count, Math.max(asks - spared, count));
  const defects: Partial<Record<Defect, Interval>> = {};
  for (const defect of Defect.options) {
    const count = tally.defects[defect] ?? 0;
    if (count > 0) defects[defect] = ofCalls(count);
  }
  return {
    defects: { ...defects, malformed: ofCalls(tally.defects.malformed ?? 0), inconsistent: ofCalls(tally.defects.inconsistent ?? 0) },
    repaired: ofAsked(repaired),
    masked: ofAsked(masked),
  };
}
