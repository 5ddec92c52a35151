/**
 * One engine and the way to it: its queue, window, circuit, mode and upkeep. It ends no call by itself and knows no other lane: how a batch ended, and that its mode
 * changed, it tells the broker.
 */
import { EngineFault, asFault } from '../errors.ts';
import type { PolicyVersion } from '../protocol/ids.ts';
import type { Weights } from '../protocol/policy.ts';
import { seedOf, type Seed } from '../random.ts';
import { isThrottled, type Admission } from './admission.ts';
import { versionOf, type Asked, type Batch, type Call, type WaitsFor } from './call.ts';
import { sequelOf } from './call-sequel.ts';
import { createCircuit, type Circuit } from './circuit.ts';
import type { Clock } from './clock.ts';
import { Dispatch, type BatchEnd } from './dispatch.ts';
import type { Engine } from './engine.ts';
import { LaneMode, type ModeChart } from './lane-mode.ts';
import { probe } from './lane-probe.ts';
import { LaneUpkeep, retired } from './lane-upkeep.ts';
import { LaneWindow } from './lane-window.ts';

export interface LaneOptions {
  readonly engine: Engine;
  readonly name: string;
  readonly clock: Clock;
  readonly seed: Seed;
  readonly stallMs: number;
  readonly patienceMs: number;
  readonly restMs: number;
  readonly pollMs: number;
  readonly version: PolicyVersion | undefined;
  readonly mode: ModeChart | undefined;
  ended(batch: Batch, end: BatchEnd): void;
  changed(mode: string): void;
  stalled(): void;
  /** A small question that an engine of this run has answered, or is asked: for the probe. */
  known(): Asked | undefined;
}

export class Lane {
  readonly name: string;
  readonly engine: Engine;
  readonly dispatch: Dispatch;
  readonly #options: LaneOptions;
  readonly #mode: LaneMode;
  readonly #circuit: Circuit;
  readonly #upkeep: LaneUpkeep;
  /** Calls of a version that is to come. */
  readonly #early = new Set<Call>();
  readonly #window: LaneWindow;
  #probes = 0;

