/**
 * What was asked in the episodes of a group and while its task was written: lists of it, and each prompt word for word with its reply. Groups that were looked at are kept for a while
 * and followed as they grow; texts are read from their place when they are asked for. Knows no page.
 */
import type { RecordedEvent } from '../protocol/frame.ts';
import type { CallId } from '../protocol/ids.ts';
import type { JsonObject } from '../protocol/json.ts';
import { type AskedCall, type CallRow, CallWalk, worded } from '../record/projections/calls.ts';
import type { Position } from '../record/reader.ts';
import type { CallList, CallPage, ChatPage } from './contract.ts';
import { nextTurn } from './next-turn.ts';
import { askedAt, callAt, chatReplyAt, eventsAt, partAt } from './recall.ts';
import type { Place, RunIndex } from './run-index.ts';

/** Groups kept, and prompts in all of them; the one used last always stays. */
const keptGroups = 16;
const keptRows = 200_000;
/** Frames read between two turns of everybody else. */
const chunk = 64;

interface Known extends AskedCall {
  readonly at: Position;
}

/** One group's; or, where none of its simulators' prompts are recorded, one episode's: nobody shares anything then. */
class GroupCalls {
  readonly index: RunIndex;
  readonly #group: string;
  readonly #only: string | null;
  /** What was read below lies there: a journal that began anew has other places. */
  #place: Place | undefined;
  /** By path: an episode, or the group for its task. */
  readonly #walks = new Map<string, CallWalk>();
  readonly #asked = new Map<CallId, Known>();
  readonly #replies = new Map<string, Position>();
  #read = { events: 0, asked: 0, replies: 0 };
  #reading: Promise<void> | null = null;
  #made = new Map<string, readonly CallRow[]>();
  #sharing: ReadonlyMap<string, readonly string[]> | null = null;

  constructor(index: RunIndex, group: string, only: string | null) {
    this.index = index;
    this.#group = group;
    this.#only = only;
  }

  get size(): number {
    return [...this.#walks.values()].reduce((sum, walk) => sum + walk.length, 0);
  }

  /** With all there is by now. */
  async rows(path: string): Promise<readonly CallRow[]> {
    await (this.#reading ??= this.#follow().finally(() => (this.#reading = null)));
    return this.#rowsOf(path);
  }

  chat(id: CallId): ChatPage {
    const known = this.#asked.get(id);
    const reply = this.#replies.get(id);
    const { folder } = this.index;
    return {
      id,
      asked: known === undefined ? null : this.#askedOf(known.at),
      reply: reply === undefined ? null : replyOf(chatReplyAt(folder, reply)),
      shared: this.#sharedBy(id),
    };
  }

  #askedOf(at: Position): ChatPage['asked'] {
    const { folder } = this.index;
    return worded(askedAt(folder, at).asked, (hash) => {
      const place = this.index.part(hash);
      return place === undefined ? undefined : partAt(folder, place);
    });
  }

  #rowsOf(path: string): readonly CallRow[] {
    let rows = this.#made.get(path);
    if (rows === undefined) {
      const asked = [...this.#asked.values()].filter(
        ({ asker }) => asker !== null && (asker.actor.startsWith(`${path}/`) || asker.episodes?.some((episode) => episode === path)),
      );
      // A panel is nobody's question until it was left without an answer.
      const own = path === this.#group ? asked.filter(({ asker }) => asker?.episodes === undefined) : asked;
      this.#made.set(path, (rows = (this.#walks.get(path) ?? new CallWalk()).rows(own)));
    }
    return rows;
  }

