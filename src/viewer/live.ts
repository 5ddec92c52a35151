/**
 * What happens, told to whoever listens: server-sent events, one reader of a journal however many listen to it. Knows streams and time; what is new comes from the runs.
 *
 * A listener is told from where its last event stood in the journal, if that is not too long ago, and else to fetch anew. One that does not keep up is let go: it comes back and is told the same.
 */
import type { Position } from '../record/reader.ts';
import type { LiveEvent } from './contract.ts';
import type { ViewerClock } from './ports.ts';
import type { Runs } from './runs.ts';

/** Between two looks at a journal that somebody listens to, and at the cards. */
const lookMs = 500;
/** So many listeners are told so many times less often than one. */
const many = 10;
const cardsMs = 1000;
/** Something is said at least this often, or proxies and pages take the connection for dead. */
const heartbeatMs = 15_000;
/** Bytes that may wait for one listener. */
const waitingLimit = 512 * 1024;
/** Batches kept for those who come back. */
const keptBatches = 400;
/** Events between two looks. */
const pendingLimit = 1000;
/** Of all runs together. */
export const listenerLimit = 100;

interface Listener {
  send(bytes: Uint8Array): void;
  end(): void;
}

interface Batch {
  readonly id: string;
  readonly text: string;
}

/** One followed run, or the list of runs ('' is its name). */
interface Channel {
  readonly listeners: Set<Listener>;
  readonly kept: Batch[];
  /** Where the journal was read to when the last batch was told. */
  id: string;
  pending: { readonly event: LiveEvent; readonly at: Position }[];
  /** Card by run, as last told. */
  readonly told: Map<string, string>;
  end(): void;
}

export class Live {
  readonly #runs: Runs;
  readonly #clock: ViewerClock;
  readonly #channels = new Map<string, Channel>();
  #recall: (() => void) | null = null;
  #sinceCards = 0;
  #sinceHeartbeat = 0;
  #closed = false;

  constructor(runs: Runs, clock: ViewerClock) {
    this.#runs = runs;
    this.#clock = clock;
  }

  get listeners(): number {
    return [...this.#channels.values()].reduce((sum, { listeners }) => sum + listeners.size, 0);
  }

  /** The stream of a run, or of the list of runs (null). Resolves null where there is no such run. */
  async listen(run: string | null, lastId: string | null): Promise<ReadableStream<Uint8Array> | null> {
    const channel = await this.#channelOf(run ?? '');
    if (channel === null) return null;
    let leave = (): void => undefined;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          const listener: Listener = {
            send: (bytes) => {
              if ((controller.desiredSize ?? 0) <= 0) listener.end();
              else controller.enqueue(bytes);
            },
            end: () => {
              leave();
              controller.close();
            },
          };
          leave = () => this.#leave(run ?? '', channel, listener);
          channel.listeners.add(listener);
          listener.send(bytesOf('retry: 1000\n\n'));
          for (const text of missedBy(channel, lastId)) listener.send(bytesOf(text));
          this.#schedule();
        },
        cancel: () => leave(),
      },
      { highWaterMark: waitingLimit, size: (chunk) => chunk?.byteLength ?? 0 },
    );
  }

  close(): void {
    this.#closed = true;
    this.#recall?.();
    for (const { listeners } of this.#channels.values()) for (const listener of listeners) listener.end();
  }

  async #channelOf(run: string): Promise<Channel | null> {
    const known = this.#channels.get(run);
    if (known !== undefined) return known;
    const channel: Channel = { listeners: new Set(), kept: [], id: '', pending: [], told: new Map(), end: () => undefined };
    if (run !== '') {
      const index = await this.#runs.index(run);
      const other = this.#channels.get(run);
      if (other !== undefined) return other;
      // What was read before is no news.
      const end = index === null ? null : this.#runs.follow(run, (event, at) => notice(channel, event, at));
      if (index === null || end === null) return null;
      channel.end = end;
      channel.id = nameOf(index.position);
    }
    this.#channels.set(run, channel);
    this.#noticeCards(run, channel);
    return channel;
  }

  #leave(run: string, channel: Channel, listener: Listener): void {
    channel.listeners.delete(listener);
    if (channel.listeners.size > 0) return;
    channel.end();
    if (this.#channels.get(run) === channel) this.#channels.delete(run);
  }

  /** The more listen, the less often each is told: what they then ask for costs a run little more, however many they are; two or three do not notice. */
  #pace(): number {
    let listeners = 0;
    for (const channel of this.#channels.values()) listeners += channel.listeners.size;
    return lookMs * Math.min(many, Math.max(1, Math.ceil(listeners ** 2 / many)));
  }

  #schedule(): void {
    if (this.#recall !== null || this.#closed) return;
    const waited = this.#pace();
    this.#recall = this.#clock.after(waited, () => {
      this.#recall = null;
      void this.#look(waited).finally(() => {
        if (this.#channels.size > 0) this.#schedule();
      });
    });
  }

  async #look(waited: number): Promise<void> {
    const asksCards = (this.#sinceCards += waited) >= cardsMs;
    const beats = (this.#sinceHeartbeat += waited) >= heartbeatMs;
    if (asksCards) this.#sinceCards = 0;
    if (beats) this.#sinceHeartbeat = 0;
    for (const [run, channel] of this.#channels) {
      if (run !== '') await this.#runs.refresh(run);
      const cards = asksCards ? this.#noticeCards(run, channel) : [];
      tell(channel, cards);
      if (beats) for (const listener of channel.listeners) listener.send(bytesOf(':\n\n'));
    }
  }

  /** Cards that are not as they were told last. */
  #noticeCards(run: string, channel: Channel): LiveEvent[] {
    const cards = run === '' ? this.#runs.cards() : [this.#runs.card(run)].filter((card) => card !== null);
    return cards.flatMap((card): LiveEvent[] => {
      const text = JSON.stringify(card);
      if (channel.told.get(card.run) === text) return [];
      channel.told.set(card.run, text);
      return [{ kind: 'run', card }];
    });
  }
}

