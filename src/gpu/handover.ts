/** Sealed groups on their way to the policy update: each counted once towards its step, its bytes forwarded unread. */
import type { Bytes } from '../protocol/codec.ts';
import type { GroupEnvelope } from '../protocol/group.ts';
import type { GroupId, StepId } from '../protocol/ids.ts';

export interface SealedGroup {
  readonly envelope: GroupEnvelope;
  /** The packed RolloutGroup whose sha256 the envelope carries. */
  readonly bytes: Bytes;
}

interface Awaited {
  readonly groups: readonly GroupId[];
  readonly sealed: Map<GroupId, SealedGroup>;
  resolve(groups: SealedGroup[]): void;
}

export class Handover {
  readonly #steps = new Map<StepId, Awaited>();

  /** Resolves with one sealed group per id, in the order of `groups`, as soon as the last of them is sealed. */
  expect(step: StepId, groups: readonly GroupId[]): Promise<SealedGroup[]> {
    return new Promise((resolve) => {
      this.#steps.set(step, { groups, sealed: new Map(), resolve });
      this.#settle(step);
    });
  }

  /** False where nobody awaits this group, or it is sealed already: a late result is a no-op for the caller to count. */
  seal(group: SealedGroup): boolean {
    const { step, group: id } = group.envelope;
    const awaited = this.#steps.get(step);
    if (awaited === undefined || awaited.sealed.has(id) || !awaited.groups.includes(id)) return false;
    awaited.sealed.set(id, group);
    this.#settle(step);
    return true;
  }

  isAwaited(step: StepId, group: GroupId): boolean {
    const awaited = this.#steps.get(step);
    return awaited !== undefined && !awaited.sealed.has(group) && awaited.groups.includes(group);
  }

  /** Stops awaiting a step that was given up; its promise stays pending and is dropped with it. */
  abandon(step: StepId): void {
    this.#steps.delete(step);
  }

  #settle(step: StepId): void {
    const awaited = this.#steps.get(step);
    if (awaited === undefined || awaited.sealed.size < awaited.groups.length) return;
    this.#steps.delete(step);
    awaited.resolve(awaited.groups.map((id) => awaited.sealed.get(id) as SealedGroup));
  }
}
