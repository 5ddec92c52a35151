/** The text of a server-sent event stream, cut into events. Knows neither network nor what the events mean. */

export interface StreamEvent {
  /** `message` where the stream names none. */
  readonly kind: string;
  readonly data: string;
}

/** An unfinished event may grow to this many characters; a longer one is dropped. */
const longest = 8_000_000;

/** Reads pieces of a stream as they come, cut anywhere. Keeps the last id, which a reconnection hands back. */
export class EventReader {
  /** Of the last event that named one. */
  lastId: string | null = null;
  /** Milliseconds the server asks to wait before a reconnection. */
  retryMs: number | null = null;
  #rest = '';
  #kind = '';
  #data: string[] = [];
  #length = 0;

  /** The events that this piece completes. */
  read(piece: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    const text = this.#rest + piece;
    // A carriage return at the end may be half of a line end.
    const until = text.endsWith('\r') ? text.length - 1 : text.length;
    const lines = text.slice(0, until).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + text.slice(until);
    if (this.#rest.length > longest) this.#rest = '';
    for (const line of lines) {
      if (line !== '') this.#take(line);
      else if (this.#data.length > 0) {
        events.push({ kind: this.#kind === '' ? 'message' : this.#kind, data: this.#data.join('\n') });
        this.#clear();
      } else this.#clear();
    }
    return events;
  }

  #take(line: string): void {
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.#kind = value;
    else if (field === 'id' && !value.includes('\0')) this.lastId = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    else if (field === 'data' && this.#length + value.length <= longest) {
      this.#data.push(value);
      this.#length += value.length;
    }
  }

  #clear(): void {
    this.#kind = '';
    this.#data = [];
    this.#length = 0;
  }
}