/** More than a listener could take in a moment is not told one by one: it is to fetch anew. */
function notice(channel: Channel, event: LiveEvent, at: Position): void {
  if (channel.pending.length < pendingLimit) channel.pending.push({ event, at });
  else channel.pending = [{ event: { kind: 'reset' }, at }];
}

/** Tells what is pending, and these cards, to all who listen. */
function tell(channel: Channel, cards: readonly LiveEvent[]): void {
  const { pending } = channel;
  if (pending.length === 0 && cards.length === 0) return;
  channel.pending = [];
  const last = pending.at(-1);
  if (last !== undefined) channel.id = nameOf(last.at);
  const events = [...distinct(pending.map(({ event }) => event)), ...cards];
  // The place stands at the last event only: whoever breaks off before it is told the whole batch again.
  const text = events.map((event, at) => textOf(event, at === events.length - 1 ? channel.id : null)).join('');
  channel.kept.push({ id: channel.id, text });
  if (channel.kept.length > keptBatches) channel.kept.shift();
  const bytes = bytesOf(text);
  for (const listener of channel.listeners) listener.send(bytes);
}

/** That a group's actors did something is said once a batch. */
function distinct(events: readonly LiveEvent[]): LiveEvent[] {
  const groups = new Set<string>();
  return events.filter((event) => {
    if (event.kind !== 'events') return true;
    if (groups.has(event.group)) return false;
    groups.add(event.group);
    return true;
  });
}

/** What a new listener is told at once. */
function missedBy(channel: Channel, lastId: string | null): string[] {
  const cards = [...channel.told.values()].map((text) => `event: run\nid: ${channel.id}\ndata: {"card":${text}}\n\n`);
  if (lastId === null || lastId === '' || lastId === channel.id) return cards;
  const from = channel.kept.findLastIndex(({ id }) => id === lastId);
  if (from >= 0) return [...channel.kept.slice(from + 1).map(({ text }) => text), ...cards];
  return [textOf({ kind: 'reset' }, channel.id), ...cards];
}

const encoder = new TextEncoder();
const bytesOf = (text: string): Uint8Array => encoder.encode(text);

const nameOf = ({ segment, offset }: Position): string => `${segment}:${offset}`;

/** JSON has no line breaks of its own, so one line holds it. */
function textOf({ kind, ...data }: LiveEvent, id: string | null): string {
  return `event: ${kind}\n${id === null ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}
