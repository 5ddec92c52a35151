/** Requests, groups and frames in the small, for tests of the broker and what stands around it. */
import type { Frame } from '../../src/protocol/frame.ts';
import type { CallId, GroupId, PolicyVersion, StepId } from '../../src/protocol/ids.ts';
import type { GroupEnvelope } from '../../src/protocol/group.ts';
import type { TokenRequest } from '../../src/protocol/inference.ts';
import type { ScriptedPolicy } from '../../src/gpu/engines/scripted.ts';
import { stream } from '../../src/random.ts';

export const step = 's00001' as StepId;
export const group = (index: number): GroupId => `${step}.t${String(index).padStart(3, '0')}` as GroupId;

export function call(id: string | number, change: Partial<TokenRequest> = {}): TokenRequest {
  return {
    id: `call-${id}` as CallId,
    role: 'policy',
    version: 0 as PolicyVersion,
    ids: Int32Array.of(1, 5, 6, 7),
    n: 1,
    seed: 11,
    stop: [2],
    maxTokens: 16,
    temperature: 1,
    priority: 0,
    group: group(0),
    deadlineMs: 60_000,
    ...change,
  };
}

/** One to eight ids drawn from the seed, then the stop id. */
export const chatty: ScriptedPolicy = (request, seed) => {
  const chance = stream(seed);
  return [...Array.from({ length: 1 + chance.int(8) }, () => 3 + chance.int(20)), request.stop[0] ?? 2];
};

export const envelope = (id: GroupId, change: Partial<GroupEnvelope> = {}): GroupEnvelope => ({
  step,
  group: id,
  scored: 2,
  status: 'sealed',
  hash: 'aa',
  ...change,
});

/** A record port that keeps what it is given. */
export function recording(): { readonly frames: Frame[]; record(frame: Frame): void } {
  const frames: Frame[] = [];
  return { frames, record: (frame) => void frames.push(frame) };
}
