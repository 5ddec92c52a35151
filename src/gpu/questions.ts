/** What chat calls ask, as frames of the journal: word for word, but a text that many of them share only once. Knows requests, and nothing of what becomes of them. */
import { createHash } from 'node:crypto';
import type { FrameOf } from '../protocol/frame.ts';
import type { ChatRequest } from '../protocol/inference.ts';

type Frames = FrameOf<'call.part'> | FrameOf<'call.asked'>;

/** Texts remembered, and characters of all of them; then all are said anew. A run has a system message a role, and a schema a tool. */
const remembered = 512;
const rememberedCharacters = 16_000_000;
/** Shorter ones are hardly longer than what would refer to them. */
const shortest = 100;

export class Questions {
  readonly #record: (frame: Frames) => void;
  /** Text → its hash, of those that this process has recorded. */
  readonly #parts = new Map<string, string>();
  #characters = 0;

  constructor(record: (frame: Frames) => void) {
    this.#record = record;
  }

  record({ id, group, role, messages, schema, seed, maxTokens, temperature, asker }: ChatRequest): void {
    const asked = {
      role,
      // What a role is told of itself is the same each time; what it is asked is not.
      messages: messages.map((message) =>
        message.role === 'system' && message.content.length >= shortest
          ? { role: message.role, part: this.#part(message.content) }
          : message,
      ),
      ...(schema === undefined ? {} : { schema: this.#part(JSON.stringify(schema)) }),
      seed,
      maxTokens,
      temperature,
      ...(asker === undefined ? {} : { asker }),
    };
    this.#record({ kind: 'call.asked', id, group, asked });
  }

  #part(text: string): string {
    const known = this.#parts.get(text);
    if (known !== undefined) return known;
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
    this.#record({ kind: 'call.part', hash, text });
    this.#characters += text.length;
    if (this.#parts.size >= remembered || this.#characters > rememberedCharacters) {
      this.#parts.clear();
      this.#characters = text.length;
    }
    this.#parts.set(text, hash);
    return hash;
  }
}
