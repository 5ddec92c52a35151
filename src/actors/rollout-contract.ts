/** What plays a step's groups, as the rest of the program sees it: jobs in, sealed groups out. */
import type { Broker } from '../gpu/broker.ts';
import type { SealedGroup } from '../gpu/handover.ts';
import type { Bytes } from '../protocol/codec.ts';
import type { Frame } from '../protocol/frame.ts';
import type { TaskId } from '../protocol/ids.ts';
import type { Task } from '../protocol/task.ts';
import type { CastSpec } from './cast.ts';
import type { Clock } from './clock.ts';
import type { GroupJob } from './group.ts';
import type { Intensity } from './supervise.ts';

export interface RolloutPoolOptions {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly cast: CastSpec;
  /** Where `task.quarantined` goes. */
  record(frame: Frame): void;
  /** Where packed `events` frames go, unread. */
  recordPacked(frame: Bytes): void;
  readonly workers: number;
  /** Groups open on one worker at a time: the admission window. */
  readonly window: number;
  /** Hosts a group may lose, or rejections, before it is looked at alone. Default 3. */
  readonly attempts?: number;
  readonly intensity?: Intensity;
  /** Between two looks at the hosts; one that misses three is ended. Default 800 ms. */
  readonly beatMs?: number;
  /** What a cancelled or expired group may still take to say so. Default 2,000 ms. */
  readonly graceMs?: number;
  /** JavaScript heap of one worker in MB. Default 2,048. */
  readonly heapMb?: number;
  /** The command that runs a condemned task again, for a person. */
  reproduce?(task: Task): string;
  /** Tasks that earlier processes of this run condemned. */
  readonly quarantined?: Iterable<TaskId>;
  /** The worker entry; tests bring their own. */
  readonly file?: URL;
}

interface RollOptions {
  /** Cancels the roll: nothing more is sealed. */
  readonly signal: AbortSignal;
  /** For the whole roll; a group's own deadline is cut by it. */
  readonly deadlineMs: number;
  /** Asked once a group, when its first host takes it up: what it is played as from then on, however often it runs again. */
  begin?(job: GroupJob): GroupJob;
  onSealed?(sealed: SealedGroup): void;
}

export interface RolloutPool {
  /**
   * Resolves when each job's group is sealed, once, in the jobs' order; the jobs are of one step. A group that could not be played is sealed as failed, with reasons.
   * Rejects with CancelledFault when `signal` aborts, with ThreadFault when workers die faster than supervision allows.
   */
  roll(jobs: readonly GroupJob[], options: RollOptions): Promise<SealedGroup[]>;
  /** Ids of the threads that play groups. */
  readonly threads: readonly number[];
  /** Ends a thread as a crash would: chaos for tests and drills. Its groups run again elsewhere. */
  kill(thread: number): void;
  readonly quarantined: ReadonlySet<TaskId>;
  /** Threads that died, and groups that were run again for it. */
  readonly tally: { readonly deaths: number; readonly rerun: number };
  close(): Promise<void>;
}
