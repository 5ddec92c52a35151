/** Where the actors of many episodes went: each episode replayed alone, its sums kept for a while, and added up. Knows which episodes, not why those. */
import { episodeId, type GroupId } from '../protocol/ids.ts';
import type { ActorStanding, EpisodeRow } from './contract.ts';
import { EventLog } from './events.ts';
import type { Ending, HeatCounts, HeatPage } from './heat-contract.ts';
import { nextTurn } from './next-turn.ts';
import type { ViewerClock } from './ports.ts';
import { replayed } from './replayed.ts';
import type { RunIndex } from './run-index.ts';

/** Episodes one answer counts at most. */
export const heatLimit = 512;

/** Milliseconds of replaying between two turns of everybody else, and until an answer is given with what was counted. */
const sliceMs = 12;
const patienceMs = 2500;
/** Events fed between two looks at the clock. */
const chunk = 500;
/** Episodes whose sums are kept: those of some answers, so that one filtered another way replays little. */
const keptTallies = 8 * heatLimit;

/** One episode's actors. */
type Tally = readonly Pick<ActorStanding, 'machine' | 'visits' | 'dwell'>[];

export class Heats {
  readonly #clock: ViewerClock;
  /** Of sealed groups: they change no more. Least recently used first. */
  readonly #tallies = new Map<string, Tally>();
  /** The group looked through last: a page asks about it until all of it is counted. */
  #last: { readonly index: RunIndex; readonly group: string; readonly log: EventLog } | null = null;

  constructor(clock: ViewerClock) {
    this.#clock = clock;
  }

  /** All members of a group that have begun, sealed or not; null where there is no such group. */
  async ofGroup(index: RunIndex, group: string): Promise<HeatPage | null> {
    if (index.place(group) === undefined) return null;
    const rows = index.groups().get(group) ?? [];
    const names = rows.length > 0 ? rows.map(nameOf) : await this.#playingIn(index, group);
    const wanted = names.map((episode, at) => ({ group, episode, ending: endingOf(rows[at]) }));
    return this.#answer(index, wanted, wanted.length);
  }

  /** Of rows that are the last of `matching`. */
  ofRows(index: RunIndex, rows: readonly EpisodeRow[], matching: number): Promise<HeatPage> {
    const wanted = rows.map((row) => ({ group: row.group, episode: nameOf(row), ending: endingOf(row) }));
    return this.#answer(index, wanted, matching);
  }

  async #answer(index: RunIndex, wanted: readonly Wanted[], matching: number): Promise<HeatPage> {
    const sum = new Sum();
    const late = this.#clock.now() + patienceMs;
    const slice = this.#slices();
    for (const { group, episode, ending } of wanted) {
      const key = keyOf(index, group, episode);
      let tally = key === null ? undefined : this.#tallies.get(key);
      // What is known costs no time.
      if (tally === undefined && this.#clock.now() >= late) continue;
      // Members of a group come together.
      tally ??= await tallyOf(this.#logOf(index, group), episode, slice);
      if (key !== null) this.#keep(key, tally);
      sum.add(ending, tally);
    }
    const { read } = index;
    return { ...(read < 1 ? { read } : {}), matching, of: wanted.length, ...sum.told() };
  }

  /** Of a run that is open no more. */
  forget(index: RunIndex): void {
    if (this.#last?.index === index) this.#last = null;
  }

  async #playingIn(index: RunIndex, group: string): Promise<string[]> {
    const log = this.#logOf(index, group);
    await log.catchUp();
    return log.episodes();
  }

  #logOf(index: RunIndex, group: string): EventLog {
    if (this.#last?.index !== index || this.#last.group !== group) this.#last = { index, group, log: new EventLog(index, group) };
    return this.#last.log;
  }

  #keep(key: string, tally: Tally): void {
    this.#tallies.delete(key);
    this.#tallies.set(key, tally);
    const oldest = this.#tallies.keys().next();
    if (this.#tallies.size > keptTallies && oldest.done !== true) this.#tallies.delete(oldest.value);
  }

  /** Gives everybody else a turn where the slice is over. */
  #slices(): () => Promise<void> {
    let until = this.#clock.now() + sliceMs;
    return async () => {
      if (this.#clock.now() < until) return;
      await nextTurn();
      until = this.#clock.now() + sliceMs;
    };
  }
}

interface Wanted {
  readonly group: string;
  readonly episode: string;
  readonly ending: Ending;
}

/** null of a group that may still change. */
function keyOf(index: RunIndex, group: string, episode: string): string | null {
  const at = index.place(group)?.sealed ?? null;
  return at === null ? null : `${index.folder.dir} ${episode} ${at.segment} ${at.offset}`;
}

/** Also of a member that left no episode: its actors lived all the same. */
const nameOf = ({ episode, group, member }: EpisodeRow): string => episode ?? episodeId(group as GroupId, member);

function endingOf(row: EpisodeRow | undefined): Ending {
  if (row === undefined) return 'playing';
  return row.reward === null ? 'lost' : row.reward > 0 ? 'solved' : 'failed';
}

async function tallyOf(log: EventLog, episode: string, rest: () => Promise<void>): Promise<Tally> {
  const replay = replayed();
  await log.catchUp();
  const count = log.count(episode);
  while (replay.length < count) {
    const before = replay.length;
    replay.feed([...log.read(episode, before, chunk)]);
    await rest();
    // It is played anew meanwhile: what is there now is counted.
    if (replay.length === before) break;
  }
  await rest();
  return replay.standing().map(({ machine, visits, dwell }) => ({ machine, visits, dwell }));
}

/** Adds up. */
class Sum {
  readonly #endings: Record<Ending, number> = { solved: 0, failed: 0, lost: 0, playing: 0 };
  readonly #charts = new Map<string, Map<Ending, { readonly visits: Map<string, number>; readonly dwell: Map<string, number> }>>();

  add(ending: Ending, tally: Tally): void {
    this.#endings[ending]++;
    for (const { machine, visits, dwell } of tally) {
      const by = known(this.#charts, machine, () => new Map());
      const counts = known(by, ending, () => ({ visits: new Map(), dwell: new Map() }));
      addTo(counts.visits, visits);
      addTo(counts.dwell, dwell);
    }
  }

  told(): Pick<HeatPage, 'counted' | 'endings' | 'charts'> {
    const charts = [...this.#charts].map(([machine, by]) => ({
      machine,
      by: Object.fromEntries([...by].map(([ending, counts]) => [ending, toldCounts(counts)])) as Partial<Record<Ending, HeatCounts>>,
    }));
    return { counted: Object.values(this.#endings).reduce((sum, count) => sum + count, 0), endings: { ...this.#endings }, charts };
  }
}

const toldCounts = ({ visits, dwell }: { visits: ReadonlyMap<string, number>; dwell: ReadonlyMap<string, number> }): HeatCounts => ({
  visits: Object.fromEntries(visits),
  dwell: Object.fromEntries(dwell),
});

function addTo(sums: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [id, count] of Object.entries(counts)) sums.set(id, (sums.get(id) ?? 0) + count);
}

function known<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
