/** All runs under one folder, for as long as somebody looks: which there are, how each stands, and those that were opened, of which only so many are kept. Knows folders; not what a page shows. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RecordFault } from '../errors.ts';
import type { JsonObject } from '../protocol/json.ts';
import { listFolders, type RunFolder } from '../record/folder.ts';
import { writerOf } from '../record/lock.ts';
import { CardReader } from './card.ts';
import type { ForkCard, RunCard } from './contract.ts';
import { changesOf } from './forked.ts';
import { OpenedRun, type Reading, type Tell } from './opened-run.ts';
import type { ViewerClock, ViewerPorts } from './ports.ts';
import type { RunIndex } from './run-index.ts';

/** Indexes kept, and rows in all of them; the one used last always stays. */
const indexLimit = 8;
const rowLimit = 150_000;
/** For this long after somebody asked, journals that nobody asked for are read at a tenth of the pace. */
const askedMs = 1000;
/** Of journals read unasked, all together. */
const inspectedBytes = 256 * 1024 * 1024;
/** Forks of one episode that are told. */
const forkLimit = 50;
/** Vanished runs remembered. */
const vanishedLimit = 200;

export class Runs {
  readonly dir: string;
  readonly #clock: ViewerClock;
  readonly #note: (text: string) => void;
  readonly #cards = new CardReader();
  /** Least recently used first. */
  readonly #opened = new Map<string, OpenedRun>();
  /** Last seen as; a run that is gone is shown as it was, with what happened to it. */
  readonly #seen = new Map<string, RunCard>();
  /** What journals suffer from that were read to their end, open or not. */
  readonly #troubles = new Map<string, string | null>();
  readonly #forgets: ((index: RunIndex) => void)[] = [];
  readonly #yields: () => void;
  #hasYielded = false;
  #closed = false;
  /** When an index was last asked for. */
  #asked = -Infinity;

  constructor(dir: string, { clock, note, yields }: Pick<ViewerPorts, 'clock' | 'note' | 'yields'>) {
    this.dir = dir;
    this.#clock = clock;
    this.#note = note;
    this.#yields = yields ?? (() => undefined);
  }

