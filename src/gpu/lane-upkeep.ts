/**
 * What is done to one engine rather than asked of it: new weights, sleep, awakening. One thing at a time, each with an end; and it remembers what is still to be done,
 * so that an engine that failed comes back with the newest weights or not at all. Knows no calls.
 */
import { EngineFault } from '../errors.ts';
import type { PolicyVersion } from '../protocol/ids.ts';
import type { Weights } from '../protocol/policy.ts';
import { within } from './circuit.ts';
import type { Clock } from './clock.ts';
import type { Engine } from './engine.ts';

/** A version that must answer. */
interface Ordered {
  readonly version: PolicyVersion;
  /** Absent for what the engine was made with. */
  readonly weights?: Weights;
  isThere: boolean;
}

export class LaneUpkeep {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  /** As many as the engine answers at once, newest last. */
  #ordered: readonly Ordered[];
  #sleeps = false;
  #turn: Promise<unknown> = Promise.resolve();

  /** `version`: the one that answers at the start, where that is known. */
  constructor(engine: Engine, clock: Clock, patienceMs: number, version: PolicyVersion | undefined) {
    this.#engine = engine;
    this.#clock = clock;
    this.#patienceMs = patienceMs;
    this.#ordered = version === undefined ? [] : [{ version, isThere: true }];
  }

  /** The newest version that must answer here; null where none was named yet. */
  get newest(): PolicyVersion | null {
    return this.#ordered.at(-1)?.version ?? null;
  }

  /** The oldest version that is answered. */
  get oldest(): number {
    return this.#ordered.length < this.#engine.versions ? 0 : (this.#ordered[0] as Ordered).version;
  }

  /** It will answer here, and does not yet. */
  isToCome(version: PolicyVersion | null): boolean {
    if (version === null || this.newest === null) return false;
    return version > this.newest || this.#ordered.some((each) => each.version === version && !each.isThere);
  }

  /** These weights must answer from now on, before anything else does. */
  order(weights: Weights): void {
    const older = this.#ordered.filter(({ version }) => version !== weights.version);
    this.#ordered = [...older, { version: weights.version, weights, isThere: false }].slice(-Math.max(1, this.#engine.versions));
  }

  /** Does all that is to be done: after it the engine is awake, and every version that was ordered is there. Rejects with the first failure. */
  async bringUp(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#sleeps) await this.#end(this.#engine.wake?.(), 'did not wake');
      this.#sleeps = false;
      for (const each of this.#ordered) {
        if (each.isThere || each.weights === undefined) continue;
        await this.#end(this.#engine.publish(each.weights), `did not take version ${each.version}`);
        each.isThere = true;
      }
    });
  }

  /** Only called with nothing in flight. */
  async sleep(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#engine.sleep === undefined || this.#sleeps) return;
      // Set first: an engine that failed half-way must be woken, too.
      this.#sleeps = true;
      await this.#end(this.#engine.sleep(), 'did not go to sleep');
    });
  }

  #inTurn(deed: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(deed, deed);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #end(promise: Promise<void> | undefined, complaint: string): Promise<void> {
    if (promise === undefined) return Promise.resolve();
    return within(this.#clock, this.#patienceMs, promise, `engine ${this.#engine.name} ${complaint} within ${this.#patienceMs} ms`);
  }
}

/** Why calls of a version are not answered any more. */
export const retired = (version: number, oldest: number, newest: number | null): EngineFault =>
  new EngineFault(
    `version ${version} was asked for, and only ${oldest}${newest === null || newest === oldest ? '' : `..${newest}`} answers any more`,
    {
      trouble: 'refused',
    },
  );
