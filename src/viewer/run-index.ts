/**
 * What is where in a run's journal, read once and kept up to date: rows of its episodes, places of its groups and events, and the few facts of the whole run.
 * Holds no turns and no tokens; whoever shows them reads them again from their place.
 */
import { existsSync, readFileSync } from 'node:fs';
import { unpack } from '../protocol/codec.ts';
import { Frame, type FrameOf, type Parent } from '../protocol/frame.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Aspects } from '../protocol/task.ts';
import type { RunFolder } from '../record/folder.ts';
import { bandOf } from '../record/projections/fates.ts';
import { metricsRow } from '../record/projections/metrics.ts';
import type { Position } from '../record/reader.ts';
import { type Drawn, drawnOf } from './aspects.ts';
import type { EpisodeRow, LiveEvent } from './contract.ts';
import { firstActorOf, isChatReply, textOf } from './peek.ts';
import { eventsIn } from './recall.ts';
import { rowOfLine, rowsOf } from './rows.ts';
import { Spots } from './spots.ts';
import { JournalTail, type TailRecord } from './tail.ts';

/** Where a group lies. */
export interface Place {
  /** The last time it was sealed; null while it is played. */
  sealed: Position | null;
  /** What the trainer made of its tokens, as it is sealed now; null where it was not trained, or not yet. */
  signals: Position | null;
  /** Its task, where one was issued under this name. */
  task: Position | null;
  /** Frames with events of its actors, oldest first. */
  readonly events: Position[];
  /** Frames of what the models of its simulators were asked, and of what they replied. */
  readonly asked: Spots;
  readonly replies: Spots;
}

/** The run's own actors, whose events lie between the groups'. */
export const runScope = 'run';

/** Kinds of frames that say something here, beside events. */
const counted = new Set<string>([
  'run.started',
  'run.resumed',
  'task.issued',
  'group.sealed',
  'step.committed',
  'evaluation',
  'run.halted',
] satisfies Frame['kind'][]);

export class RunIndex {
  readonly folder: RunFolder;
  readonly #tail: JournalTail;
  /** Sealed, in the order of sealing; sealed again, a group replaces itself. */
  readonly #rows = new Map<string, readonly EpisodeRow[]>();
  /** Of episodes.jsonl, until the journal has been read once. */
  #early: ReadonlyMap<string, readonly EpisodeRow[]> | null = null;
  readonly #places = new Map<string, Place>();
  /** Hash → where the text lies that calls refer to so. */
  readonly #parts = new Map<string, Position>();
  readonly #aspects = new Map<string, Map<string, Aspects>>();
  #config: JsonObject | null = null;
  #parent: Parent | null = null;
  #halted: { readonly reason: string; readonly detail: string } | null = null;
  #evaluations: FrameOf<'evaluation'>[] = [];
  /** The first frame that could not be understood. */
  #strange: string | null = null;
  #isWhole = false;
  #size = 0;
  #revision = 0;
  #list: { readonly revision: number; readonly rows: readonly EpisodeRow[] } | null = null;

  constructor(folder: RunFolder) {
    this.folder = folder;
    this.#tail = new JournalTail(folder.journal);
  }

