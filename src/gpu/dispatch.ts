/**
 * Between queue and engine: which calls start together, what the engine is asked, and how an attempt ends. It knows batches and slots;
 * what becomes of a call afterwards is for the broker to say.
 */
import { EngineFault, asFault, type TroupeFault } from '../errors.ts';
import { pack, type Bytes } from '../protocol/codec.ts';
import type { TokenRequest } from '../protocol/inference.ts';
import { admits, type Admission } from './admission.ts';
import { samplesOf, type Batch, type Call } from './call.ts';
import type { Clock } from './clock.ts';
import type { Engine } from './engine.ts';
import { dealt, merged, runOfSeeds } from './merge.ts';
import { CallQueue } from './queue.ts';
import { checkedChat, checkedTokens } from './reply-check.ts';
import type { GroupId } from '../protocol/ids.ts';

/** How a batch ended: one packed reply per call, in order, or the fault they share. */
export type BatchEnd = readonly Bytes[] | TroupeFault;

export interface DispatchPorts {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly stallMs: number;
  admission(): Admission;
  /** May calls start now? */
  serving(): boolean;
  ended(batch: Batch, end: BatchEnd): void;
  stalled(): void;
}

export class Dispatch {
  readonly #ports: DispatchPorts;
  readonly #queue = new CallQueue<Call>();
  /** The same calls by group: siblings may ride on one request. */
  readonly #waiting = new Map<GroupId, Set<Call>>();
  /** Each at its `slot`: a Set would keep ended ones alive in the tables it outgrows (see engines/vllm/http.ts). */
  readonly #batches: Batch[] = [];
  #idle: (() => void)[] = [];
  #waking = false;
  #inFlight = 0;
  /** Slots in use, integrated over time. */
  #busy = 0;
  #since: number;
  readonly #born: number;
  /** Requests sent, and calls that rode on another's. */
  asked = 0;
  merged = 0;

  constructor(ports: DispatchPorts) {
    this.#ports = ports;
    this.#born = this.#since = ports.clock.now();
  }

