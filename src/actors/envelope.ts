/** A finished group as it is handed over: packed once, with what the broker must know written on the outside. */
import { createHash } from 'node:crypto';
import { pack, type Bytes } from '../protocol/codec.ts';
import type { Fault } from '../protocol/fault.ts';
import type { GroupEnvelope, RolloutGroup } from '../protocol/group.ts';
import type { GroupJob } from './group.ts';

export function enveloped(group: RolloutGroup): { readonly envelope: GroupEnvelope; readonly bytes: Bytes } {
  const bytes = pack(group);
  const scored = group.episodes.reduce((count, episode) => count + (episode.reward === null ? 0 : 1), 0);
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { envelope: { step: group.step, group: group.id, scored, status: group.status, hash }, bytes };
}

/** The group of a host that never finished it: every member is missing, for the same reason. */
export function lostGroup(job: GroupJob, fault: Fault, sealedBy: RolloutGroup['sealedBy']): RolloutGroup {
  const missing = Array.from({ length: job.members }, (_, member) => ({ member, fault }));
  return { id: job.group, step: job.step, task: job.task, episodes: [], missing, status: 'failed', sealedBy };
}