  /** Rises with every change of its rows. */
  get revision(): number {
    return this.#revision;
  }
  /** Whether the journal was read to its end at least once. */
  get isWhole(): boolean {
    return this.#isWhole;
  }
  get position(): Position {
    return this.#tail.position;
  }
  get config(): JsonObject | null {
    return this.#config;
  }
  /** Of a fork: what it was played anew from. */
  get parent(): Parent | null {
    return this.#parent;
  }
  get halted(): { readonly reason: string; readonly detail: string } | null {
    return this.#halted;
  }
  get evaluations(): readonly FrameOf<'evaluation'>[] {
    return this.#evaluations;
  }
  trouble(isWritten: boolean): string | null {
    return this.#tail.trouble(isWritten) ?? this.#strange;
  }
  /** Share of the journal that was read. */
  get read(): number {
    if (this.#isWhole) return 1;
    const { read, of } = this.#tail.progress;
    return of === 0 ? 1 : read / of;
  }

  /** Bytes of the journal that were not read yet. */
  get unread(): number {
    const { read, of } = this.#tail.progress;
    return of - read;
  }

  place(group: string): Place | undefined {
    return this.#places.get(group);
  }

  /** Where the text lies that calls refer to by this hash. */
  part(hash: string): Position | undefined {
    return this.#parts.get(hash);
  }

  /** Rows that are held. */
  get size(): number {
    return this.#size;
  }

  /** All rows by group, in the order of sealing. */
  groups(): ReadonlyMap<string, readonly EpisodeRow[]> {
    return this.#early === null ? this.#rows : new Map([...this.#early, ...this.#rows]);
  }

  /** All rows, in the order in which their groups were sealed. */
  rows(): readonly EpisodeRow[] {
    if (this.#list?.revision !== this.#revision) this.#list = { revision: this.#revision, rows: [...this.groups().values()].flat() };
    return this.#list.rows;
  }

  /** Of the training tasks of each step, oldest step first. */
  aspects(): Drawn[] {
    return [...this.#aspects].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([step, tasks]) => drawnOf(step, [...tasks.values()]));
  }

  /** Rows for a first answer while the journal is long: from episodes.jsonl, which holds the committed steps. */
  readEarly(): void {
    if (this.#isWhole || this.#early !== null || !existsSync(this.folder.episodes)) return;
    const groups = new Map<string, EpisodeRow[]>();
    for (const line of readFileSync(this.folder.episodes, 'utf8').split('\n')) {
      const row = line === '' ? null : rowOfLine(line);
      if (row === null) continue;
      const rows = groups.get(row.group);
      if (rows === undefined) groups.set(row.group, [row]);
      else rows.push(row);
    }
    // A member without an episode has no transcript; its task's words are its neighbours'.
    this.#early = new Map(
      [...groups].map(([group, rows]) => [group, withQuery(rows, rows.find(({ query }) => query !== '')?.query ?? '')]),
    );
    this.#revision++;
  }

  /** Reads on for as long as `goOn` says; tells what is new. True at the end of what there is. Throws RecordFault where there is no journal. */
  update(goOn: () => boolean, tell: (event: LiveEvent, at: Position) => void = () => undefined): boolean {
    const ended = this.#tail.read((record) => {
      const event = this.#attempt(record);
      if (event !== null) tell(event, record.next);
    }, goOn);
    if (ended === 'anew') {
      this.#forget();
      tell({ kind: 'reset' }, this.#tail.position);
      return this.update(goOn, tell);
    }
    if (ended === 'end' && !this.#isWhole) {
      this.#isWhole = true;
      this.#early = null;
      this.#revision++;
    }
    return ended === 'end';
  }

  get grew(): boolean {
    return this.#tail.grew;
  }

  #forget(): void {
    for (const held of [this.#rows, this.#places, this.#parts, this.#aspects]) held.clear();
    this.#early = null;
    this.#config = null;
    this.#parent = null;
    this.#halted = null;
    this.#strange = null;
    this.#evaluations = [];
    this.#isWhole = false;
    this.#size = 0;
    this.#revision++;
  }

  /** A frame that a checksum vouches for and that cannot be understood is another program's: noted once, and passed over. */
  #attempt(record: TailRecord): LiveEvent | null {
    try {
      return this.#take(record);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#strange ??= `${this.folder.journal}, segment ${record.at.segment}, byte ${record.at.offset}: a frame this program does not know (${reason}); it is left out`;
      return null;
    }
  }

  #take({ kind, head, frame, at }: TailRecord): LiveEvent | null {
    if (kind === 'events') return this.#takeEvents(head, frame, at);
    if (kind.startsWith('call.')) return this.#takeCall(kind, head, at);
    if (kind === 'group.signals') return this.#takeSignals(textOf(head, 'group'), at);
    if (!counted.has(kind)) return null;
    // By far the most of what is read, and a checksum has just said that it is what our own writer wrote: shapes are checked where they are shown.
    if (kind === 'group.sealed') return this.#takeGroup(unpack(frame()) as FrameOf<'group.sealed'>, at);
    if (kind === 'task.issued') return this.#takeTask(unpack(frame()) as FrameOf<'task.issued'>, at);
    const read = Frame.safeParse(unpack(frame()));
    return read.success ? this.#takeFact(read.data) : null;
  }

  #takeEvents(head: Uint8Array, frame: () => Uint8Array, at: Position): LiveEvent | null {
    const actor = firstActorOf(head);
    const first = actor === null ? null : scopeOf(actor);
    // A group's thread writes its own events only; the coordinator's frames may hold those of several tasks and of the run.
    const scopes =
      first !== null && first !== runScope && actor?.endsWith('/task') === false
        ? [first]
        : [...new Set(eventsIn(frame()).map((event) => scopeOf(event.actor)))];
    for (const scope of scopes) this.#placeOf(scope).events.push(at);
    return scopes[0] === undefined ? null : { kind: 'events', group: scopes.length === 1 ? scopes[0] : runScope };
  }