  get waiting(): number {
    return this.#queue.size;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Mean number of slots in use. */
  occupancy(): number {
    this.#occupy(0);
    return this.#since === this.#born ? 0 : this.#busy / (this.#since - this.#born);
  }

  enqueue(call: Call): void {
    call.state = 'waiting';
    const siblings = this.#waiting.get(call.group);
    if (siblings === undefined) this.#waiting.set(call.group, new Set([call]));
    else siblings.add(call);
    this.#queue.push(call);
    this.wake();
  }

  /** Takes a waiting call out. */
  withdraw(call: Call): void {
    this.#queue.remove(call);
    this.#unlist(call);
  }

  /** Takes all waiting calls out. */
  withdrawAll(): Call[] {
    this.#waiting.clear();
    return this.#queue.clear();
  }

  /** Samples in flight that ride on another's request: they may have ended at the engine without an answer to tell. */
  get riding(): number {
    return this.#batches.reduce((sum, { samples }) => sum + samples - 1, 0);
  }

  /** Ends what is in flight by `fault`. */
  recall(fault: TroupeFault): void {
    for (const batch of this.#batches.slice()) this.#giveUp(batch, fault);
  }

  /** Starts what may start, once the present tick's arrivals are all in the queue: so siblings meet. */
  wake(): void {
    if (this.#waking) return;
    this.#waking = true;
    queueMicrotask(() => {
      this.#waking = false;
      for (let call = this.#next(); call !== undefined; call = this.#next()) this.#start(this.#together(call));
    });
  }

  /** The call is not wanted any more: it leaves the queue, or its batch, which gives its slots back when nobody wants it. */
  drop(call: Call): void {
    if (call.state === 'waiting') this.withdraw(call);
    call.state = 'ended';
    const { batch } = call;
    if (batch === undefined || batch.ended || batch.calls.some((other) => other.state !== 'ended')) return;
    this.#finish(batch);
    batch.abort.abort();
    this.wake();
  }

  /** Resolves when nothing is in flight, or after `patienceMs`. */
  idle(patienceMs: number): Promise<void> {
    if (this.#batches.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const disarm = this.#ports.clock.after(patienceMs, resolve);
      this.#idle.push(() => {
        disarm();
        resolve();
      });
    });
  }

  #next(): Call | undefined {
    if (!this.#ports.serving()) return undefined;
    const call = this.#queue.peek();
    return call !== undefined && admits(this.#ports.admission(), this.#inFlight, samplesOf(call)) ? call : undefined;
  }

  /** The call, and the siblings that can ride on its request. */
  #together(call: Call): Call[] {
    const listed = this.#waiting.get(call.group);
    if (call.asked.kind === 'chat' || listed === undefined || listed.size === 1) return [call];
    type TokenCall = Call & { readonly request: TokenRequest };
    const siblings = [...listed].filter((other): other is TokenCall => other !== call && other.asked.kind === 'tokens');
    return runOfSeeds(call as TokenCall, siblings, this.#ports.admission().limit - this.#inFlight);
  }

  #start(calls: Call[]): void {
    const { clock, stallMs } = this.#ports;
    const batch: Batch = {
      calls,
      samples: calls.reduce((sum, call) => sum + samplesOf(call), 0),
      askedAt: clock.now(),
      abort: new AbortController(),
      disarm: clock.after(stallMs, () => {
        this.#ports.stalled();
        const { name } = this.#ports.engine;
        this.#giveUp(batch, new EngineFault(`engine ${name} held a call for ${stallMs} ms`, { trouble: 'stalled' }));
      }),
      slot: this.#batches.length,
      ended: false,
    };
    this.#batches.push(batch);
    this.#occupy(batch.samples);
    this.asked++;
    this.merged += calls.length - 1;
    for (const call of calls) {
      this.withdraw(call);
      call.state = 'asked';
      call.askedAt = batch.askedAt;
      call.attempt++;
      call.batch = batch;
    }
    void this.#inquire(batch).then(
      (bytes) => this.#end(batch, bytes),
      (error: unknown) => this.#end(batch, asFault(EngineFault, `engine ${this.#ports.engine.name}`, error)),
    );
  }

  async #inquire(batch: Batch): Promise<Bytes[]> {
    const { engine, clock } = this.#ports;
    const { asked } = batch.calls[0] as Call;
    const deadlineMs = Math.max(1, Math.max(...batch.calls.map((call) => call.due)) - clock.now());
    if (asked.kind === 'chat') {
      if (engine.chat === undefined) throw new EngineFault(`engine ${engine.name} cannot chat`, { trouble: 'refused' });
      const request = { ...asked.request, deadlineMs };
      return [pack(checkedChat(await engine.chat(request, batch.abort.signal), request))];
    }
    const requests = batch.calls.map((call) => call.request as TokenRequest);
    const request = { ...merged(requests), deadlineMs };
    return dealt(checkedTokens(await engine.generate(request, batch.abort.signal), request), requests).map((reply) => pack(reply));
  }

  /** The engine hears of it first: its slot is free before the next call comes. */
  #giveUp(batch: Batch, fault: TroupeFault): void {
    batch.abort.abort();
    this.#end(batch, fault);
  }

  #end(batch: Batch, end: BatchEnd): void {
    if (batch.ended) return;
    this.#finish(batch);
    this.#ports.ended(batch, end);
    this.wake();
  }

  #finish(batch: Batch): void {
    batch.ended = true;
    batch.disarm();
    const last = this.#batches.pop() as Batch;
    if (last !== batch) this.#batches[(last.slot = batch.slot)] = last;
    this.#occupy(-batch.samples);
    if (this.#batches.length === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #unlist(call: Call): void {
    const siblings = this.#waiting.get(call.group);
    siblings?.delete(call);
    if (siblings?.size === 0) this.#waiting.delete(call.group);
  }

  #occupy(change: number): void {
    const now = this.#ports.clock.now();
    this.#busy += this.#inFlight * (now - this.#since);
    this.#since = now;
    this.#inFlight += change;
  }
}