  /**
   * Reads the journals that nobody writes and that are not too long, newest first, so that the list tells which are damaged before anybody opens them. Half of the time it rests, and nearly always while pages ask.
   */
  async inspect(): Promise<void> {
    let left = inspectedBytes;
    for (const folder of this.#folders().toReversed()) {
      const size = journalSize(folder);
      if (size === null || this.#isWritten(folder)) continue;
      if (this.#closed || (left -= size) < 0) return;
      const opened = this.#opened.get(folder.name) ?? new OpenedRun(folder, this.#clock);
      await opened.read(this.#readingOf(opened));
    }
  }

  close(): void {
    this.#closed = true;
  }

  /** One card a run, oldest first, those that vanished while we looked last. */
  cards(): RunCard[] {
    const folders = this.#folders();
    const there = folders.map((folder) => this.#cardOf(folder));
    const names = new Set(there.map(({ run }) => run));
    const gone = [...this.#seen.values()].filter(({ run }) => !names.has(run)).map((card) => ({ ...card, trouble: vanished(this.dir) }));
    for (const card of there) this.#remember(card);
    return [...there, ...gone];
  }

  card(run: string): RunCard | null {
    const folder = this.#folder(run);
    if (folder !== null) {
      const card = this.#cardOf(folder);
      this.#remember(card);
      return card;
    }
    const seen = this.#seen.get(run);
    return seen === undefined ? null : { ...seen, trouble: vanished(this.dir) };
  }

  /**
   * The run's index, up to date or, where its journal is long and was not read before, as far as it came within a moment: `isWhole` tells.
   * null where there is no such run; one that vanished is shown for as long as its index is kept. Rejects with RecordFault where its journal cannot be read.
   * `group`: what the answer is about; it is then up to date as to that group, however long the rest is.
   */
  async index(run: string, group: string | null = null): Promise<RunIndex | null> {
    const opened = this.#open(run);
    if (opened === null) return null;
    this.#asked = this.#clock.now();
    await opened.bringUp(group, this.#readingOf(opened));
    if (opened.failure !== null && opened.index.config === null && existsSync(opened.index.folder.dir))
      throw new RecordFault(opened.failure);
    return opened.index;
  }

  /** Forks of an episode, newest first. */
  forksOf(run: string, episode: string): ForkCard[] {
    const folders = this.#folders();
    const parent = folders.find(({ name }) => name === run);
    const config = parent === undefined ? null : this.#cards.configOf(parent);
    const cards: ForkCard[] = [];
    for (const folder of folders.toReversed()) {
      const fork = this.#forkIn(folder, { run, episode, config });
      if (fork !== null) cards.push(fork);
      if (cards.length === forkLimit) break;
    }
    return cards;
  }

  /** null where it is none of this episode, vanished meanwhile, or is not to be understood: that is for its own page to say. */
  #forkIn(
    folder: RunFolder,
    { run, episode, config }: { readonly run: string; readonly episode: string; readonly config: JsonObject | null },
  ): ForkCard | null {
    try {
      const from = this.#cards.parentOf(folder);
      if (from?.run !== run || from.episode !== episode) return null;
      const own = this.#cards.configOf(folder);
      return {
        run: folder.name,
        state: this.#cardOf(folder).state,
        turn: from.turn,
        changed: config === null || own === null ? [] : changesOf(config, own, episode),
        end: this.#cards.forkEnd(folder),
      };
    } catch {
      return null;
    }
  }

  /** As the run began. */
  configOf(index: RunIndex): JsonObject | null {
    return index.config ?? (existsSync(index.folder.dir) ? this.#cards.configOf(index.folder) : null);
  }

  /** Whoever keeps what it made of an index is told when that index is kept no more: it would keep all of it. */
  whenForgotten(forget: (index: RunIndex) => void): void {
    this.#forgets.push(forget);
  }

  /** Tells what is new in a run from now on, whenever `refresh` is called. Returns the way to end it; null where there is no such run. */
  follow(run: string, tell: Tell): (() => void) | null {
    const opened = this.#open(run);
    opened?.tells.add(tell);
    return opened === null ? null : () => opened.tells.delete(tell);
  }

  /** Reads what a followed run has grown by. */
  async refresh(run: string): Promise<void> {
    const opened = this.#opened.get(run);
    await opened?.refresh(this.#readingOf(opened));
  }

  #cardOf(folder: RunFolder): RunCard {
    const opened = this.#opened.get(folder.name);
    try {
      const trouble = opened === undefined ? (this.#troubles.get(folder.name) ?? null) : this.#troubleOf(opened);
      const card = this.#cards.read(folder, trouble);
      if (card.state === 'running') this.#yieldOnce();
      return card;
    } catch (error) {
      // It vanished, or became unreadable, between two looks.
      return { ...(this.#seen.get(folder.name) ?? unknown(folder.name)), trouble: error instanceof Error ? error.message : String(error) };
    }
  }

  #yieldOnce(): void {
    if (this.#hasYielded) return;
    this.#hasYielded = true;
    this.#yields();
  }

  #open(run: string): OpenedRun | null {
    let opened = this.#opened.get(run);
    if (opened === undefined) {
      const folder = this.#folder(run);
      if (folder === null) return null;
      opened = new OpenedRun(folder, this.#clock);
    }
    this.#opened.delete(run);
    this.#opened.set(run, opened);
    this.#closeOld();
    return opened;
  }

  #closeOld(): void {
    let rows = [...this.#opened.values()].reduce((sum, { index }) => sum + index.size, 0);
    for (const [run, opened] of [...this.#opened].slice(0, -1)) {
      if (this.#opened.size <= indexLimit && rows <= rowLimit) return;
      if (opened.tells.size > 0 || opened.isReading) continue;
      rows -= opened.index.size;
      this.#opened.delete(run);
      for (const forget of this.#forgets) forget(opened.index);
    }
  }

  /** How one of ours is read: until the viewer closes, slowly while pages ask for others, and what it suffers from is noted at its end. */
  #readingOf(opened: OpenedRun): Reading {
    return {
      ends: () => this.#closed,
      isBusy: () => this.#clock.now() < this.#asked + askedMs,
      over: () => this.#noteTrouble(opened),
    };
  }

  #noteTrouble(opened: OpenedRun): void {
    const { name } = opened.index.folder;
    const trouble = this.#troubleOf(opened);
    if (trouble !== null && this.#troubles.get(name) !== trouble) this.#note(`run ${name}: ${trouble}`);
    this.#troubles.set(name, trouble);
  }

  #troubleOf({ failure, index }: OpenedRun): string | null {
    return failure ?? index.trouble(this.#isWritten(index.folder));
  }

  #isWritten({ dir }: RunFolder): boolean {
    try {
      return writerOf(dir) !== null;
    } catch {
      // Its folder is gone.
      return false;
    }
  }

  /** None where the folder cannot be read, or changes while it is read: what was there is then told as vanished. */
  #folders(): RunFolder[] {
    try {
      return listFolders(this.dir);
    } catch {
      return [];
    }
  }

  /** By its exact name: what a browser asks for is never made into a path. */
  #folder(run: string): RunFolder | null {
    return this.#folders().find(({ name }) => name === run) ?? null;
  }

  #remember(card: RunCard): void {
    this.#seen.delete(card.run);
    this.#seen.set(card.run, card);
    const oldest = this.#seen.keys().next();
    if (this.#seen.size > vanishedLimit + this.#opened.size && oldest.done !== true) this.#seen.delete(oldest.value);
  }
}

/** null where there is none, or it cannot be read. */
function journalSize({ journal }: RunFolder): number | null {
  try {
    return readdirSync(journal).reduce((sum, name) => sum + statSync(join(journal, name)).size, 0);
  } catch {
    return null;
  }
}

const vanished = (dir: string): string => `the folder of this run is gone from ${dir}: it was moved or removed while the viewer ran`;

const unknown = (run: string): RunCard => ({
  run,
  state: 'fault',
  steps: 0,
  ofSteps: null,
  difficulty: null,
  meanReward: null,
  success: null,
  trouble: null,
});