  #takeCall(kind: string, head: Uint8Array, at: Position): null {
    if (kind === 'call.part') this.#parts.set(textOf(head, 'hash') ?? '', at);
    // What the policy was asked and replied is in the group's traces; of the calls it is by far the most.
    else if (kind === 'call.reply' && !isChatReply(head)) return null;
    const group = textOf(head, 'group');
    if (group === null) return null;
    if (kind === 'call.asked') this.#placeOf(group).asked.add(at);
    else if (kind === 'call.reply') this.#placeOf(group).replies.add(at);
    return null;
  }

  #takeGroup({ envelope, bytes }: FrameOf<'group.sealed'>, at: Position): LiveEvent {
    const rows = rowsOf(unpack(bytes) as RolloutGroup, bandOf(this.#config));
    this.#size += rows.length - (this.#rows.get(envelope.group)?.length ?? 0);
    this.#revision++;
    this.#rows.delete(envelope.group);
    this.#rows.set(envelope.group, rows);
    const place = this.#placeOf(envelope.group);
    place.sealed = at;
    // They were of other tokens.
    place.signals = null;
    return { kind: 'episode', rows };
  }

  #takeSignals(group: string | null, at: Position): LiveEvent | null {
    if (group === null) return null;
    this.#placeOf(group).signals = at;
    return { kind: 'signals', group };
  }

  #takeTask({ step, task }: FrameOf<'task.issued'>, at: Position): null {
    this.#placeOf(task.id).task = at;
    const tasks = this.#aspects.get(step) ?? new Map<string, Aspects>();
    this.#aspects.set(step, tasks.set(task.id, task.aspects));
    return null;
  }

  #takeFact(frame: Frame): LiveEvent | null {
    if (frame.kind === 'step.committed') return { kind: 'step', row: metricsRow(frame) };
    if (frame.kind === 'run.started') {
      this.#config = frame.config;
      this.#parent = frame.parent ?? null;
    }
    if (frame.kind === 'run.halted') this.#halted = { reason: frame.reason, detail: frame.detail };
    if (frame.kind === 'evaluation')
      this.#evaluations = [...this.#evaluations.filter(({ when, step }) => when !== frame.when || step !== frame.step), frame];
    if (frame.kind !== 'run.resumed') return null;
    this.#halted = null;
    // Steps after it are taken back and trained again.
    for (const [group, place] of this.#places) if (frame.after === null || stepOf(group) > frame.after) place.signals = null;
    return { kind: 'reset' };
  }

  #placeOf(group: string): Place {
    let place = this.#places.get(group);
    if (place === undefined) {
      place = { sealed: null, signals: null, task: null, events: [], asked: new Spots(), replies: new Spots() };
      this.#places.set(group, place);
    }
    return place;
  }
}

const withQuery = (rows: readonly EpisodeRow[], query: string): EpisodeRow[] =>
  rows.map((row) => (row.query === '' ? { ...row, query } : row));

/** `s00001` of the group `s00001.t003`. */
const stepOf = (group: string): string => group.slice(0, group.lastIndexOf('.'));

/** The group an actor belongs to: `s00001.t003` of `s00001.t003.e05/agent`, and of its task's writer `s00001.t003/task`. */
const scopeOf = (actor: string): string => actor.slice(0, Math.max(0, actor.lastIndexOf('/'))).replace(/\.e\d+$/, '');
