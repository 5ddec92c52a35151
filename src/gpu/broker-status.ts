/** The broker's figures, counted when they are asked for. Knows lanes and open calls, and changes neither. */
import type { PolicyVersion } from '../protocol/ids.ts';
import type { BrokerStatus } from './broker-contract.ts';
import { versionOf, type Call } from './call.ts';
import type { Lane } from './lane.ts';

type Figures = Pick<BrokerStatus, 'mode' | 'waiting' | 'inFlight' | 'limit' | 'occupancy' | 'lanes' | 'versions' | 'asked' | 'merged'>;

export function figuresOf(lanes: readonly Lane[], open: Iterable<Call>): Figures {
  const sum = (of: (lane: Lane) => number): number => lanes.reduce((total, lane) => total + of(lane), 0);
  return {
    mode: modeOf(lanes.map((lane) => lane.mode)),
    waiting: sum((lane) => lane.waiting),
    inFlight: sum((lane) => lane.dispatch.inFlight),
    limit: sum((lane) => lane.admission.limit),
    occupancy: sum((lane) => lane.dispatch.occupancy()) / sum((lane) => lane.admission.ceiling),
    lanes: lanes.map((lane) => ({
      name: lane.name,
      mode: lane.mode,
      waiting: lane.waiting,
      inFlight: lane.dispatch.inFlight,
      limit: lane.admission.limit,
      occupancy: lane.dispatch.occupancy() / lane.admission.ceiling,
    })),
    versions: versionsOf(open),
    asked: sum((lane) => lane.dispatch.asked),
    merged: sum((lane) => lane.dispatch.merged),
  };
}

function modeOf(modes: readonly string[]): string {
  const distinct = [...new Set(modes)];
  if (distinct.length === 1) return distinct[0] as string;
  return distinct.map((mode) => `${modes.filter((each) => each === mode).length} ${mode}`).join(', ');
}

function versionsOf(open: Iterable<Call>): BrokerStatus['versions'] {
  const counts = new Map<PolicyVersion | null, number>();
  for (const call of open) counts.set(versionOf(call), 1 + (counts.get(versionOf(call)) ?? 0));
  return [...counts].map(([version, open]) => ({ version, open })).toSorted((a, b) => (a.version ?? -1) - (b.version ?? -1));
}
