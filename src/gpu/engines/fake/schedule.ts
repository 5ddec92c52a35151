/**
 * Continuous batching as vLLM does it, in simulated milliseconds: admission by priority and arrival, a token budget a step, chunked prefill, prefix cache,
 * preemption by recomputing. It knows lengths, not tokens, and no clock: whoever drives it says how far time has come.
 *
 * Steps in which nothing but decoding happens are taken together in closed form, so that a long reply costs no more than a short one.
 */
import { BlockPool, type Holding } from './blocks.ts';
import { blockTokens } from './chain.ts';
import { WaitingLine, isBefore } from './line.ts';
import { blocksOf, heldBy, type Job, type Sequence } from './sequence.ts';
import type { FakeSettings } from './settings.ts';
import { lasting, stepsBy, type Stretch } from './stretch.ts';
import { newTally, type Tally } from './tally.ts';

export type Pause = 'none' | 'new' | 'all';

export class Schedule {
  readonly pool: BlockPool;
  #tally: Tally = newTally();
  readonly #settings: FakeSettings;
  readonly #line = new WaitingLine<Sequence>();
  #running: Sequence[] = [];
  #stretch: Stretch | undefined;
  readonly #standstills: { readonly ms: number; readonly over: () => void }[] = [];
  readonly #drained: (() => void)[] = [];
  #time = 0;
  #serial = 0;
  #cancelledWaiting = 0;
  #deferred = 0;
  #pause: Pause = 'none';

  constructor(settings: FakeSettings) {
    this.#settings = settings;
    this.pool = new BlockPool(settings.blocks);
  }

