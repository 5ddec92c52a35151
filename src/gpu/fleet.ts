/**
 * What is done to all lanes together, one thing after the other: new weights for every engine, the accelerator lent to the trainer and taken back.
 * It knows no calls: whoever holds them is told when they may have to move, and while their time stands still.
 */
import { CancelledFault, EngineFault } from '../errors.ts';
import type { Weights } from '../protocol/policy.ts';
import type { Clock } from './clock.ts';
import type { Lane } from './lane.ts';

interface FleetPorts {
  readonly lanes: readonly Lane[];
  readonly clock: Clock;
  /** How long a publication for which no engine could be reached waits until one is back and has it. */
  readonly recoveryMs: number;
  /** Weights are ordered: calls that wait for an older version may have to move. */
  ordered(): void;
  /** From now on no call starts, and the time of those that wait stands still. */
  lent(): void;
  /** From now on time runs for all. */
  returned(): void;
}

export class Fleet {
  readonly #ports: FleetPorts;
  /** Publications that wait for a lane to serve again. */
  readonly #recoveries = new Set<() => void>();
  #turn: Promise<void> | undefined;
  #isLent = false;
  #isClosing = false;

  constructor(ports: FleetPorts) {
    this.#ports = ports;
  }

  get isLent(): boolean {
    return this.#isLent;
  }

  /** A lane's mode has changed. */
  changed({ isServing }: Lane): void {
    if (!isServing) return;
    this.#endLoan();
    for (const recovered of this.#recoveries) recovered();
  }

  publish(weights: Weights): Promise<void> {
    return this.#inTurn(async () => {
      const { lanes } = this.#ports;
      if (this.#isLent)
        throw new EngineFault(`version ${weights.version} cannot be published while the accelerator is lent`, { trouble: 'refused' });
      for (const lane of lanes) lane.order(weights);
      this.#ports.ordered();
      // One whose circuit is open gets them before it serves again: nobody waits for its rest.
      const sound = lanes.filter((lane) => lane.isSound);
      const ends = await Promise.allSettled((sound.length > 0 ? sound : lanes).map((lane) => lane.publish()));
      const reason = sharedFault(ends);
      if (reason !== undefined && !(isAway(reason) && (await this.#recovery()))) throw reason;
    });
  }

  lend(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isLent) return;
      if (this.#isClosing) throw new CancelledFault('the broker is closing');
      this.#isLent = true;
      this.#ports.lent();
      const ends = await Promise.allSettled(this.#ports.lanes.map((lane) => lane.lend()));
      const kept = ends.find(isRejected);
      if (kept === undefined) return;
      await this.#reclaim();
      throw kept.reason;
    });
  }

  takeBack(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#isLent) return;
      const reason = sharedFault(await this.#reclaim());
      if (reason !== undefined) throw reason;
    });
  }

  /** Nothing is waited for any more. */
  close(): void {
    this.#isClosing = true;
    for (const recovered of this.#recoveries) recovered();
  }

  #inTurn(deed: () => Promise<void>): Promise<void> {
    const done = this.#turn === undefined ? deed() : this.#turn.then(deed);
    const over = (): void => {
      if (this.#turn === own) this.#turn = undefined;
    };
    const own: Promise<void> = done.then(over, over);
    this.#turn = own;
    return done;
  }

  async #reclaim(): Promise<PromiseSettledResult<void>[]> {
    const ends = await Promise.allSettled(this.#ports.lanes.map((lane) => lane.reclaim()));
    this.#endLoan();
    return ends;
  }

  #endLoan(): void {
    if (!this.#isLent) return;
    this.#isLent = false;
    this.#ports.returned();
  }

  /** A lane that failed serves again only with what was ordered: whoever ordered it need but wait. Resolves with false where none came back. */
  #recovery(): Promise<boolean> {
    const { lanes, clock, recoveryMs } = this.#ports;
    if (recoveryMs === 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (): void => {
        disarm();
        this.#recoveries.delete(end);
        resolve(lanes.some((lane) => lane.isServing));
      };
      const disarm = clock.after(this.#isClosing ? 0 : recoveryMs, end);
      this.#recoveries.add(end);
    });
  }
}

/** Nothing is wrong with what was asked; nobody was there, or nobody answered. */
const isAway = (fault: unknown): boolean =>
  fault instanceof EngineFault && (fault.trouble === 'absent' || fault.trouble === 'unreachable' || fault.trouble === 'stalled');

const isRejected = (end: PromiseSettledResult<void>): end is PromiseRejectedResult => end.status === 'rejected';

/** The first fault where every lane failed; undefined where one did not. */
const sharedFault = (ends: readonly PromiseSettledResult<void>[]): unknown =>
  ends.every(isRejected) ? (ends[0] as PromiseRejectedResult).reason : undefined;
