/** The groups that have calls: how old each is, of how old a step, at which lane its prompts are cached, and which of its calls are open. Knows no engine and no reply. */
import type { GroupId } from '../protocol/ids.ts';
import type { Call } from './call.ts';

export interface CallGroup {
  /** Steps that were awaited before its own. What belongs to no awaited step is waited for by the run itself, and goes first. */
  readonly step: number;
  /** Groups that came before. */
  readonly age: number;
  /** The lane that has its prefixes; undefined before its first call is placed. */
  lane: number | undefined;
  readonly calls: Set<Call>;
}

export class CallGroups {
  readonly #groups = new Map<GroupId, CallGroup>();
  readonly #steps = new Map<GroupId, number>();
  #ages = 0;
  #awaited = 0;

  /** These groups are a step's. */
  expect(groups: readonly GroupId[]): void {
    const step = this.#awaited++;
    for (const group of groups) if (!this.#steps.has(group)) this.#steps.set(group, step);
  }

  of(id: GroupId): CallGroup {
    let group = this.#groups.get(id);
    if (group === undefined) {
      group = { step: this.#steps.get(id) ?? -1, age: this.#ages++, lane: undefined, calls: new Set() };
      this.#groups.set(id, group);
    }
    return group;
  }

  /** Its open calls. */
  calls(id: GroupId): readonly Call[] {
    return [...(this.#groups.get(id)?.calls ?? [])];
  }

  close(call: Call): void {
    this.#groups.get(call.group)?.calls.delete(call);
  }

  /** It is sealed, or given up. */
  forget(id: GroupId): void {
    this.#groups.delete(id);
    this.#steps.delete(id);
  }

  /** Groups per lane. */
  atLanes(lanes: number): number[] {
    const counts = Array.from({ length: lanes }, () => 0);
    for (const { lane } of this.#groups.values()) if (lane !== undefined) counts[lane] = (counts[lane] as number) + 1;
    return counts;
  }
}