  get tally(): Tally {
    return this.#tally;
  }
  /** Counts from nought again. */
  recount(): void {
    this.#tally = newTally();
  }
  /** Up to when everything has happened. */
  get time(): number {
    return this.#time;
  }
  get running(): number {
    return this.#running.length;
  }
  get waiting(): number {
    return this.#line.length - this.#cancelledWaiting;
  }
  /** Of those waiting, how many wait for an adapter's slot. */
  get deferred(): number {
    return this.#deferred;
  }
  /** Names of the adapters that run, and of those waited for. */
  adapters(): { readonly running: string[]; readonly waiting: string[] } {
    const names = (list: readonly Sequence[]): string[] => [...new Set(list.flatMap(({ job }) => job.adapter ?? []))].toSorted();
    return { running: names(this.#running), waiting: names(this.#line.values()) };
  }

  /** Adds a job at `at`, which `advance` must have reached. */
  add(job: Job, at: number): Sequence {
    const sequence: Sequence = {
      job,
      priority: job.priority,
      serial: this.#serial++,
      said: 0,
      todo: job.promptTokens,
      chunk: 0,
      holding: undefined,
      cached: undefined,
      cancelled: false,
    };
    this.#line.push(sequence);
    this.tally.jobs++;
    this.tally.firstArrival ??= at;
    this.#interrupt(at);
    return sequence;
  }

  /** Takes a job back; it ends as aborted at once, its place is free after the step under way. */
  cancel(sequence: Sequence, at: number): void {
    if (sequence.cancelled || sequence.said >= sequence.job.length) return;
    sequence.cancelled = true;
    this.tally.aborted++;
    if (this.#running.includes(sequence)) this.#cut(at);
    else this.#cancelledWaiting++;
    sequence.job.ended('aborted', at);
  }

  cancelAll(at: number): void {
    for (const sequence of [...this.#running, ...this.#line.values()]) this.cancel(sequence, at);
  }

  /** Between two steps nothing happens for `ms`; then `over` is called. */
  standStill(ms: number, at: number, over: () => void): void {
    this.#standstills.push({ ms, over });
    this.#cut(at);
    if (this.#stretch === undefined) this.#time = Math.max(this.#time, at);
  }

  /** Calls `over` as soon as nothing runs. */
  whenDrained(over: () => void): void {
    if (this.#running.length === 0) over();
    else this.#drained.push(over);
  }

  pause(pause: Pause, at: number): void {
    this.#pause = pause;
    this.#cut(at);
    if (this.#stretch === undefined) this.#time = Math.max(this.#time, at);
  }

  /** Lets everything happen that ends by `until`; returns when the next thing ends, or undefined where nothing is under way. */
  advance(until: number): number | undefined {
    for (;;) {
      if (this.#stretch === undefined) {
        if (this.#running.length + this.#line.length + this.#standstills.length === 0) return undefined;
        // What starts at this very instant is left open: more may arrive in it.
        if (this.#time >= until) return this.#time;
        this.#stretch = this.#next();
      }
      if (this.#stretch === undefined) return undefined;
      if (this.#stretch.end > until) return this.#stretch.end;
      const stretch = this.#stretch;
      this.#stretch = undefined;
      this.#finish(stretch);
    }
  }

  /** A newcomer matters at once only where there is room for it. */
  #interrupt(at: number): void {
    if (this.#stretch === undefined) this.#time = Math.max(this.#time, at);
    else if (this.#running.length < this.#settings.maxSequences) this.#cut(at);
  }

  /** Ends a run of decoding steps with the one under way at `at`. */
  #cut(at: number): void {
    const stretch = this.#stretch;
    if (stretch?.kind !== 'decode') return;
    stretch.steps = stepsBy(stretch, at);
    stretch.end = stretch.start + lasting(stretch, stretch.steps);
  }

  #next(): Stretch | undefined {
    const start = this.#time;
    const still = this.#standstills.shift();
    if (still !== undefined) return { kind: 'still', start, end: start + still.ms, steps: 0, first: 0, more: 0, over: still.over };
    this.#drop();
    if (this.#pause === 'all') return undefined;
    const preempted = this.#makeRoom();
    let budget = this.#settings.stepTokens;
    for (const each of this.#running) if (each.todo === 0) budget--;
    for (const each of this.#running) budget -= each.chunk = Math.min(each.todo, Math.max(0, budget));
    if (!preempted && this.#pause === 'none') this.#admit(budget);
    if (this.#running.length === 0) return undefined;
    return this.#plan(start);
  }

  #plan(start: number): Stretch {
    const { cost } = this.#settings;
    let prefilled = 0;
    let decoding = 0;
    let context = 0;
    let adapters = false;
    let left = Infinity;
    for (const { job, chunk, todo, said } of this.#running) {
      adapters ||= job.adapter !== undefined;
      prefilled += chunk;
      if (todo > 0) continue;
      decoding++;
      context += job.promptTokens + said;
      left = Math.min(left, job.length - said);
    }
    const factor = adapters ? cost.adapter : 1;
    const linear = factor * (cost.prefill * prefilled + cost.decode * decoding + cost.context * context);
    const first = factor * cost.base + linear;
    const kind = prefilled > 0 ? 'mixed' : 'decode';
    const more = factor * cost.context * decoding;
    let steps = kind === 'mixed' ? 1 : left;
    while (steps > 1 && this.#wanted(steps) > this.pool.free) steps = steps >> 1;
    const stretch: Stretch = { kind, start, end: start + first, steps, first, more };
    stretch.end = start + lasting(stretch, steps);
    return stretch;
  }

  #finish(stretch: Stretch): void {
    this.#time = stretch.end;
    if (stretch.kind === 'still') return stretch.over?.();
    const { tally } = this;
    const { base, adapter } = this.#settings.cost;
    const ms = stretch.end - stretch.start;
    const { steps } = stretch;
    const overhead = steps * base * (this.#running.some(({ job }) => job.adapter !== undefined) ? adapter : 1);
    tally.steps += steps;
    tally.busyMs += ms;
    tally.overheadMs += overhead;
    tally.slotMs += ms * this.#running.length;
    tally.mostRunning = Math.max(tally.mostRunning, this.#running.length);
    const ended: Sequence[] = [];
    const kept: Sequence[] = [];
    for (const each of this.#running) {
      this.#step(each, steps);
      if (each.said >= each.job.length || each.cancelled) ended.push(each);
      else kept.push(each);
    }
    this.#running = kept;
    for (const each of ended) this.#end(each);
    tally.lastEnd = this.#time;
    if (this.#running.length === 0) for (const over of this.#drained.splice(0)) over();
  }

  #step(each: Sequence, steps: number): void {
    const { tally } = this;
    if (each.todo > 0) {
      each.todo -= each.chunk;
      tally.prefilled += each.chunk;
      each.chunk = 0;
      if (each.todo > 0) return;
      // The step that ends a prompt gives the first token.
      each.said++;
      tally.generated++;
    } else {
      each.said += steps;
      tally.decoded += steps;
      tally.generated += steps;
    }
    const short = blocksOf(each) - heldBy(each);
    if (short > 0) this.pool.grow(each.holding as Holding, short);
  }

  #end(each: Sequence): void {
    const holding = each.holding as Holding;
    if (!each.cancelled) this.pool.share(holding, each.job.allKeys());
    this.pool.release(holding);
    if (each.cancelled) return;
    this.tally.done++;
    each.job.ended('done', this.#time);
  }

  /** Removes those cancelled since the last step. */
  #drop(): void {
    if (!this.#running.some(({ cancelled }) => cancelled)) return;
    const dropped = this.#running.filter(({ cancelled }) => cancelled);
    this.#running = this.#running.filter(({ cancelled }) => !cancelled);
    for (const each of dropped) this.#end(each);
    if (this.#running.length === 0) for (const over of this.#drained.splice(0)) over();
  }

  /** Blocks that all who decode need for `steps` more tokens each. */
  #wanted(steps: number): number {
    let wanted = 0;
    for (const each of this.#running) if (each.todo === 0) wanted += Math.max(0, blocksOf(each, steps) - heldBy(each));
    return wanted;
  }

  /** Takes places from the last in line until the next step fits; what they had computed is lost. */
  #makeRoom(): boolean {
    let preempted = false;
    while (this.#running.length > 1 && this.#wanted(1) > this.pool.free) {
      const victim = this.#running.reduce((last, each) => (isBefore(last, each) ? each : last));
      this.#running = this.#running.filter((each) => each !== victim);
      this.pool.release(victim.holding as Holding);
      victim.holding = undefined;
      victim.todo = victim.job.promptTokens + victim.said;
      victim.chunk = 0;
      this.#line.push(victim);
      this.tally.preemptions++;
      preempted = true;
    }
    return preempted;
  }

  #admit(budget: number): void {
    const { maxSequences, maxAdapters } = this.#settings;
    const adapters = new Set(this.#running.flatMap(({ job }) => job.adapter ?? []));
    const deferred: Sequence[] = [];
    while (budget > 0 && this.#running.length < maxSequences) {
      const each = this.#line.first;
      if (each === undefined) break;
      if (each.cancelled) {
        this.#line.shift();
        this.#cancelledWaiting--;
        continue;
      }
      const { adapter } = each.job;
      if (adapter !== undefined && !adapters.has(adapter) && adapters.size >= maxAdapters) {
        deferred.push(this.#line.shift() as Sequence);
        continue;
      }
      if (!this.#place(each)) break;
      this.#line.shift();
      if (adapter !== undefined) adapters.add(adapter);
      each.chunk = Math.min(each.todo, budget);
      budget -= each.chunk;
      this.#running.push(each);
    }
    for (const each of deferred) this.#line.push(each);
    this.#deferred = deferred.length;
  }

  /** Finds room for the whole prompt, its cached part shared; at least its last token is computed anew. */
  #place(each: Sequence): boolean {
    const { job } = each;
    const tokens = job.promptTokens + each.said;
    const hits = this.pool.matched(job.keys, Math.floor((tokens - 1) / blockTokens));
    const holding = this.pool.admit(job.keys, hits, Math.ceil(tokens / blockTokens) - hits);
    if (holding === undefined) return false;
    // Shared before they are computed, as vLLM does: the step that computes them comes first.
    this.pool.share(holding, job.keys);
    each.holding = holding;
    each.todo = tokens - hits * blockTokens;
    each.cached ??= hits * blockTokens;
    this.tally.queried += tokens;
    this.tally.cached += hits * blockTokens;
    return true;
  }
}