  #sharedBy(id: CallId): readonly string[] {
    if (this.#sharing === null) {
      const sharing = new Map<string, string[]>();
      const add = (call: string, path: string): void => {
        const paths = sharing.get(call);
        if (paths === undefined) sharing.set(call, [path]);
        else if (!paths.includes(path)) paths.push(path);
      };
      for (const { id: call, asker } of this.#asked.values())
        if (asker !== null && asker.episodes === undefined) add(call, asker.actor.slice(0, asker.actor.lastIndexOf('/')));
      for (const path of [...this.#walks.keys()].sort())
        for (const { calls, source } of this.#rowsOf(path)) {
          for (const call of calls) add(call, path);
          if (source?.from === 'group' && source.call !== undefined) add(source.call, path);
        }
      this.#sharing = sharing;
    }
    return this.#sharing.get(id) ?? [];
  }

  async #follow(): Promise<void> {
    const place = this.index.place(this.#group);
    if (place !== this.#place) this.#beginAnew(place);
    if (place === undefined) return;
    const { folder } = this.index;
    const before = { ...this.#read };
    let frames = 0;
    for (const at of place.asked.from(this.#read.asked)) {
      const { id, asked } = askedAt(folder, at);
      if (!this.#asked.has(id)) this.#asked.set(id, { id, at, asker: asked.asker ?? null });
      this.#read.asked++;
      if (++frames % chunk === 0) await nextTurn();
    }
    for (const at of place.replies.from(this.#read.replies)) {
      const id = callAt(folder, at);
      if (id !== null) this.#replies.set(id, at);
      this.#read.replies++;
      if (++frames % chunk === 0) await nextTurn();
    }
    for (const at of place.events.slice(this.#read.events)) {
      this.#take(eventsAt(folder, at));
      this.#read.events++;
      if (++frames % chunk === 0) await nextTurn();
    }
    if (Object.keys(before).every((key) => before[key as keyof typeof before] === this.#read[key as keyof typeof before])) return;
    this.#made = new Map();
    this.#sharing = null;
  }

  #beginAnew(place: Place | undefined): void {
    this.#place = place;
    for (const held of [this.#walks, this.#asked, this.#replies]) held.clear();
    this.#read = { events: 0, asked: 0, replies: 0 };
    this.#made = new Map();
    this.#sharing = null;
  }

  #take(events: readonly RecordedEvent[]): void {
    // A resumed run plays a group again that was not sealed: its episodes begin anew, its task is the same.
    const start = events.findLastIndex(({ actor, event }) => actor === `${this.#group}/group` && event.type === 'xstate.init');
    if (start >= 0) for (const path of this.#walks.keys()) if (path !== this.#group) this.#walks.delete(path);
    for (const [i, { actor, event }] of events.entries()) {
      const cut = actor.lastIndexOf('/');
      const path = actor.slice(0, cut);
      if (path !== this.#group && (i < start || !path.startsWith(`${this.#group}.e`))) continue;
      if (this.#only !== null && path !== this.#only) continue;
      let walk = this.#walks.get(path);
      if (walk === undefined) this.#walks.set(path, (walk = new CallWalk()));
      walk.take(actor.slice(cut + 1), event);
    }
  }
}

const replyOf = ({ text, finish, model, usage }: ReturnType<typeof chatReplyAt>): ChatPage['reply'] => ({
  text,
  finish,
  model,
  ...(usage === undefined ? {} : { usage }),
});

export class Calls {
  /** Least recently used first. */
  readonly #groups = new Map<string, GroupCalls>();

  /** `path`: an episode of the group, or the group itself for its task. `config`: the run's own. */
  async list(index: RunIndex, group: string, path: string, about: { config: JsonObject | null; isDrawn: boolean }): Promise<CallList> {
    const rows = await this.#of(index, group, path).rows(path);
    const actors = [...new Set(rows.map(({ actor }) => actor))];
    const sources = [...new Set(rows.map(sourceOf))];
    const ends = [...new Set(rows.map(({ end }) => end))];
    return {
      recorded: (index.place(group)?.asked.length ?? 0) > 0,
      players: playersIn(about.config, about.isDrawn),
      actors,
      sources,
      ends,
      actor: rows.map(({ actor }) => actors.indexOf(actor)),
      source: rows.map((row) => sources.indexOf(sourceOf(row))),
      end: rows.map(({ end }) => ends.indexOf(end)),
      attempt: rows.map(({ attempt }) => attempt),
      event: rows.map(({ event }) => event ?? -1),
    };
  }

  /** null where there are not so many. */
  async page(index: RunIndex, group: string, path: string, n: number): Promise<CallPage | null> {
    const calls = this.#of(index, group, path);
    const row = (await calls.rows(path))[n];
    if (row === undefined) return null;
    const { source } = row;
    const told = source?.from === 'group' ? source.call : undefined;
    return {
      ...row,
      index: n,
      source: sourceOf(row),
      calls: row.calls.map((id) => calls.chat(id)),
      told: told === undefined ? null : calls.chat(told),
    };
  }

  /** Of a run that is open no more. */
  forget(index: RunIndex): void {
    for (const [key, calls] of this.#groups) if (calls.index === index) this.#groups.delete(key);
  }

  #of(index: RunIndex, group: string, path: string): GroupCalls {
    const isRecorded = (index.place(group)?.asked.length ?? 0) > 0;
    const key = `${index.folder.dir} ${isRecorded ? group : path} ${isRecorded}`;
    const known = this.#groups.get(key);
    const calls = known?.index === index ? known : new GroupCalls(index, group, isRecorded ? null : path);
    this.#groups.delete(key);
    this.#groups.set(key, calls);
    let rows = [...this.#groups.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [other, { size }] of [...this.#groups].slice(0, -1)) {
      if (this.#groups.size <= keptGroups && rows <= keptRows) break;
      rows -= size;
      this.#groups.delete(other);
    }
    return calls;
  }
}

const sourceOf = ({ source }: CallRow): string => source?.from ?? '';

/** Tasks that are held out are played by code, whoever plays those that are drawn. */
function playersIn(config: JsonObject | null, isDrawn: boolean): CallList['players'] {
  const roles = (config?.['roles'] ?? {}) as Readonly<Record<string, unknown>>;
  const player = (role: string): 'model' | 'code' => (isDrawn && roles[role] === 'lm' ? 'model' : 'code');
  return { task: player('task'), user: player('user'), tool: player('tool'), judge: player('judge') };
}
