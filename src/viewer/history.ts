/** What the actors of a group or of the run went through, replayed as far as it was asked for and kept for a while: windows, outlines and where everybody stands. Knows no journal; events.ts reads it. */
import type { EventOutline, EventWindow, RunPage } from './contract.ts';
import { EventLog } from './events.ts';
import { eventOutline, type Followed } from './outline.ts';
import { type Replayed, replayed } from './replayed.ts';
import { runScope, type RunIndex } from './run-index.ts';

/** Groups whose frames are known by episode, and episodes that are replayed. */
const keptLogs = 64;
const keptReplays = 16;

/** Events fed to a replay at once. */
const chunk = 2000;

interface Replay {
  readonly replayed: Replayed;
  outline: EventOutline | null;
}

export class Histories {
  readonly #logs = new Map<string, { readonly index: RunIndex; readonly log: EventLog }>();
  readonly #replays = new Map<string, Replay & { readonly log: EventLog }>();

  of(index: RunIndex, group: string): EventLog {
    const key = `${index.folder.dir} ${group}`;
    const known = this.#logs.get(key);
    const entry = known?.index === index ? known : { index, log: new EventLog(index, group) };
    keep(this.#logs, key, entry, keptLogs);
    return entry.log;
  }

  window(index: RunIndex, group: string, episode: string, from: number, count: number): EventWindow {
    const log = this.of(index, group);
    return this.#replay(log, episode, index).replayed.window(from, [...log.read(episode, from, count)]);
  }

  outline(index: RunIndex, group: string, episode: string): EventOutline {
    const log = this.of(index, group);
    const replay = this.#replay(log, episode, index);
    if (replay.outline?.actor.length !== log.count(episode)) replay.outline = eventOutline(followed(log, episode, replay.replayed));
    return replay.outline;
  }

  /** The run's own actors. */
  standings(index: RunIndex): NonNullable<RunPage['actors']> {
    const log = this.of(index, runScope);
    return this.#replay(log, runScope, index)
      .replayed.standing()
      .map(({ actor, machine, value, edges, at }) => {
        const [last] = log.read(runScope, at, 1);
        return { actor, machine, value, edge: edges.at(-1) ?? null, event: last?.event.type ?? null };
      });
  }

  /** Fed with all there is. */
  #replay(log: EventLog, episode: string, { folder }: RunIndex): Replay {
    const key = `${folder.dir} ${episode}`;
    const known = this.#replays.get(key);
    const count = log.count(episode);
    // Fewer events than before: the group began anew.
    const entry = known?.log === log && known.replayed.length <= count ? known : { log, replayed: replayed(), outline: null };
    keep(this.#replays, key, entry, keptReplays);
    while (entry.replayed.length < count) entry.replayed.feed([...log.read(episode, entry.replayed.length, chunk)]);
    return entry;
  }
}

function* followed(log: EventLog, episode: string, replay: Replayed): Generator<Followed> {
  let index = 0;
  for (const recorded of log.read(episode)) yield { recorded, ...replay.at(index++) };
}

/** As the most recently used one; the one unused longest goes where there are too many. */
function keep<T>(map: Map<string, T>, key: string, value: T, limit: number): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > limit && oldest.done !== true) map.delete(oldest.value);
}
