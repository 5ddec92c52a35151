/** The open calls of a broker by their key. It knows how long a collector keeps what a Map has held, and nothing of what happens to a call. */
import type { CallId } from '../protocol/ids.ts';
import type { Call } from './call.ts';

/** A Map's outgrown tables point to the next one each, so one that is old keeps those after it alive, entries and all: what an entry leads to is let go by hand. */
interface Entry {
  call: Call | undefined;
}

export class OpenCalls {
  readonly #entries = new Map<CallId, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  get(id: CallId): Call | undefined {
    return this.#entries.get(id)?.call;
  }

  set(id: CallId, call: Call): void {
    this.#entries.set(id, { call });
  }

  delete(id: CallId): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.call = undefined;
    this.#entries.delete(id);
  }

  /** In the order they came; a call may be deleted meanwhile. */
  *values(): Generator<Call> {
    for (const { call } of this.#entries.values()) if (call !== undefined) yield call;
  }
}
