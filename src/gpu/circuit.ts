/** Keeps calls from an engine that fails: opens the circuit, rests, probes, closes it again. It acts on the mode chart and knows no queue. */
import type { ActorRefFrom } from 'xstate';
import { EngineFault } from '../errors.ts';
import type { brokerMachine } from '../machines/broker.ts';
import { seedOf, type Seed } from '../random.ts';
import { booked, closedBreaker, opened, shouldOpen, type Breaker } from './breaker.ts';
import type { Clock } from './clock.ts';

export interface CircuitOptions {
  readonly clock: Clock;
  readonly seed: Seed;
  readonly mode: ActorRefFrom<typeof brokerMachine>;
  readonly probeMs: number;
  /** The first rest; it doubles up to 24 of them. */
  readonly restMs: number;
  /** Asks the engine for something real; rejects where it cannot. */
  probe(signal: AbortSignal): Promise<unknown>;
}

export interface Circuit {
  /** The end of one call. */
  book(ok: boolean): void;
  /** The engine has proved its health in another way. */
  mend(): void;
  /** What it rests from may be over: it is probed now. */
  rouse(): void;
}

export function createCircuit(options: CircuitOptions): Circuit {
  const { clock, seed, mode, probeMs, restMs } = options;
  let breaker: Breaker = closedBreaker;
  let at = '';
  let disarm = (): void => {};

  const rest = (): void => {
    const next = opened(breaker, seedOf(seed, 'circuit'), restMs);
    breaker = next.breaker;
    disarm = clock.after(next.restMs, () => mode.send({ type: 'deadline.expired' }));
  };
  const tryOut = (): void => {
    const abort = new AbortController();
    disarm = () => abort.abort();
    const answered = (): void => {
      if (abort.signal.aborted) return;
      breaker = closedBreaker;
      mode.send({ type: 'probe.answered' });
    };
    const failed = (): void => {
      if (!abort.signal.aborted) mode.send({ type: 'probe.failed' });
    };
    void within(clock, probeMs, options.probe(abort.signal), 'the probe was not answered in time').then(answered, failed);
  };
  mode.subscribe({
    next: (snapshot) => {
      const now = snapshot.matches({ openCircuit: 'resting' }) ? 'resting' : snapshot.matches({ openCircuit: 'probing' }) ? 'probing' : '';
      if (now === at) return;
      at = now;
      disarm();
      if (now === 'resting') rest();
      else if (now === 'probing') tryOut();
    },
    complete: () => disarm(),
    error: () => disarm(),
  });

  return {
    book: (ok) => {
      breaker = booked(breaker, ok, clock.now());
      if (!ok && shouldOpen(breaker) && mode.getSnapshot().hasTag('serving')) mode.send({ type: 'circuit.opened' });
    },
    mend: () => {
      breaker = closedBreaker;
    },
    rouse: () => {
      if (at === 'resting') mode.send({ type: 'deadline.expired' });
    },
  };
}

/** Rejects with EngineFault when `ms` have passed: a promise that never settles does not hold us. */
export function within<T>(clock: Clock, ms: number, promise: Promise<T>, complaint: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const disarm = clock.after(ms, () => reject(new EngineFault(complaint, { trouble: 'stalled' })));
    void promise.then(resolve, reject).finally(disarm);
  });
}
