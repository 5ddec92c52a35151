/** Replies to model calls that an earlier process of this run received and did not use up: asked again under the same key, nobody pays twice. Knows bytes, not what they say. */
import type { Bytes } from '../protocol/codec.ts';
import type { CallId, GroupId } from '../protocol/ids.ts';

export class Replies {
  readonly #bytes = new Map<CallId, Bytes>();
  readonly #calls = new Map<GroupId, CallId[]>();

  add(id: CallId, group: GroupId, bytes: Bytes): void {
    if (this.#bytes.has(id)) return;
    this.#bytes.set(id, bytes);
    const calls = this.#calls.get(group);
    if (calls === undefined) this.#calls.set(group, [id]);
    else calls.push(id);
  }

  get(id: CallId): Bytes | undefined {
    return this.#bytes.get(id);
  }

  /** The group is sealed: its calls will not be asked again. */
  forget(group: GroupId): void {
    for (const id of this.#calls.get(group) ?? []) this.#bytes.delete(id);
    this.#calls.delete(group);
  }

  get size(): number {
    return this.#bytes.size;
  }
}
