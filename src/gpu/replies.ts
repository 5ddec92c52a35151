/** Replies by call key, kept until their group is sealed, so that nobody pays for a model call twice. It knows bytes, not what they say. */
import type { Bytes } from '../protocol/codec.ts';
import type { CallId, GroupId } from '../protocol/ids.ts';

export class ReplyMemory {
  readonly #byGroup = new Map<GroupId, Map<CallId, Bytes>>();
  readonly #older: (id: CallId) => Bytes | undefined;

  /** `older`: the replies of an earlier process of this run, by the journal's index. */
  constructor(older: (id: CallId) => Bytes | undefined = () => undefined) {
    this.#older = older;
  }

  recall(id: CallId, group: GroupId): Bytes | undefined {
    return this.#byGroup.get(group)?.get(id) ?? this.#older(id);
  }

  keep(id: CallId, group: GroupId, bytes: Bytes): void {
    let replies = this.#byGroup.get(group);
    if (replies === undefined) this.#byGroup.set(group, (replies = new Map()));
    replies.set(id, bytes);
  }

  /** The group is sealed: its calls will not be asked again. */
  forget(group: GroupId): void {
    this.#byGroup.delete(group);
  }

  get groups(): number {
    return this.#byGroup.size;
  }
}