  constructor(options: LaneOptions) {
    const { engine, clock, seed, stallMs, patienceMs, restMs } = options;
    this.#options = options;
    this.engine = engine;
    this.name = options.name;
    this.#upkeep = new LaneUpkeep(engine, clock, patienceMs, options.version);
    this.#mode = new LaneMode(options.mode);
    this.dispatch = new Dispatch({
      engine,
      clock,
      stallMs,
      admission: () => this.#window.admission,
      serving: () => this.isServing,
      ended: (batch, end) => {
        this.#learn(batch, end);
        options.ended(batch, end);
      },
      stalled: () => options.stalled(),
    });
    this.#window = new LaneWindow({
      engine,
      clock,
      pollMs: options.pollMs,
      inFlight: () => this.dispatch.inFlight,
      riding: () => this.dispatch.riding,
      serving: () => this.isServing,
      moved: () => {
        this.#showLimit();
        this.dispatch.wake();
      },
    });
    this.#circuit = createCircuit({
      clock,
      seed: seedOf(seed, options.name),
      mode: this.#mode.chart,
      probeMs: 2 * patienceMs + stallMs,
      restMs,
      probe: (signal) => this.#probe(signal),
    });
  }

  start(): void {
    this.#mode.start(
      () => this.#showLimit(),
      (mode) => {
        this.#options.changed(mode);
        this.dispatch.wake();
      },
    );
    this.#window.start();
  }

  get mode(): string {
    return this.#mode.name;
  }

  /** Calls may start now. */
  get isServing(): boolean {
    return this.#mode.isServing;
  }

  /** It serves, or will when what it is doing is done. */
  get isSound(): boolean {
    return this.#mode.isSound;
  }

  get admission(): Admission {
    return this.#window.admission;
  }

  get waiting(): number {
    return this.dispatch.waiting + this.#early.size;
  }

  /** Open work per slot. */
  get load(): number {
    return (this.waiting + this.dispatch.inFlight) / this.admission.limit;
  }

  /** Why this engine cannot answer, now or later; undefined where it can. */
  complaint(asked: Asked): EngineFault | undefined {
    const { engine } = this;
    if (asked.kind === 'chat') return engine.chat === undefined ? refused(`engine ${engine.name} cannot chat`) : undefined;
    const { ids, version } = asked.request;
    if (ids.length >= engine.contextLength)
      return refused(`a prompt of ${ids.length} tokens leaves no room in a context of ${engine.contextLength}`);
    if (version !== null && version < this.#upkeep.oldest) return retired(version, this.#upkeep.oldest, this.#upkeep.newest);
    return undefined;
  }

  enqueue(call: Call): void {
    call.state = 'waiting';
    if (this.#upkeep.isToCome(versionOf(call))) this.#early.add(call);
    else this.dispatch.enqueue(call);
  }

  /** Takes a waiting call out. */
  withdraw(call: Call): void {
    if (!this.#early.delete(call)) this.dispatch.withdraw(call);
  }

  withdrawAll(): Call[] {
    const early = [...this.#early];
    this.#early.clear();
    return [...early, ...this.dispatch.withdrawAll()];
  }

  /** The call is not wanted any more, wherever it is. */
  drop(call: Call): void {
    if (this.#early.delete(call)) call.state = 'ended';
    else this.dispatch.drop(call);
  }

  waitsFor(call: Call): WaitsFor {
    return this.#early.has(call) ? 'publication' : this.#mode.waitsFor;
  }

  /** A call’s own time ran out inside the engine. */
  overdue(): void {
    this.#circuit.book(false);
  }

  /** Whoever runs the engine says that it is back: nobody waits for the circuit’s rest. */
  returned(): void {
    this.#circuit.rouse();
  }

  /** From now on these weights must answer; a lane that is not sound gets them before it serves again. */
  order(weights: Weights): void {
    this.#upkeep.order(weights);
  }

  /** Hands over what was ordered. Rejects with EngineFault, and the circuit is open. */
  async publish(): Promise<void> {
    const replaces = this.engine.versions <= 1;
    this.#mode.send(replaces ? 'weights.publish' : 'weights.load');
    try {
      if (replaces) await this.dispatch.idle(this.#options.patienceMs);
      await this.#upkeep.bringUp();
      this.#circuit.mend();
      this.#mode.send('weights.published');
    } catch (error) {
      this.#mode.send('weights.refused');
      throw asFault(EngineFault, `publishing version ${this.#upkeep.newest ?? ''} to ${this.name}`, error);
    } finally {
      this.#admitEarly();
    }
  }

  /** Lets what is in flight end, and the engine make room. Rejects with EngineFault, and the circuit is open. */
  async lend(): Promise<void> {
    const { patienceMs } = this.#options;
    this.#mode.send('accelerator.lend');
    try {
      await this.dispatch.idle(patienceMs);
      this.dispatch.recall(new EngineFault(`engine ${this.name} held a call ${patienceMs} ms into a loan`, { trouble: 'stalled' }));
      await this.#upkeep.sleep();
      this.#mode.send('accelerator.lent');
    } catch (error) {
      this.#mode.send('accelerator.kept');
      throw asFault(EngineFault, `lending the accelerator of ${this.name}`, error);
    }
  }

  /** Rejects with EngineFault, and the circuit is open. */
  async reclaim(): Promise<void> {
    this.#mode.send('accelerator.reclaim');
    try {
      await this.#upkeep.bringUp();
      this.#mode.send('accelerator.reclaimed');
    } catch (error) {
      this.#mode.send('accelerator.lost');
      throw asFault(EngineFault, `taking the accelerator of ${this.name} back`, error);
    }
  }

  drain(): void {
    this.#window.close();
    this.#mode.send('broker.drain');
  }

  closed(): void {
    this.#mode.send('broker.drained');
  }

  /** What the end of a batch says about the engine. */
  #learn(batch: Batch, end: BatchEnd): void {
    if (!(end instanceof Error)) return this.#circuit.book(true);
    const { isSick, isPressed } = sequelOf(end);
    if (isSick) this.#circuit.book(false);
    if (isPressed) this.#window.turnedAway(batch.askedAt);
  }

  #showLimit(): void {
    this.#mode.limit(isThrottled(this.admission));
  }

  #admitEarly(): void {
    for (const call of this.#early) {
      if (this.#upkeep.isToCome(versionOf(call))) continue;
      this.#early.delete(call);
      this.dispatch.enqueue(call);
    }
  }

  /** An engine that failed serves again when it has what was ordered, and says one token. */
  async #probe(signal: AbortSignal): Promise<void> {
    const { known, stallMs } = this.#options;
    await this.#upkeep.bringUp();
    this.#admitEarly();
    const own = { id: `probe-${this.name}-${this.#probes++}`, version: this.#upkeep.newest, deadlineMs: stallMs };
    await probe(this.engine, known(), own, signal);
  }
}

const refused = (message: string): EngineFault => new EngineFault(message, { trouble: 'refused' });
