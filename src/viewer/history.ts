/** What the actors of a group or of the run went through, replayed as far as it was asked for and kept for a while: windows, outlines and where everybody stands. Knows no journal; events.ts reads it. */
import type { RecordedEvent } from '../protocol/frame.ts';
import type { EventOutline, EventWindow, RunPage } from './contract.ts';
import { EventLog } from './events.ts';
import { nextTurn } from './next-turn.ts';
import { eventOutline } from './outline.ts';
import { type Replayed, replayed } from './replayed.ts';
import { runScope, type RunIndex } from './run-index.ts';

/** Groups whose frames are known by episode, and episodes that are replayed. */
const keptLogs = 64;
const keptReplays = 16;
/** Events in all of them; the one asked for last always stays. */
const keptEvents = 400_000;

/** Events fed to a replay between two turns of everybody else. */
const chunk = 1000;

interface Replay {
  readonly log: EventLog;
  /** Of the log when this began. */
  readonly life: number;
  readonly replayed: Replayed;
  feeding: Promise<void> | null;
  outline: EventOutline | null;
}

export class Histories {
  readonly #logs = new Map<string, { readonly index: RunIndex; readonly log: EventLog }>();
  readonly #replays = new Map<string, Replay>();

  of(index: RunIndex, group: string): EventLog {
    const key = `${index.folder.dir} ${group}`;
    const known = this.#logs.get(key);
    const entry = known?.index === index ? known : { index, log: new EventLog(index, group) };
    keep(this.#logs, key, entry, keptLogs);
    return entry.log;
  }

  /** Events of an episode so far. */
  async count(index: RunIndex, group: string, episode: string): Promise<number> {
    const log = this.of(index, group);
    await log.catchUp();
    return log.count(episode);
  }

  async window(index: RunIndex, group: string, episode: string, from: number, count: number): Promise<EventWindow> {
    const log = this.of(index, group);
    const { replayed } = await this.#replay(log, episode, index);
    return replayed.window(from, [...log.read(episode, from, count)]);
  }

  async outline(index: RunIndex, group: string, episode: string): Promise<EventOutline> {
    const log = this.of(index, group);
    const replay = await this.#replay(log, episode, index);
    if (replay.outline?.actor.length !== replay.replayed.length) replay.outline = eventOutline(deedsOf(replay.replayed));
    return replay.outline;
  }

  /** Of a run that is open no more. */
  forget(index: RunIndex): void {
    for (const [key, { index: of, log }] of this.#logs) {
      if (of !== index) continue;
      this.#logs.delete(key);
      for (const [episode, replay] of this.#replays) if (replay.log === log) this.#replays.delete(episode);
    }
  }

  /** The run's own actors. */
  async standings(index: RunIndex): Promise<NonNullable<RunPage['actors']>> {
    const log = this.of(index, runScope);
    const { replayed } = await this.#replay(log, runScope, index);
    return replayed.standing().map(({ at, ...standing }) => {
      const [last] = log.read(runScope, at, 1);
      return { ...standing, edge: standing.edges.at(-1) ?? null, event: last?.event.type ?? null };
    });
  }

  /** Fed with all there is. Whoever asks for the same meanwhile waits for the same feeding. */
  async #replay(log: EventLog, episode: string, { folder }: RunIndex): Promise<Replay> {
    const key = `${folder.dir} ${episode}`;
    await log.catchUp();
    const known = this.#replays.get(key);
    const count = log.count(episode);
    const entry: Replay =
      known?.log === log && known.life === log.life ? known : { log, life: log.life, replayed: replayed(), feeding: null, outline: null };
    keep(this.#replays, key, entry, keptReplays);
    while (entry.replayed.length < count && entry.life === log.life) {
      entry.feeding ??= feed(entry, episode).finally(() => {
        entry.feeding = null;
      });
      await entry.feeding;
    }
    this.#forgetOld();
    return entry;
  }

  #forgetOld(): void {
    let events = [...this.#replays.values()].reduce((sum, { replayed: { length } }) => sum + length, 0);
    for (const [key, { replayed: old, feeding }] of [...this.#replays].slice(0, -1)) {
      if (events <= keptEvents) return;
      if (feeding !== null) continue;
      events -= old.length;
      this.#replays.delete(key);
    }
  }
}

/** One pass over the frames that hold what is new. */
async function feed({ log, life, replayed }: Replay, episode: string): Promise<void> {
  let some: RecordedEvent[] = [];
  for (const event of log.read(episode, replayed.length)) {
    if (some.push(event) < chunk) continue;
    replayed.feed(some);
    some = [];
    await nextTurn();
    if (log.life !== life) return;
  }
  replayed.feed(some);
}

function* deedsOf({ length, at }: Replayed): Generator<ReturnType<Replayed['at']>> {
  for (let index = 0; index < length; index++) yield at(index);
}

/** As the most recently used one; the one unused longest goes where there are too many. */
function keep<T>(map: Map<string, T>, key: string, value: T, limit: number): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > limit && oldest.done !== true) map.delete(oldest.value);
}
