/** A run that somebody looked at: its index, read in short slices between which others have their turn, and who is told what is new in it. Knows time; not which runs there are. */
import type { RunFolder } from '../record/folder.ts';
import type { Position } from '../record/reader.ts';
import type { LiveEvent } from './contract.ts';
import { nextTurn } from './next-turn.ts';
import type { ViewerClock } from './ports.ts';
import { RunIndex } from './run-index.ts';

export type Tell = (event: LiveEvent, at: Position) => void;

/** Milliseconds of reading between two turns of everybody else. */
const sliceMs = 12;
/** An answer waits this long for a journal that is read the first time; then it says how far it is. At once where that much could not be read anyway. */
const patienceMs = 400;
const soonRead = 8 * 1024 * 1024;
/** One that is about a single group waits for that one: there is nothing else to answer. */
const groupPatienceMs = 15_000;

export interface Reading {
  /** Nobody wants the rest any more. */
  ends(): boolean;
  /** Others are answered meanwhile: what nobody waits for is read at a tenth of the pace. */
  isBusy(): boolean;
  /** What to do at its end. */
  over(): void;
}

export class OpenedRun {
  readonly index: RunIndex;
  readonly tells = new Set<Tell>();
  readonly #clock: ViewerClock;
  #reading: Promise<void> | null = null;
  /** Somebody waits for it: it is read without rests. */
  #isWanted = false;
  #failure: string | null = null;

  constructor(folder: RunFolder, clock: ViewerClock) {
    this.index = new RunIndex(folder);
    this.#clock = clock;
  }

  get isReading(): boolean {
    return this.#reading !== null;
  }

  /** Why it cannot be read at all. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Reads on for somebody who waits, and comes back when it is up to date, or as to `group`, or when patience ends: the index says how far it is. Never rejects. */
  async bringUp(group: string | null, reading: Reading): Promise<void> {
    this.#isWanted = true;
    // Where somebody listens it is read on all the time, and pages ask for what they heard of.
    const isFollowed = this.index.isWhole && this.tells.size > 0;
    if (!this.isReading && this.index.isWhole && (isFollowed || !this.index.grew)) return;
    const read = this.read(reading);
    if (group !== null) await this.#untilSealed(group);
    else if (this.#failure !== null || this.index.unread < soonRead) await this.#within(patienceMs, read);
    if (this.isReading) this.index.readEarly();
  }

  /** What it has grown by, without rests. Never rejects. */
  async refresh(reading: Reading): Promise<void> {
    this.#isWanted = true;
    if (!this.index.isWhole || this.index.grew) await this.read(reading);
  }

  /** One reading at a time: whoever comes meanwhile waits for the same. Never rejects. */
  read({ ends, isBusy, over }: Reading): Promise<void> {
    this.#reading ??= this.#readSlices({ ends, isBusy }).finally(() => {
      this.#reading = null;
      over();
    });
    return this.#reading;
  }

  async #readSlices({ ends, isBusy }: Omit<Reading, 'over'>): Promise<void> {
    const { index } = this;
    const tell: Tell = (event, at) => {
      for (const one of this.tells) one(event, at);
    };
    /** What was there before the first reading came to its end is no news: one word stands for all of it. */
    const wasWhole = index.isWhole;
    try {
      for (;;) {
        const until = this.#clock.now() + sliceMs;
        const isAtEnd = index.update(() => this.#clock.now() < until, wasWhole ? tell : undefined);
        this.#failure = null;
        if (isAtEnd && !wasWhole) tell({ kind: 'reset' }, index.position);
        if (isAtEnd || ends()) return;
        await (this.#isWanted ? nextTurn() : this.#pause(isBusy() ? 10 * sliceMs : sliceMs));
      }
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
    }
  }

  /** A group whose end was not read yet is no group that is played. */
  async #untilSealed(group: string): Promise<void> {
    const late = this.#clock.now() + groupPatienceMs;
    while (this.isReading && this.#clock.now() < late) {
      if (!this.index.isWhole && this.index.place(group)?.sealed != null) return;
      await nextTurn();
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve));
  }

  async #within(ms: number, work: Promise<void>): Promise<void> {
    let recall = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      recall = this.#clock.after(ms, resolve);
    });
    await Promise.race([work, late]);
    recall();
  }
}
